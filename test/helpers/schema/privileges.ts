import type { Catalog, Grant } from "./catalog.ts";
import { describeRights } from "./format.ts";

/** The roles that always have a column, in the order of their power; others follow when something is granted. */
const knownRoles = ["public", "anon", "authenticated", "parlance_sidecar", "service_role"];

/** Who may do what in schema parlance, as tables to read. The owner, who may do everything, has no column. */
export function formatPrivileges(catalog: Catalog): string {
  const everything = [
    ...catalog.grants,
    ...[...catalog.relations, ...catalog.functions].flatMap(({ grants }) => grants),
  ];
  const others = [...new Set(everything.map(({ role }) => role))].filter(
    (role) => !knownRoles.includes(role),
  );
  const roles = [...knownRoles, ...others.sort()];
  const relations = catalog.relations.map(({ name, kind, hasRowSecurity, policies, grants }) => {
    const guard = kind === "table" ? (hasRowSecurity ? `on, policies: ${policies.length}` : "**off**") : kind;
    return [`\`${name}\``, guard, ...cells(roles, grants)];
  });
  const functions = catalog.functions.map((one) => [
    `\`${one.name}(${argumentTypes(one.arguments)})\``,
    one.isDefiner ? "the owner's" : "the caller's",
    ...cells(roles, one.grants),
  ]);
  return [
    "# Who may do what in schema parlance",
    "",
    "Written from the catalog by `bun run schema` and compared with it by a test. A right is what a role may try; which",
    "rows it reaches is for the policies (row level security). Their owner may do everything.",
    "",
    ...table(["schema", "", ...roles], [["`parlance`", "", ...cells(roles, catalog.grants)]]),
    "",
    ...table(["table, view or sequence", "row security", ...roles], relations),
    "",
    ...table(["function", "runs with rights of", ...roles], functions),
    "",
  ].join("\n");
}

function cells(roles: readonly string[], grants: readonly Grant[]): string[] {
  return roles.map((role) => describeRights(grants.filter((grant) => grant.role === role)));
}

/** `id uuid, lane job_lane DEFAULT 'bulk'` as `uuid, job_lane`. */
function argumentTypes(list: string): string {
  return list
    .split(", ")
    .map((argument) => argument.replace(/ DEFAULT .*$/, "").replace(/^\w+ /, ""))
    .join(", ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (row: readonly string[]) => `| ${row.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
