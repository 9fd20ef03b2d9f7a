/** How a route is called, with the fields that it needs: by curl and by the typed client. */
import {
  type Document,
  type Parameter,
  type RequestBody,
  type Route,
  resolve,
  type Schema,
} from "./document.ts";

const sampleId = "0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";

/** A command for a shell; `$KEY` and `$TOKEN` are the reader's. */
export function writeCurl(document: Document, route: Route): string {
  const [{ url = "" } = {}] = document.servers ?? [];
  const lines = [`curl ${quote(url + fillPath(document, route) + fillQuery(document, route))}`];
  if (route.method !== "get")
    lines[0] = lines[0]?.replace("curl", `curl -X ${route.method.toUpperCase()}`) ?? "";
  if (needsKey(document, route)) lines.push(`-H "apikey: $KEY" -H "Authorization: Bearer $TOKEN"`);
  const body = findBody(document, route);
  if (body?.kind === "form") {
    for (const [name, value] of Object.entries(body.fields)) {
      lines.push(
        `-F ${quote(body.files.includes(name) ? `${name}=@picture.jpg` : `${name}=${String(value)}`)}`,
      );
    }
  }
  if (body?.kind === "json") {
    lines.push(`-H 'Content-Type: application/json'`, `-d ${quote(JSON.stringify(body.fields))}`);
  }
  return lines.join(" \\\n  ");
}

/** One statement of TypeScript. */
export function writeCall(document: Document, route: Route): string {
  const steps = route.path.split("/").filter((step) => step !== "");
  const access = steps.map((step) => {
    const name = step.replace(/^\{(.+)\}$/, ":$1");
    return /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  });
  const needed = route.parameters.filter(({ required }) => required);
  const input = [
    writeGroup(
      "param",
      inPlace(needed, "path").map((each) => writeField(each.name, sampleText(document, each))),
    ),
    writeGroup(
      "query",
      inPlace(needed, "query").map((each) => writeField(each.name, sampleText(document, each))),
    ),
    writeBody(document, route),
  ].filter((part) => part !== undefined);
  const call = `client${access.join("")}.$${route.method}(${input.length > 0 ? `{ ${input.join(", ")} }` : ""})`;
  const status = chooseStatus(route);
  return `await unwrap(${call}${status ? `, ${status}` : ""});`;
}

function writeBody(document: Document, route: Route): string | undefined {
  const body = findBody(document, route);
  if (!body) return undefined;
  const fields = Object.entries(body.fields).map(([name, value]) =>
    body.files.includes(name) ? "file" : writeField(name, writeValue(value)),
  );
  return `${body.kind}: { ${fields.join(", ")} }`;
}

function writeValue(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll(/"([A-Za-z_]\w*)":/g, " $1: ")
    .replaceAll(",", ", ");
}

const inPlace = (parameters: Parameter[], place: string) => parameters.filter((each) => each.in === place);
const sampleText = (document: Document, { name, schema = {} }: Parameter) =>
  JSON.stringify(sampleOf(document, schema, name));
const writeField = (name: string, value: string) =>
  `${/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name)}: ${value}`;
const writeGroup = (name: string, fields: string[]) =>
  fields.length > 0 ? `${name}: { ${fields.join(", ")} }` : undefined;

/** Where a route has two successes, the one that its first body leads to. */
function chooseStatus(route: Route): string | undefined {
  const statuses = Object.keys(route.operation.responses ?? {}).filter((status) => /^2\d\d$/.test(status));
  return statuses.length > 1 ? statuses.at(-1) : undefined;
}

export function needsKey(document: Document, { operation }: Route): boolean {
  return (operation.security ?? document.security ?? []).length > 0;
}

function fillPath(document: Document, { path, parameters }: Route): string {
  return path.replace(/\{([^}]+)\}/g, (_whole, name: string) => {
    const schema = parameters.find((each) => each.in === "path" && each.name === name)?.schema;
    return encodeURIComponent(String(sampleOf(document, schema ?? {}, name)));
  });
}

function fillQuery(document: Document, { parameters }: Route): string {
  const query = new URLSearchParams();
  for (const each of inPlace(parameters, "query")) {
    if (each.required) query.set(each.name, String(sampleOf(document, each.schema ?? {}, each.name)));
  }
  return query.size > 0 ? `?${query}` : "";
}

interface Body {
  kind: "form" | "json";
  fields: Record<string, unknown>;
  files: string[];
}

function findBody(document: Document, { operation }: Route): Body | undefined {
  if (!operation.requestBody) return undefined;
  const { content } = resolve<RequestBody>(document, operation.requestBody);
  const [type = "", { schema = {} } = {}] = Object.entries(content)[0] ?? [];
  const shape = chooseForm(document, schema);
  const all = Object.keys(shape.properties ?? {});
  const required = all.filter((name) => shape.required?.includes(name));
  const chosen = required.length > 0 ? required : all.slice(0, 1);
  const files = chosen.filter((name) => shape.properties?.[name]?.format === "binary");
  return { kind: /json/.test(type) ? "json" : "form", fields: sampleFields(document, shape, chosen), files };
}

function sampleOf(document: Document, given: Schema, name: string): unknown {
  const schema = chooseForm(document, given);
  const known = schema.examples?.[0] ?? schema.const ?? schema.enum?.[0] ?? schema.default;
  if (known !== undefined) return known;
  const [type] = [schema.type ?? []].flat();
  if (type === "integer" || type === "number") return schema.minimum ?? 1;
  if (type === "boolean") return true;
  if (type === "array") return schema.items ? [sampleOf(document, schema.items, name)] : [];
  if (type === "object") return sampleFields(document, schema, schema.required ?? []);
  if (schema.format === "uuid") return sampleId;
  return name === "q" ? "blue sea" : name;
}

/** What a schema refers to; of several forms the first. */
function chooseForm(document: Document, given: Schema): Schema {
  const schema = resolve<Schema>(document, given);
  const [first] = schema.anyOf ?? schema.oneOf ?? [];
  return first ? chooseForm(document, first) : schema;
}

function sampleFields(
  document: Document,
  { properties = {} }: Schema,
  names: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => names.includes(name))
      .map(([name, property]) => [name, sampleOf(document, property, name)]),
  );
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
