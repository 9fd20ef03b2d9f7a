/** Writes what is published of the routes: docs/openapi.json and the client in docs/client. */
import { writeFile } from "node:fs/promises";
import { openTestApp } from "./app.ts";
import { openapiPath, writeDocument } from "./openapi.ts";
import { writeClient } from "./published-client.ts";

const house = await openTestApp();
const { body } = await house.call("nobody", "GET", "/openapi.json");
await writeFile(openapiPath, writeDocument(body));
await house.close();
await writeClient();
