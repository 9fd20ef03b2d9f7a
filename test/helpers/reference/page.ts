/** The whole contract as one page that needs nothing else: no network, no server, no script to be read. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Document, listRoutes, type Route } from "./document.ts";
import { type Html, html, toAnchor, toText, trust, writeInline, writeProse } from "./html.ts";
import { routeAnchor, writeBadge, writeOperation, writePath } from "./operations.ts";
import { schemaAnchor, writeSchema } from "./schemas.ts";

const readOurs = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const style = readOurs("./style.css");
const script = readOurs("./script.js");

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** What the page may do: its own style and script, and nothing from anywhere. */
const policy = [
  "default-src 'none'",
  `style-src ${hashOf(style)}`,
  `script-src ${hashOf(script)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

interface Group {
  name: string;
  description: string | undefined;
  routes: Route[];
}

export function writeReference(given: object): string {
  const document = given as Document;
  const groups = groupRoutes(document);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${document.info.title} API reference</title>
<style>${trust(style)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="frame">
<header class="side">
<p class="title"><a href="#content">${document.info.title}</a> <small>API ${document.info.version}</small></p>
${writeMenu(document, groups)}
</header>
<main id="content" tabindex="-1">
${writeOpening(document)}
<p id="nothing" role="status" hidden>Nothing here has these words.</p>
${groups.map((group) => writeGroup(document, group))}
${writeSchemas(document)}
</main>
</div>
<script>${trust(script)}</script>
</body>
</html>
`;
  return toText(page);
}

/** By tag, in the order of the tags; an operation is in the group of its first tag. */
function groupRoutes(document: Document): Group[] {
  const routes = listRoutes(document);
  const tagOf = ({ operation }: Route) => operation.tags?.[0] ?? "other";
  const described = new Map(document.tags?.map(({ name, description }) => [name, description]));
  const names = [...new Set([...described.keys(), ...routes.map(tagOf)])];
  return names
    .map((name) => ({
      name,
      description: described.get(name),
      routes: routes.filter((route) => tagOf(route) === name).sort(byPath),
    }))
    .filter((group) => group.routes.length > 0);
}

const byPath = (one: Route, other: Route) => (one.path < other.path ? -1 : one.path > other.path ? 1 : 0);

function writeMenu(document: Document, groups: Group[]): Html {
  return html`<details id="menu" open><summary>Operations</summary>
<search><label for="filter">Filter <kbd>/</kbd></label><input id="filter" type="search" autocomplete="off" spellcheck="false" placeholder="path, word or code" disabled></search>
<nav aria-label="Operations">
${groups.map(
  ({ name, routes }) => html`<section class="group"><h2><a href="#${groupAnchor(name)}">${name}</a></h2><ul>
${routes.map(
  (route) =>
    html`<li data-for="${routeAnchor(route)}"><a href="#${routeAnchor(route)}">${writeBadge(route.method)} <span class="path">${writePath(route.path)}</span></a></li>
`,
)}</ul></section>
`,
)}<section class="group"><h2><a href="#schemas">schemas</a></h2><ul>${schemaNames(document).map(
    (name) => html`<li data-for="${schemaAnchor(name)}"><a href="#${schemaAnchor(name)}">${name}</a></li>
`,
  )}</ul></section>
</nav></details>`;
}

const groupAnchor = (name: string) => toAnchor("tag", name);
const schemaNames = (document: Document) => Object.keys(document.components?.schemas ?? {}).sort();

function writeOpening(document: Document): Html {
  const schemes = Object.entries(document.components?.securitySchemes ?? {});
  return html`<section class="opening" aria-labelledby="title"><h1 id="title">${document.info.title} API</h1>
${writeProse(document.info.description)}
<dl class="facts">${(document.servers ?? []).map(
    ({ url }) => html`<div><dt>Address</dt><dd><code>${url}</code></dd></div>`,
  )}${schemes.map(
    ([name, scheme]) =>
      html`<div><dt><code>${scheme.name ?? (scheme.scheme === "bearer" ? "Authorization" : name)}</code></dt><dd>${writeInline(scheme.description ?? scheme.type)}</dd></div>`,
  )}</dl>
<pre tabindex="0"><code>import { createClient, unwrap } from "parlance/client";

const client = createClient({ url, publishableKey, accessToken });</code></pre>
</section>
`;
}

function writeGroup(document: Document, { name, description, routes }: Group): Html {
  const anchor = groupAnchor(name);
  return html`<section class="tag" id="${anchor}" aria-labelledby="${anchor}-title"><h2 id="${anchor}-title">${name}</h2>
${writeProse(description)}
${routes.map((route) => writeOperation(document, route))}</section>
`;
}

function writeSchemas(document: Document): Html {
  const schemas = document.components?.schemas ?? {};
  return html`<section class="tag" id="schemas" aria-labelledby="schemas-title"><h2 id="schemas-title">schemas</h2>
${schemaNames(document).map((name) => {
  const schema = schemas[name];
  const anchor = schemaAnchor(name);
  return html`<article class="schema" id="${anchor}"><h3><a class="anchor" href="#${anchor}">${name}</a></h3>
${writeProse(schema?.description)}${writeSchema(schema, name)}</article>
`;
})}</section>`;
}
