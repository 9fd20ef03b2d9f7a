import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestApp } from "../helpers/app.ts";
import { referencePath, writeDocument } from "../helpers/openapi.ts";
import { type Document, listRoutes } from "../helpers/reference/document.ts";
import { writeCurl } from "../helpers/reference/examples.ts";
import { writeReference } from "../helpers/reference/page.ts";
import { type OpenStack, openStack } from "../http/targets.ts";

const pageBytesMax = 1_000_000;

let document: Document;
let page: string;
let read: Read;
beforeAll(async () => {
  const house = await openTestApp();
  const { body } = await house.call("nobody", "GET", "/openapi.json");
  await house.close();
  document = JSON.parse(writeDocument(body));
  page = writeReference(document);
  read = await readPage(page);
});

interface Read {
  /** Every element, by its name. */
  elements: string[];
  attributes: { element: string; name: string; value: string }[];
  text: string;
}

/** The page as a browser takes it apart. */
async function readPage(html: string): Promise<Read> {
  const found: Read = { elements: [], attributes: [], text: "" };
  const reader = new HTMLRewriter().on("*", {
    element(element) {
      found.elements.push(element.tagName);
      for (const [name = "", value = ""] of element.attributes) {
        found.attributes.push({ element: element.tagName, name, value });
      }
    },
    text(chunk) {
      found.text += chunk.text;
    },
  });
  await reader.transform(new Response(html)).text();
  return found;
}

const valuesOf = (name: string) =>
  read.attributes.filter((attribute) => attribute.name === name).map(({ value }) => value);

test("docs/reference.html is the page of these routes; `bun run openapi` writes it", async () => {
  expect(await readFile(referencePath, "utf8")).toBe(page);
});

test(`it is one file below ${pageBytesMax} bytes that loads nothing`, () => {
  expect(Buffer.byteLength(page)).toBeLessThan(pageBytesMax);
  expect(valuesOf("src")).toEqual([]);
  expect(valuesOf("href").filter((href) => !href.startsWith("#"))).toEqual([]);
  for (const loading of ["link", "img", "iframe", "object", "embed", "base", "form", "svg"]) {
    expect(read.elements).not.toContain(loading);
  }
  const style = page.slice(page.indexOf("<style>"), page.indexOf("</style>"));
  expect(style).not.toMatch(/@import|url\(/);
});

test("its policy allows its own style and script and nothing else", () => {
  const policy = read.attributes
    .find(({ value }) => value.startsWith("default-src"))
    ?.value.replaceAll("&#39;", "'");
  const hash = (element: string) => {
    const [, text = ""] = new RegExp(`<${element}>([\\s\\S]*?)</${element}>`).exec(page) ?? [];
    return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  };
  expect(policy?.split("; ")).toEqual([
    "default-src 'none'",
    `style-src ${hash("style")}`,
    `script-src ${hash("script")}`,
    "base-uri 'none'",
    "form-action 'none'",
  ]);
  expect(read.attributes.filter(({ name }) => name === "style" || name.startsWith("on"))).toEqual([]);
});

test("every operation and every schema has a place of its own, and every link leads to one", () => {
  const ids = valuesOf("id");
  expect(new Set(ids).size).toBe(ids.length);
  const links = valuesOf("href").map((href) => href.slice(1));
  expect(links.filter((link) => !ids.includes(link))).toEqual([]);
  for (const { operation } of listRoutes(document)) {
    expect(ids).toContain(operation.operationId);
    expect(links).toContain(operation.operationId);
  }
  for (const name of Object.keys(document.components?.schemas ?? {})) expect(ids).toContain(`schema-${name}`);
});

test("it tells every path, parameter, field, limit and code of the document", () => {
  const words = read.text.replaceAll(/&#39;|&quot;|&amp;|&lt;|&gt;/g, (entity) => entities[entity] ?? "");
  const told = (text: string) => expect(words, text).toContain(text);
  for (const { path, parameters, operation } of listRoutes(document)) {
    told(path);
    told(operation.summary ?? "?");
    for (const { name } of parameters) told(name);
  }
  const codes: unknown = document.components?.schemas?.Problem?.properties?.code?.enum;
  for (const code of codes as string[]) told(code);
  for (const schema of Object.values(document.components?.schemas ?? {})) {
    for (const name of Object.keys(schema.properties ?? {})) told(name);
  }
  told("1 to 200 characters");
  told("default 25");
});

test("it can be walked by ear: one heading for the page, landmarks, and a name for each of them", () => {
  for (const once of ["h1", "main", "nav", "header", "search"]) {
    expect(read.elements.filter((element) => element === once)).toHaveLength(1);
  }
  expect(read.attributes).toContainEqual({ element: "html", name: "lang", value: "en" });
  expect(read.attributes).toContainEqual({ element: "label", name: "for", value: "filter" });
  expect(read.attributes).toContainEqual({ element: "nav", name: "aria-label", value: "Operations" });
  const labelled = valuesOf("aria-labelledby");
  expect(labelled.filter((id) => !valuesOf("id").includes(id))).toEqual([]);
});

const entities: Record<string, string> = {
  "&#39;": "'",
  "&quot;": '"',
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
};

describe("a document that wants to be more than text", () => {
  const attack = `"'></code></script></style><script>steal()</script><img src=x onerror=steal()>\`<b>\``;
  const schema = {
    type: "object",
    description: attack,
    required: [attack],
    properties: {
      [attack]: { type: attack, format: attack, description: attack, default: attack, pattern: attack },
      values: { enum: [attack], description: "x" },
      again: { $ref: "#/components/schemas/Loop" },
    },
  };
  const hostile = {
    openapi: "3.1.0",
    info: { title: attack, version: attack, description: attack },
    servers: [{ url: `https://a/${attack}` }],
    tags: [{ name: attack, description: attack }],
    components: {
      schemas: { Loop: schema, [attack]: schema },
      securitySchemes: { [attack]: { type: attack, name: attack, description: attack } },
    },
    security: [{ [attack]: [] }],
    paths: {
      [`/${attack}/{${attack}}`]: {
        post: {
          operationId: attack,
          tags: [attack],
          summary: attack,
          description: attack,
          parameters: [
            { name: attack, in: "path", required: true, description: attack, schema: { type: "string" } },
          ],
          requestBody: { description: attack, content: { [attack]: { schema } } },
          responses: {
            [attack]: {
              description: attack,
              headers: { [attack]: { description: attack } },
              content: { [attack]: { schema } },
            },
            400: { description: attack, content: { "application/problem+json": { schema } } },
          },
        },
      },
    },
  };

  test("stays text, wherever it stands", async () => {
    const made = await readPage(writeReference(hostile));
    expect(made.elements.filter((element) => element === "script")).toHaveLength(1);
    expect(made.elements.filter((element) => element === "style")).toHaveLength(1);
    for (const foreign of ["img", "b"]) expect(made.elements).not.toContain(foreign);
    expect(made.attributes.filter(({ name }) => name.startsWith("on") || name === "src")).toEqual([]);
    const links = made.attributes.filter(({ name }) => name === "href").map(({ value }) => value);
    expect(links.every((link) => /^#[A-Za-z0-9-]*$/.test(link))).toBe(true);
    expect(made.text).toContain("&lt;img src=x");
  });

  test("cannot leave the quotes of a shell", async () => {
    const path = "/a'$(touch stolen)'/{id}";
    const body = {
      content: { "application/json": { schema: { type: "object", properties: { "it's": {} } } } },
    };
    const given = {
      ...hostile,
      servers: [{ url: "http://a" }],
      paths: { [path]: { post: { requestBody: body } } },
    };
    const [route] = listRoutes(given as unknown as Document);
    if (!route) throw new Error("no route");
    const command = writeCurl(given as unknown as Document, route).replace(/^curl/, "printf '%s\\n'");
    const shell = Bun.spawn(["sh", "-c", command], { stdout: "pipe", env: { PATH: process.env.PATH } });
    const words = (await new Response(shell.stdout).text()).split("\n");
    expect(words).toContain("http://a/a'$(touch stolen)'/id");
    expect(words).toContain(`{"it's":"it's"}`);
  });
});

describe("the embedded mode", () => {
  let house: OpenStack;
  beforeAll(async () => {
    house = await openStack(undefined, { SIDECAR: "false" });
  }, 120_000);
  afterAll(() => house?.close());
  const ask = (init?: RequestInit) => fetch(`${house.stack.publicUrl}/reference`, init);

  test("serves the page with its policy, and lets no other page frame it", async () => {
    const response = await ask();
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).toBe(await readFile(referencePath, "utf8"));
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; /);
    expect(policy).toMatch(/; frame-ancestors 'none'$/);
    expect(policy).not.toMatch(/unsafe|\*|http/);
  });

  test("answers HEAD without the page, and takes nothing else", async () => {
    const head = await ask({ method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const post = await ask({ method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    expect((await fetch(`${house.stack.publicUrl}/reference/more`)).status).toBe(404);
  });
});
