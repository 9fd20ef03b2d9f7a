/** Writes docs/openapi.json from the app. */
import { writeFile } from "node:fs/promises";
import { openTestApp } from "./app.ts";
import { openapiPath, writeDocument } from "./openapi.ts";

const house = await openTestApp();
const { body } = await house.call("nobody", "GET", "/openapi.json");
await writeFile(openapiPath, writeDocument(body));
await house.close();
