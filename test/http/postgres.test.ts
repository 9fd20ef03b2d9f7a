import { describe } from "vitest";
import { runHttpSuite } from "./suite.ts";
import { startStackTarget } from "./targets.ts";

const databaseUrl = process.env.TEST_DATABASE_URL;

describe.runIf(databaseUrl)("with TEST_DATABASE_URL", () => {
  runHttpSuite("Postgres 17 and Bun", () => startStackTarget({ databaseUrl }));
});
