import { describe } from "vitest";
import { runHttpSuite } from "./suite.ts";
import { startDenoTarget } from "./targets.ts";

const databaseUrl = process.env.TEST_DATABASE_URL ?? "";
const deno = process.env.DENO_BINARY ?? "";

describe.runIf(databaseUrl && deno)("with TEST_DATABASE_URL and DENO_BINARY", () => {
  runHttpSuite("Postgres 17 and Deno 2.1", () => startDenoTarget({ databaseUrl, deno }));
});
