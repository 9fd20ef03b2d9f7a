import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SettingsError } from "../shared/config.ts";
import { readLocalConfig } from "../supabase/local/config.ts";
import { readAllSettings } from "../supabase/local/environment.ts";

const root = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The names that the tables of settings in the configs hold. */
function listSettings(): string[] {
  const configs = ["shared/config.ts", "edge/config.ts", "gpu-sidecar/config.ts", "supabase/local/config.ts"];
  return configs.flatMap((path) =>
    [...read(path).matchAll(/^ {2}([A-Z][A-Z0-9_]+):/gm)].map((match) => match[1] ?? ""),
  );
}

test(".env.example names every setting, and nothing that is none", () => {
  const named = [...read(".env.example").matchAll(/^# ([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1] ?? "");
  expect([...new Set(named)].toSorted()).toEqual([...new Set(listSettings())].toSorted());
});

test.each([
  [{ PORT: "80a" }, /PORT is wrong; expected a whole number/],
  [{ PORT: "70000" }, /PORT is wrong/],
  [{ DATABASE_URL: "mysql://x" }, /DATABASE_URL is wrong; expected a URL that begins with postgres/],
  [{ PUBLIC_URL: "example.com" }, /PUBLIC_URL is wrong/],
  [{ SAMPLES: "maybe" }, /SAMPLES is wrong; expected true or false/],
  [{ SIDECAR: "none" }, /SIDECAR is wrong; expected true or false/],
])("%j is refused by its name", (environment, message) => {
  expect(() => readLocalConfig(environment)).toThrow(message);
});

test("everything wrong is told at once, and no value is", () => {
  const environment = { PORT: "secret-1", DATABASE_URL: "secret-2" };
  expect(() => readLocalConfig(environment)).toThrow(/PORT[\s\S]*DATABASE_URL|DATABASE_URL[\s\S]*PORT/);
  expect(() => readLocalConfig(environment)).not.toThrow(/secret-/);
});

test("a start is told what is wrong in the settings of any part, each once", () => {
  const environment = { PORT: "x", RATE_LIMIT_READ: "0", SLOTS_BULK: "none", LOG_LEVEL: "loud" };
  expect(() => readAllSettings(environment)).toThrow(
    new SettingsError([
      "PORT is wrong; expected a whole number from 0 to 65535",
      "LOG_LEVEL is wrong; expected one of debug, info, warn, error",
      "RATE_LIMIT_READ is wrong; expected a whole number of requests a minute from 1 to 1000000",
      "SLOTS_BULK is wrong; expected a whole number of jobs from 1 to 64",
    ]),
  );
});

test("a setting that is there but empty is as one that is not there", () => {
  const empty = { PORT: "", ALLOWED_ORIGINS: "", SIDECAR_DB_URL: "", JWT_ISSUER: " " };
  expect(readAllSettings(empty)).toMatchObject({ port: 54_321, databaseUrl: undefined });
});
