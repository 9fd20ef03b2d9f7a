import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./router.ts";

type Document = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;
type Operation = NonNullable<NonNullable<Document["paths"]>[string]["get"]>;

export interface DocumentOptions {
  /** Where browsers reach the API. */
  url: string;
  /** What each group of routes is about, by tag. */
  tags: Readonly<Record<string, string>>;
}

const description = `One backend that puts things into words, and keeps watch over the words.

Send a user's access token as \`Authorization: Bearer …\`, or a key of the project as \`apikey: …\`; without either
you see what is public. Every answer bears \`X-Request-Id\`. Errors are \`application/problem+json\` with a \`code\`
that does not change. Lists answer \`{ items, nextCursor }\`; cursors are opaque. POST takes an \`Idempotency-Key\`,
kept for 24 hours. What is left of a rate limit is told by \`RateLimit\` and \`RateLimit-Policy\`
(draft-ietf-httpapi-ratelimit-headers-10).`;

/** OpenAPI 3.1 of all rooms. What every route may answer is said here once and added to each. */
export function createDocument(router: OpenAPIHono<AppEnv>, options: DocumentOptions): Document {
  const document = router.getOpenAPI31Document({
    openapi: "3.1.0",
    info: { title: "Parlance", version: "1", description, license: { name: "MIT" } },
    servers: [{ url: options.url }],
    tags: Object.entries(options.tags).map(([name, text]) => ({ name, description: text })),
    security: [{}, { apikey: [] }, { token: [] }],
  });
  const components = document.components ?? {};
  components.securitySchemes = {
    token: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A user's access token." },
    apikey: {
      type: "apiKey",
      in: "header",
      name: "apikey",
      description:
        "`sb_publishable_…` reads what is public; `sb_secret_…` may everything, and never in a browser.",
    },
  };
  components.headers = {
    RequestId: { description: "The id of this request.", schema: { type: "string" } },
    RetryAfter: { description: "Seconds after which to try again.", schema: { type: "integer" } },
  };
  document.components = components;
  for (const [method, operation, path] of listOperations(document)) {
    operation.operationId ??= nameOperation(method, path);
    addCommonParts(method, operation);
  }
  return document;
}

/** Every operation of a document with its method. */
export function* listOperations(document: Document): Generator<[string, Operation, string]> {
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of ["get", "post", "put", "patch", "delete"] as const) {
      const operation = item?.[method];
      if (operation) yield [method, operation, path];
    }
  }
}

/** `get /jobs/{id}/events` is `getJobsByIdEvents`: what generators of clients name their functions. */
function nameOperation(method: string, path: string): string {
  const words = path.replaceAll(/\{(\w+)\}/g, "by-$1").split(/[^A-Za-z0-9]+/);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function addCommonParts(method: string, operation: Operation): void {
  const responses = operation.responses ?? {};
  for (const [status, text] of Object.entries(commonProblems)) responses[status] ??= problem(text);
  const limited = responses["429"];
  if (limited && "description" in limited && limited.description !== commonProblems["429"])
    limited.description += `, or ${commonProblems["429"]}`;
  for (const response of Object.values(responses)) {
    if (!("description" in response)) continue;
    response.headers = {
      "X-Request-Id": { $ref: "#/components/headers/RequestId" },
      ...response.headers,
    };
  }
  for (const status of ["429", "503"]) {
    const response = responses[status];
    if (response && "headers" in response) {
      response.headers = { ...response.headers, "Retry-After": { $ref: "#/components/headers/RetryAfter" } };
    }
  }
  operation.responses = responses;
  if (method === "post") operation.parameters = [...(operation.parameters ?? []), idempotencyKey];
}

const commonProblems = {
  "401": "`unauthenticated`, `token_expired`: the key or token is not valid.",
  "429": "`rate_limited`: too many requests of this kind in a minute.",
  "503": "`unavailable`: something that this needs does not answer now.",
  default: "Any other error; see `code`.",
};

function problem(text: string) {
  return {
    description: text,
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header" as const,
  required: false,
  description:
    "Repeat a request with the same key and the same body, and you get the first one's answer. " +
    "409 `idempotency_in_progress` while it runs, 422 `idempotency_mismatch` with another body. An answer that shows a " +
    "secret is not kept: the request runs again, makes nothing twice, and shows another secret, which is the one in use.",
  schema: { type: "string" as const, minLength: 1, maxLength: 255 },
};
