/** Writes what is published of the routes: docs/openapi.json, the page docs/reference.html and docs/client. */
import { writeFile } from "node:fs/promises";
import { openTestApp } from "./app.ts";
import { openapiPath, referencePath, writeDocument } from "./openapi.ts";
import { writeClient } from "./published-client.ts";
import { writeReference } from "./reference/page.ts";

const house = await openTestApp();
const { body } = await house.call("nobody", "GET", "/openapi.json");
const text = writeDocument(body);
await writeFile(openapiPath, text);
await writeFile(referencePath, writeReference(JSON.parse(text)));
await house.close();
await writeClient();
