import type { Catalog, Grant, Relation, SqlFunction } from "./catalog.ts";

const lineWidth = 120;
const linesMax = 1000;

/** Schema parlance as one page: SQL to read, not to run. Names without a schema are of parlance or of extensions. */
export function formatSchema(catalog: Catalog): string {
  const tables = catalog.relations.filter((relation) => relation.kind !== "sequence");
  const lines = [
    "-- Schema parlance, written from the catalog by `bun run schema`. To read, not to run: what belongs to a table",
    "-- stands under it, names are without their schema, and row level security is on unless it says otherwise.",
    "",
    ...catalog.types.map(
      ({ name, labels }) => `create type ${name} as enum (${labels.map(quote).join(", ")});`,
    ),
    ...tables.flatMap((relation) => ["", ...formatRelation(relation)]),
    "",
    ...catalog.functions.map(formatFunction),
  ];
  if (lines.length > linesMax)
    throw new Error(`supabase/schema.sql would have ${lines.length} lines, ${linesMax} are allowed.`);
  return `${lines.join("\n")}\n`;
}

function formatRelation(relation: Relation): string[] {
  const comment = relation.comment ? [`-- ${relation.comment}`] : [];
  const under = [
    ...relation.indexes.map(formatIndex),
    ...relation.policies.map(formatPolicy),
    ...relation.triggers.map((trigger) =>
      shorten(trigger.replace(/ ON \S+/, "").replace("CREATE TRIGGER", "create trigger")),
    ),
    ...formatGrants(relation.grants),
    ...(relation.kind === "table" && !relation.hasRowSecurity ? ["-- row level security is OFF"] : []),
  ];
  return [...comment, ...formatHead(relation), ...under.map((line) => `  ${line};`)];
}

function formatHead(relation: Relation): string[] {
  if (relation.kind === "view") {
    const names = relation.columns.map((column) => column.name);
    const rights = relation.isInvokers ? "with the rights of its reader" : "with the rights of its OWNER";
    return [...wrap(names, `create view ${relation.name} (`, ""), `); -- ${rights}`];
  }
  const constraints = relation.constraints
    .filter((constraint) => !isInline(constraint))
    .map(formatConstraint);
  const partition = relation.partitionKey ? ` partition by ${shorten(relation.partitionKey)}` : "";
  if (relation.partitionOf) {
    const head = `create table ${relation.name} partition of ${relation.partitionOf} ${shorten(relation.partitionBound ?? "")}`;
    return constraints.length === 0 ? [`${head};`] : [`${head} (`, ...separate(constraints), ");"];
  }
  const columns = wrap(
    formatColumns(relation),
    `create table ${relation.name} (`,
    constraints.length > 0 ? "," : "",
  );
  return [...columns, ...separate(constraints), `)${partition};`];
}

function formatColumns(relation: Relation): string[] {
  return relation.columns.map((column) => {
    const inline = relation.constraints.filter((one) => isInline(one) && one.columns[0] === column.name);
    const isKey = inline.some((one) => one.kind === "p");
    const words = [column.name, shorten(column.type)];
    if (!column.isNullable && !isKey) words.push("not null");
    if (column.expression) {
      words.push(
        column.isGenerated
          ? `generated as (${shorten(column.expression)})`
          : `default ${shorten(column.expression)}`,
      );
    }
    for (const { kind, definition } of inline) {
      if (kind === "p") words.push("primary key");
      if (kind === "u") words.push("unique");
      if (kind === "f") words.push(shorten(definition).replace(/^foreign key \(\w+\) /, ""));
    }
    return words.join(" ");
  });
}

/** Keys of one column are told with the column. */
function isInline({ kind, columns, definition }: Relation["constraints"][number]): boolean {
  if (kind === "p" || kind === "f") return columns.length === 1;
  return kind === "u" && columns.length === 1 && /^UNIQUE \(\w+\)$/.test(definition);
}

function formatConstraint({ name, kind, definition }: Relation["constraints"][number]): string {
  return kind === "c" ? `constraint ${name} ${shorten(definition)}` : shorten(definition);
}

function formatIndex(definition: string): string {
  return shorten(
    definition
      .replace(/^CREATE (UNIQUE )?INDEX/, (_all, unique) => `create ${unique ? "unique " : ""}index`)
      .replace(/ ON (ONLY )?\S+ USING btree/, " on")
      .replace(/ ON (ONLY )?\S+ USING/, " using"),
  );
}

function formatPolicy(policy: Relation["policies"][number]): string {
  const parts = [`create policy "${policy.name}" for ${policy.command} to ${policy.roles.join(", ")}`];
  if (policy.using) parts.push(`using ${parenthesize(shorten(policy.using))}`);
  if (policy.check && policy.check !== policy.using)
    parts.push(`with check ${parenthesize(shorten(policy.check))}`);
  return parts.join(" ");
}

function formatFunction(one: SqlFunction): string {
  const roles = one.grants.map((grant) => grant.role);
  const words = [one.volatility, one.isDefiner ? "security definer" : ""].filter((word) => word !== "");
  return `create function ${one.name}(${shorten(one.arguments)}) returns ${shorten(one.result)} ${words.join(" ")}; -- for ${roles.join(", ") || "its owner"}`;
}

/** One line for all roles that may do the same. */
export function formatGrants(grants: readonly Grant[]): string[] {
  const byRights = new Map<string, string[]>();
  for (const role of new Set(grants.map((grant) => grant.role))) {
    const rights = describeRights(grants.filter((grant) => grant.role === role));
    byRights.set(rights, [...(byRights.get(rights) ?? []), role]);
  }
  return [...byRights].map(([rights, roles]) => `grant ${rights} to ${roles.join(", ")}`);
}

const order = ["select", "insert", "update", "delete"];

/** The rights of one role: `select, update (name, title)`. */
export function describeRights(grants: readonly Grant[]): string {
  const rights = [...new Set(grants.map((grant) => grant.right))];
  rights.sort((one, other) => rank(one) - rank(other) || one.localeCompare(other));
  return rights
    .map((right) => {
      const columns = grants.filter((grant) => grant.right === right).map((grant) => grant.column);
      return columns.includes(null) ? right : `${right} (${columns.join(", ")})`;
    })
    .join(", ");
}

function rank(right: string): number {
  const index = order.indexOf(right);
  return index < 0 ? order.length : index;
}

/** Ordinary words for long ones, keywords in lower case, casts of constants left out. */
function shorten(sql: string): string {
  return sql
    .replace(/\s+/g, " ")
    .replaceAll("timestamp with time zone", "timestamptz")
    .replaceAll("double precision", "float8")
    .replace(/('(?:[^']|'')*'|\bNULL|\b\d[\d.]*)(?:::[\w.]+(?:\[\])?)+/g, "$1")
    .replace(/'(?:[^']|'')*'|"[^"]*"|\b[A-Z]{2,}\b/g, (word) =>
      /^['"]/.test(word) ? word : word.toLowerCase(),
    )
    .replace(/\( (select [^()]*\(\)) as \w+\)/g, "($1)")
    .replaceAll("( select", "(select")
    .replace(/'(-\d[\d.]*)'/g, "$1");
}

function parenthesize(expression: string): string {
  return expression.startsWith("(") && closesAtEnd(expression) ? expression : `(${expression})`;
}

function closesAtEnd(expression: string): boolean {
  let depth = 0;
  for (const [index, character] of [...expression].entries()) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (depth === 0) return index === expression.length - 1;
  }
  return false;
}

function separate(items: readonly string[]): string[] {
  return items.map((item, index) => `  ${item}${index < items.length - 1 ? "," : ""}`);
}

/** The items on as few lines as they need, behind `open`, the last followed by `close`. */
function wrap(items: readonly string[], open: string, close: string): string[] {
  const lines = [open];
  let line = " ";
  for (const [index, item] of items.entries()) {
    const text = ` ${item}${index < items.length - 1 ? "," : close}`;
    if (line.length + text.length > lineWidth && line !== " ") {
      lines.push(line);
      line = " ";
    }
    line += text;
  }
  return [...lines, line];
}

function quote(text: string): string {
  return `'${text}'`;
}
