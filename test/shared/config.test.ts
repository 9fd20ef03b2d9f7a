import { expect, test } from "vitest";
import {
  integerSetting,
  readSettings,
  SettingsError,
  setting,
  supabaseSettings,
} from "../../shared/config.ts";

const shape = {
  ...supabaseSettings,
  PAGE_SIZE: integerSetting({ min: 1, max: 100, unit: "rows" }).default(50),
  COLOUR: setting("red or blue", (text) => ["red", "blue"].find((colour) => colour === text)),
};

const good = {
  SUPABASE_URL: "http://127.0.0.1:54321/",
  SUPABASE_DB_URL: "postgres://owner:hunter2@127.0.0.1:5432/postgres",
  SUPABASE_PUBLISHABLE_KEYS:
    '{"default":"sb_publishable_0123456789abcdef","web":"sb_publishable_fedcba9876543210"}',
  SUPABASE_SECRET_KEY: "sb_secret_0123456789abcdef0123",
  COLOUR: "red",
};

function read(environment: Record<string, string | undefined>): string {
  try {
    readSettings(shape, environment);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return String(error);
  }
}

test("settings are read with their defaults, keys as a dictionary or one by one", () => {
  expect(readSettings(shape, good)).toEqual({
    SUPABASE_URL: "http://127.0.0.1:54321",
    SUPABASE_DB_URL: good.SUPABASE_DB_URL,
    SUPABASE_PUBLISHABLE_KEYS: [
      { name: "default", key: "sb_publishable_0123456789abcdef" },
      { name: "web", key: "sb_publishable_fedcba9876543210" },
    ],
    SUPABASE_SECRET_KEYS: [{ name: "default", key: good.SUPABASE_SECRET_KEY }],
    PAGE_SIZE: 50,
    COLOUR: "red",
  });
});

test("everything that is wrong or missing is told at once, by name and with what is expected", () => {
  const told = read({
    SUPABASE_URL: "127.0.0.1",
    PAGE_SIZE: "101",
    COLOUR: "green",
    SUPABASE_SECRET_KEYS: "[]",
  });
  expect(told.split("\n").slice(1).sort()).toEqual([
    "  COLOUR is wrong; expected red or blue",
    "  PAGE_SIZE is wrong; expected a whole number of rows from 1 to 100",
    "  SUPABASE_DB_URL is missing; expected a URL that begins with postgres:// or postgresql://",
    expect.stringMatching(/^ {2}SUPABASE_PUBLISHABLE_KEYS is missing; .*SUPABASE_PUBLISHABLE_KEY/),
    expect.stringMatching(/^ {2}SUPABASE_SECRET_KEYS is wrong; /),
    "  SUPABASE_URL is wrong; expected a URL that begins with http:// or https://",
  ]);
});

test("an empty value counts as none", () => {
  expect(readSettings(shape, { ...good, PAGE_SIZE: "" }).PAGE_SIZE).toBe(50);
  expect(read({ ...good, COLOUR: "  " })).toContain("COLOUR is missing");
});

test.each([
  ["SUPABASE_URL", "http://user:hunter2@host"],
  ["SUPABASE_URL", "ftp://hunter2.example.com"],
  ["SUPABASE_DB_URL", "mysql://root:hunter2@host/db"],
  ["SUPABASE_SECRET_KEYS", '{"default":"hunter2"}'],
  ["SUPABASE_SECRET_KEYS", "hunter2"],
  ["SUPABASE_PUBLISHABLE_KEYS", '{"default":"sb_secret_hunter2hunter2hunter2"}'],
  ["PAGE_SIZE", "hunter2"],
  ["COLOUR", "hunter2"],
])("a wrong %s is named, and its value is not told", (name, value) => {
  const told = read({ ...good, [name]: value });
  expect(told).toContain(`${name} is wrong`);
  expect(told).not.toContain("hunter2");
});

test.each(["0", "-1", "1.5", "1e2", "0x10", "١", "9".repeat(30), "1 000"])(
  "%j is no whole number from 1 to 100",
  (text) => {
    expect(read({ ...good, PAGE_SIZE: text })).toContain("PAGE_SIZE is wrong");
  },
);
