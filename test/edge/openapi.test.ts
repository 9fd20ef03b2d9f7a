import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestApp, type TestApp } from "../helpers/app.ts";
import { openapiPath, writeDocument } from "../helpers/openapi.ts";

interface Operation {
  summary?: string;
  operationId?: string;
  tags?: string[];
  parameters?: { name: string; in: string; schema?: object }[];
  requestBody?: object;
  responses: Record<
    string,
    { description?: string; content?: Record<string, { schema?: { $ref?: string } }> }
  >;
}

let house: TestApp;
// biome-ignore lint/suspicious/noExplicitAny: the document is walked as JSON.
let document: any;
let operations: { name: string; method: string; path: string; operation: Operation }[];
beforeAll(async () => {
  house = await openTestApp();
  document = (await house.call("nobody", "GET", "/openapi.json")).body;
  operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      name: `${method} ${path}`,
      method,
      path,
      operation,
    })),
  );
});
afterAll(() => house.close());

test("it is OpenAPI 3.1 and says where the API is", () => {
  expect(document.openapi).toBe("3.1.0");
  expect(document.servers).toEqual([{ url: `${house.config.publicUrl}/functions/v1/api` }]);
  expect(Object.keys(document.components.securitySchemes).sort()).toEqual(["apikey", "token"]);
});

test("every route is in it, and nothing that is no route", () => {
  const routes = house.app.routes
    .filter(({ method }) => method !== "ALL")
    .map(
      ({ method, path }) =>
        `${method.toLowerCase()} ${path.replace(/^\/api/, "").replace(/:(\w+)/g, "{$1}")}`,
    );
  expect(operations.map(({ name }) => name).sort()).toEqual([...new Set(routes)].sort());
});

test("every operation has a name of its own, a summary and a known tag", () => {
  const tags = document.tags.map(({ name }: { name: string }) => name);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(operations.length);
  for (const { name, operation } of operations) {
    expect(operation.summary, name).toBeTruthy();
    expect(operation.tags, name).toHaveLength(1);
    expect(tags, name).toContain(operation.tags?.[0]);
  }
});

test("every operation tells its success and every problem as the same schema", () => {
  for (const { name, operation } of operations) {
    const entries = Object.entries(operation.responses);
    expect(entries.filter(([status]) => /^2\d\d$/.test(status)).length, name).toBeGreaterThan(0);
    for (const status of ["401", "429", "503", "default"])
      expect(operation.responses, name).toHaveProperty(status);
    for (const [status, response] of entries) {
      expect(response.description, `${name} ${status}`).toBeTruthy();
      const isProblem = !/^2/.test(status) && name !== "get /ready";
      if (!isProblem) continue;
      expect(Object.keys(response.content ?? {}), `${name} ${status}`).toEqual(["application/problem+json"]);
      expect(response.content?.["application/problem+json"]?.schema?.$ref).toBe(
        "#/components/schemas/Problem",
      );
    }
  }
});

test("every operation may be limited, and those whose caller can have too much of a thing say so too", async () => {
  const describe429 = (operation: Operation) => operation.responses["429"]?.description;
  const rate = "`rate_limited`: too many requests of this kind in a minute.";
  const quota = `\`quota_exceeded\`, or ${rate}`;
  const names = operations
    .filter(({ operation }) => describe429(operation) === quota)
    .map(({ name }) => name)
    .toSorted();
  expect(names).toEqual([
    "post /alerts/silences",
    "post /images",
    "post /images/search",
    "post /images/{id}/completion",
    "post /interactions",
    "post /interactions/bulk",
    "post /interactions/deletions",
    "post /interactions/imports",
    "post /interactions/imports/{id}/completion",
    "post /jobs",
    "post /jobs/schedules/{name}/runs",
    "post /otlp/v1/traces",
    "post /rules",
    "post /rules/back-tests",
    "post /webhooks",
    "post /webhooks/{id}/deliveries/{deliveryId}/redelivery",
    "post /webhooks/{id}/test",
  ]);
  for (const { name, operation } of operations)
    if (!names.includes(name)) expect(describe429(operation), name).toBe(rate);
  expect((await house.call("nobody", "GET", "/openapi.json")).body).toEqual(document);
});

test("every parameter of a path is described, and every POST takes an Idempotency-Key", () => {
  for (const { name, method, path, operation } of operations) {
    const described = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
    expect(
      described.map((parameter) => parameter.name),
      name,
    ).toEqual(inPath);
    for (const parameter of operation.parameters ?? []) expect(parameter.schema, name).toBeDefined();
    const headers = (operation.parameters ?? []).filter((parameter) => parameter.in === "header");
    expect(
      headers.map((header) => header.name),
      name,
    ).toEqual(method === "post" ? ["Idempotency-Key"] : []);
  }
});

test("every reference leads somewhere, and every part is used", () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] ?? ""));
  for (const reference of references) {
    const target = reference.split("/").reduce((part, key) => part?.[key], document);
    expect(target, reference).toBeDefined();
  }
  for (const [kind, parts] of Object.entries<object>(document.components)) {
    if (kind === "securitySchemes") continue;
    for (const part of Object.keys(parts)) expect(references).toContain(`components/${kind}/${part}`);
  }
});

test("every pattern is one that other languages read: without slashes and flags", () => {
  const patterns = [...JSON.stringify(document).matchAll(/"pattern":("(?:[^"\\]|\\.)*")/g)].map(
    ([, text]) => JSON.parse(text ?? "") as string,
  );
  expect(patterns.length).toBeGreaterThan(0);
  expect(patterns.filter((pattern) => /\/[a-z]*$/.test(pattern) || /\\p\{/i.test(pattern))).toEqual([]);
});

test("every code of a problem is in the schema", async () => {
  const { errorStatuses } = await import("../../shared/errors.ts");
  expect(document.components.schemas.Problem.properties.code.enum.toSorted()).toEqual(
    Object.keys(errorStatuses).toSorted(),
  );
});

test("docs/openapi.json is this document; `bun run openapi` writes it", async () => {
  expect(await readFile(openapiPath, "utf8")).toBe(writeDocument(document));
});
