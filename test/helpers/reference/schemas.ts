/** Schemas as tables: one row a field, those of an object within it below and further in. */
import { nameOf, type Schema } from "./document.ts";
import { type Html, html, toAnchor, toText, writeInline } from "./html.ts";

const depthMax = 6;
const valuesShownMax = 8;

export function schemaAnchor(name: string): string {
  return toAnchor("schema", name);
}

/** A schema where it is used: a link to the one that has a name, a table of one that has fields, else its type. */
export function writeSchema(schema: Schema | undefined, label: string): Html {
  if (!schema) return html`<p>Anything.</p>`;
  if (schema.$ref) return html`<p class="shape">${writeType(schema)}</p>`;
  const rows = listRows(schema, 0);
  const kind = writeType(schema);
  const facts = writeFacts(schema);
  if (rows.length === 0) return html`<p class="shape">${kind} ${facts}</p>`;
  const opening = schema.type === "object" ? undefined : html`<p class="shape">${kind} ${facts}</p>`;
  return html`${opening}${writeTable(label, rows)}`;
}

export interface Row {
  name: string;
  isRequired: boolean;
  schema: Schema;
  /** Said besides what the schema says itself. */
  description?: string | undefined;
  depth?: number;
  /** A field of an answer is there unless it says otherwise; nobody has to send it. */
  place?: string;
}

export function writeTable(label: string, rows: readonly Row[]): Html {
  return html`<div class="table" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">What it is</th></tr></thead>
<tbody>${rows.map(writeRow)}</tbody></table></div>
`;
}

function writeRow({ name, isRequired, schema, description, depth = 0, place }: Row): Html {
  const text = description ?? schema.description;
  const notes = [place, isRequired ? undefined : "optional"].filter((note) => note !== undefined);
  return html`<tr><th scope="row" class="depth-${Math.min(depth, depthMax)}"><code>${name}</code>${
    notes.length > 0 && html` <small>${notes.join(" · ")}</small>`
  }</th><td>${writeType(schema)}</td><td>${
    text && html`<span class="said">${writeInline(text)}</span> `
  }${writeFacts(schema)}</td></tr>
`;
}

function listRows(schema: Schema, depth: number): Row[] {
  if (depth > depthMax || schema.$ref) return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, property]): Row[] => [
    { name, isRequired: schema.required?.includes(name) ?? false, schema: property, depth },
    ...listRows(property, depth + 1),
  ]);
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const inParts = parts.flatMap((part) => listRows(part, depth));
  const inItems = schema.items ? listRows(schema.items, depth) : [];
  const values = schema.additionalProperties;
  const inValues = typeof values === "object" ? listRows(values, depth) : [];
  return [...own, ...inParts, ...inItems, ...inValues];
}

export function writeType(schema: Schema): Html {
  if (schema.$ref) {
    const name = nameOf(schema.$ref);
    return html`<a href="#${schemaAnchor(name)}">${name}</a>`;
  }
  const choices = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (choices.length > 0) return join(listOnce(choices.map(writeType)), html` or `);
  if (schema.allOf) return join(listOnce(schema.allOf.map(writeType)), html` and `);
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return schema.enum ? html`one of` : html`anything`;
  return join(
    types.map((type) => writeOneType(type, schema)),
    html` or `,
  );
}

function writeOneType(type: string, schema: Schema): Html {
  if (type === "array") return html`list of ${schema.items ? writeType(schema.items) : "anything"}`;
  const values = schema.additionalProperties;
  if (type === "object" && !schema.properties && typeof values === "object") {
    return html`object of ${writeType(values)} by name`;
  }
  if (schema.format === "binary") return html`file`;
  const format = type === "string" && schema.format ? html` <small>${schema.format}</small>` : undefined;
  return html`${type}${format}`;
}

/** Limits, default and the values that may be. */
function writeFacts(schema: Schema): Html {
  const facts = listFacts(schema).map((fact) => html`<span class="fact">${fact}</span> `);
  return html`${facts}${writeValues(schema)}`;
}

function writeValues(schema: Schema): Html | undefined {
  const values = schema.enum ?? (schema.items?.$ref ? undefined : schema.items?.enum) ?? findChoices(schema);
  if (!values || values.every((value) => schema.description?.includes(`\`${value}\``))) return undefined;
  const list = join(
    values.map((value) => html`<code>${writeValue(value)}</code>`),
    html` `,
  );
  if (values.length <= valuesShownMax) return html`<span class="values">${list}</span>`;
  return html`<details class="values"><summary>${values.length} values</summary>${list}</details>`;
}

function writeValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function findChoices(schema: Schema): unknown[] | undefined {
  return [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].find((choice) => choice.enum)?.enum;
}

function listFacts(schema: Schema): Html[] {
  const facts = [
    writeRange(schema.minimum, schema.maximum, ""),
    schema.exclusiveMinimum !== undefined ? `above ${schema.exclusiveMinimum}` : undefined,
    schema.exclusiveMaximum !== undefined ? `below ${schema.exclusiveMaximum}` : undefined,
    schema.multipleOf !== undefined ? `a multiple of ${schema.multipleOf}` : undefined,
    writeRange(schema.minLength, schema.maxLength, "characters"),
    writeRange(schema.minItems, schema.maxItems, "items"),
    schema.items ? writeRange(schema.items.minLength, schema.items.maxLength, "characters each") : undefined,
    schema.uniqueItems ? "each once" : undefined,
  ].filter((fact) => fact !== undefined);
  const written = facts.map((fact) => html`${fact}`);
  if (schema.pattern) written.push(html`matches <code>${schema.pattern}</code>`);
  if (schema.default !== undefined) written.push(html`default <code>${writeValue(schema.default)}</code>`);
  return written;
}

function writeRange(least: number | undefined, most: number | undefined, unit: string): string | undefined {
  const [from, to] = [least, most].map((limit) => limit?.toLocaleString("en"));
  if (from === undefined && to === undefined) return undefined;
  const range =
    to === undefined ? `at least ${from}` : from === undefined ? `at most ${to}` : `${from} to ${to}`;
  return `${range} ${unit}`.trim();
}

function listOnce(parts: readonly Html[]): Html[] {
  return [...new Map(parts.map((part) => [toText(part), part])).values()];
}

export function join(parts: readonly Html[], between: Html): Html {
  return html`${parts.map((part, index) => (index === 0 ? part : html`${between}${part}`))}`;
}
