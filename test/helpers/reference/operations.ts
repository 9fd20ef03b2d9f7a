/** One operation of the API: what it takes, what it answers, what can go wrong, how it is called. */
import {
  type Answer,
  type Document,
  type RequestBody,
  type Route,
  resolve,
  type Schema,
  type Security,
} from "./document.ts";
import { needsKey, writeCall, writeCurl } from "./examples.ts";
import { type Html, html, toAnchor, writeInline, writeProse } from "./html.ts";
import { join, type Row, writeSchema, writeTable, writeType } from "./schemas.ts";

const problemType = "application/problem+json";

export function routeAnchor({ method, path, operation }: Route): string {
  return toAnchor(operation.operationId ?? `${method} ${path}`);
}

export function writeBadge(method: string): Html {
  return html`<span class="method ${toAnchor(method)}">${method.toUpperCase()}</span>`;
}

/** A path that may break where it has slashes. */
export function writePath(path: string): Html {
  return html`${path.split(/(?=\/)/).map((step) => html`<wbr>${step}`)}`;
}

export function writeOperation(document: Document, route: Route): Html {
  const { method, path, operation } = route;
  const anchor = routeAnchor(route);
  return html`<article class="operation" id="${anchor}" aria-labelledby="${anchor}-title">
<h3 id="${anchor}-title"><a class="anchor" href="#${anchor}">${writeBadge(method)} <span class="path">${writePath(path)}</span></a></h3>
<p class="summary">${writeInline(operation.summary ?? "")}${
    operation.deprecated === true && html` <strong>Deprecated.</strong>`
  }</p>
${writeProse(operation.description)}
<p class="auth"><span class="label">Keys</span> ${writeSecurity(document, route)}</p>
${writeParameters(route)}
${writeBody(document, route)}
${writeAnswers(document, route)}
${writeProblems(document, route)}
${writeExamples(document, route)}
</article>
`;
}

function writeSecurity(document: Document, { operation }: Route): Html {
  const choices = operation.security ?? document.security ?? [];
  if (choices.length === 0) return html`none needed`;
  const named = choices.map((choice) => nameSecurity(document, choice)).filter((name) => name !== undefined);
  const isOptional = named.length < choices.length;
  return html`${join(named, html` or `)}${isOptional && "; without either, only what is public"}`;
}

function nameSecurity(document: Document, choice: Security): Html | undefined {
  const names = Object.keys(choice);
  if (names.length === 0) return undefined;
  const written = names.map((name) => {
    const scheme = document.components?.securitySchemes?.[name];
    const header = scheme?.scheme === "bearer" ? "Authorization: Bearer" : (scheme?.name ?? name);
    return html`<code>${header}</code>`;
  });
  return join(written, html` with `);
}

function writeParameters({ parameters }: Route): Html | undefined {
  if (parameters.length === 0) return undefined;
  const rows = parameters.map(
    ({ name, required, schema, description, in: place }): Row => ({
      name,
      isRequired: required ?? false,
      schema: schema ?? {},
      description,
      place,
    }),
  );
  // What has to be sent comes first.
  rows.sort((one, other) => Number(other.isRequired) - Number(one.isRequired));
  return html`<h4>Parameters</h4>${writeTable("Parameters", rows)}`;
}

function writeBody(document: Document, { operation }: Route): Html | undefined {
  if (!operation.requestBody) return undefined;
  const body = resolve<RequestBody>(document, operation.requestBody);
  const kinds = Object.entries(body.content);
  return html`<h4>Body</h4>${writeProse(body.description)}${kinds.map(([type, { schema }]) => {
    const shape = schema && resolve<Schema>(document, schema);
    return html`<p class="media"><code>${type}</code> ${schema?.$ref && writeType(schema)}</p>${writeSchema(shape, `Body, ${type}`)}`;
  })}`;
}

function listAnswers(document: Document, { operation }: Route): [string, Answer][] {
  const answers = Object.entries(operation.responses ?? {});
  return answers.map(([status, answer]) => [status, resolve<Answer>(document, answer)]);
}

const isProblem = ({ content }: Answer) => content?.[problemType] !== undefined;

function writeAnswers(document: Document, route: Route): Html {
  const answers = listAnswers(document, route).filter(([, answer]) => !isProblem(answer));
  return html`<h4>Answers</h4>${answers.map(([status, answer]) => {
    const kinds = Object.entries(answer.content ?? {});
    return html`<div class="answer"><p><strong class="status">${status}</strong> ${writeInline(answer.description ?? "")}</p>
${kinds.map(
  ([type, { schema }]) =>
    html`${type !== "application/json" && html`<p class="media"><code>${type}</code></p>`}${writeSchema(schema, `Answer ${status}`)}`,
)}${writeHeaders(document, answer)}</div>
`;
  })}`;
}

/** Those that not every answer bears. */
function writeHeaders(document: Document, answer: Answer): Html {
  const headers = Object.entries(answer.headers ?? {}).filter(([name]) => name !== "X-Request-Id");
  return html`${headers.map(([name, header]) => {
    const { description = "" } = resolve(document, header);
    return html`<p class="media">Header <code>${name}</code> ${writeInline(description)}</p>`;
  })}`;
}

function writeProblems(document: Document, route: Route): Html | undefined {
  const problems = listAnswers(document, route).filter(([, answer]) => isProblem(answer));
  if (problems.length === 0) return undefined;
  return html`<details class="problems"><summary>Problems <span class="codes">${problems
    .map(([status]) => status)
    .filter((status) => status !== "default")
    .join(" ")}</span></summary><dl>${problems.map(
    ([status, { description }]) =>
      html`<div><dt class="status">${status}</dt><dd>${writeInline(description ?? "")}</dd></div>`,
  )}</dl></details>`;
}

function writeExamples(document: Document, route: Route): Html {
  const keys = needsKey(document, route);
  return html`<details class="examples"><summary>Examples</summary>
<p class="media">TypeScript, with <code>parlance/client</code></p>
<pre tabindex="0"><code>${writeCall(document, route)}</code></pre>
<p class="media">curl${keys && html`; <code>$KEY</code> and <code>$TOKEN</code> are yours`}</p>
<pre tabindex="0"><code>${writeCurl(document, route)}</code></pre></details>`;
}
