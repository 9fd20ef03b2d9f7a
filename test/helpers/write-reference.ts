/** Writes docs/reference.html from docs/openapi.json. */
import { readFile, writeFile } from "node:fs/promises";
import { openapiPath, referencePath } from "./openapi.ts";
import { writeReference } from "./reference/page.ts";

await writeFile(referencePath, writeReference(JSON.parse(await readFile(openapiPath, "utf8"))));
