import { fileURLToPath } from "node:url";

/** Where the contract is kept, to be read without running anything and to see it change. */
export const openapiPath = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));
/** The same to be read by people, as a page. */
export const referencePath = fileURLToPath(new URL("../../docs/reference.html", import.meta.url));

/** The text of docs/openapi.json: as the embedded mode serves it, wherever the test ran. */
export function writeDocument(document: object): string {
  const served = { ...document, servers: [{ url: "http://127.0.0.1:54321/functions/v1/api" }] };
  return `${JSON.stringify(served, null, 2)}\n`;
}
