/** What the reference page reads of an OpenAPI 3.1 document; all else in it is passed over. */
export interface Document {
  info: { title: string; version: string; description?: string };
  servers?: { url: string }[];
  tags?: { name: string; description?: string }[];
  security?: Security[];
  components?: {
    schemas?: Record<string, Schema>;
    securitySchemes?: Record<string, SecurityScheme>;
    [kind: string]: Record<string, unknown> | undefined;
  };
  paths: Record<string, PathItem>;
}

export type Security = Record<string, string[]>;

export interface SecurityScheme {
  type: string;
  scheme?: string;
  name?: string;
  in?: string;
  description?: string;
}

export type PathItem = { parameters?: (Parameter | Reference)[] } & { [method: string]: Operation };

export interface Reference {
  $ref: string;
}

export interface Operation {
  operationId?: string;
  summary?: string;
  description?: string;
  tags?: string[];
  security?: Security[];
  deprecated?: boolean;
  parameters?: (Parameter | Reference)[];
  requestBody?: RequestBody | Reference;
  responses?: Record<string, Answer | Reference>;
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export interface RequestBody {
  description?: string;
  required?: boolean;
  content: Record<string, { schema?: Schema }>;
}

export interface Answer {
  description?: string;
  headers?: Record<string, { description?: string; schema?: Schema } | Reference>;
  content?: Record<string, { schema?: Schema }>;
}

export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  examples?: unknown[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}

const methods = ["get", "post", "put", "patch", "delete", "head", "options"];

export interface Route {
  method: string;
  path: string;
  operation: Operation;
  parameters: Parameter[];
}

/** Every operation, in the order of the document. */
export function listRoutes(document: Document): Route[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])];
      return [{ method, path, operation, parameters: parameters.map((each) => resolve(document, each)) }];
    }),
  );
}

/** What a reference leads to; a document whose references lead nowhere is refused. */
export function resolve<T extends object>(document: Document, given: T | Reference): T {
  let found: unknown = given;
  for (let steps = 0; isReference(found); steps += 1) {
    const target: string = found.$ref;
    if (steps > 20) throw new Error(`The reference ${target} leads in a circle.`);
    const keys = target.replace(/^#\//, "").split("/");
    found = keys.reduce<unknown>((part, key) => readKey(part, key), document);
    if (typeof found !== "object" || found === null)
      throw new Error(`The reference ${target} leads nowhere.`);
  }
  return found as T;
}

function isReference(value: unknown): value is Reference {
  return typeof value === "object" && value !== null && "$ref" in value && typeof value.$ref === "string";
}

function readKey(part: unknown, key: string): unknown {
  const name = decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");
  return typeof part === "object" && part !== null && Object.hasOwn(part, name)
    ? (part as Record<string, unknown>)[name]
    : undefined;
}

/** `#/components/schemas/Job` is `Job`. */
export function nameOf(reference: string): string {
  return reference.slice(reference.lastIndexOf("/") + 1);
}
