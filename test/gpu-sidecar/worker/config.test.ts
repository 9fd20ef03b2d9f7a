import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readSidecarConfig } from "../../../gpu-sidecar/config.ts";
import { SettingsError } from "../../../shared/config.ts";

const secret = "sb_secret_0123456789abcdefghijklmn";
const least = {
  SUPABASE_URL: "http://127.0.0.1:54321/",
  SUPABASE_SECRET_KEY: secret,
  SUPABASE_DB_URL: "postgres://parlance_sidecar@127.0.0.1:5432/postgres",
};

describe("the settings of a sidecar", () => {
  test("need a project, a key and a database; the rest has defaults", () => {
    expect(readSidecarConfig(least)).toEqual({
      supabaseUrl: "http://127.0.0.1:54321",
      secretKey: secret,
      databaseUrl: least.SUPABASE_DB_URL,
      listens: true,
      databasePatienceMs: 120_000,
      devices: undefined,
      cudaVisible: undefined,
      modelsFolder: resolve(".parlance/models"),
      modelThreads: availableParallelism(),
      modelIdleMs: 900_000,
      gpuStatsMs: 10_000,
      slots: { interactive: 8, bulk: 4 },
      leaseSeconds: 30,
      drainMs: 10_000,
      pixelsMax: 100_000_000,
      uploadBytesMax: 26_214_400,
      webhookTargets: "public",
      mail: undefined,
      logLevel: "info",
    });
  });

  test("take a database URL of the sidecar's own before the project's", () => {
    const own = "postgresql://parlance_sidecar:x@db.example.com:5432/postgres";
    expect(readSidecarConfig({ ...least, SIDECAR_DB_URL: own }).databaseUrl).toBe(own);
    expect(readSidecarConfig({ ...least, SIDECAR_DB_URL: " " }).databaseUrl).toBe(least.SUPABASE_DB_URL);
  });

  test("say how mail is sent: by a server, with what its URL holds", () => {
    const mail = {
      SMTP_URL: "smtps://alerts%40example.com:p%2Fw@mail.example.com",
      MAIL_FROM: "a@example.com",
    };
    const server = { host: "mail.example.com", port: 465, user: "alerts@example.com", password: "p/w" };
    const from = { name: "", address: "a@example.com" };
    expect(readSidecarConfig({ ...least, ...mail }).mail).toEqual({ from, server });
    const named = { SMTP_URL: `${mail.SMTP_URL}:465`, MAIL_FROM: "Parlance, alerts <a@example.com>" };
    expect(() => readSidecarConfig({ ...least, ...named })).toThrow(/MAIL_FROM is wrong/);
    expect(
      readSidecarConfig({ ...least, ...named, MAIL_FROM: '"Parlance, alerts" <a@example.com>' }).mail,
    ).toEqual({
      from: { name: "Parlance, alerts", address: "a@example.com" },
      server,
    });
    expect(
      readSidecarConfig({ ...least, SMTP_URL: "smtps://127.0.0.1", MAIL_FROM: "a@example.com" }).mail,
    ).toEqual({
      from,
      server: { host: "127.0.0.1", port: 465, user: "", password: "" },
    });
  });

  test("or by a service", () => {
    const mail = {
      MAIL_API_URL: "https://api.resend.com/emails",
      MAIL_API_KEY: "re_1",
      MAIL_FROM: "Parlance <a@example.com>",
    };
    expect(readSidecarConfig({ ...least, ...mail }).mail).toEqual({
      from: { name: "Parlance", address: "a@example.com" },
      api: { url: "https://api.resend.com/emails", key: "re_1" },
    });
  });

  test.each([
    [
      { SMTP_URL: "smtp://u:p@mail.example.com" },
      /SMTP_URL is wrong.*465.*TLS from the first byte.*25 and 587/,
    ],
    [{ SMTP_URL: "smtps://u:p@mail.example.com:587" }, /SMTP_URL is wrong.*25 and 587/],
    [{ SMTP_URL: "smtps://u:p@mail.example.com:25" }, /SMTP_URL is wrong/],
    [{ SMTP_URL: "smtps://u@mail.example.com" }, /SMTP_URL is wrong/],
    [{ SMTP_URL: "smtps://u:p@mail.example.com/?tls=no" }, /SMTP_URL is wrong/],
    [{ SMTP_URL: "smtps://u:p@mail.example.com", MAIL_FROM: "" }, /MAIL_FROM is missing/],
    [{ MAIL_API_URL: "http://api.example.com/emails", MAIL_API_KEY: "k" }, /MAIL_API_URL is wrong/],
    [{ MAIL_API_URL: "https://api.example.com/emails" }, /MAIL_API_KEY is missing/],
    [{ MAIL_API_KEY: "k" }, /MAIL_API_URL is missing/],
    [
      { SMTP_URL: "smtps://m.example.com", MAIL_API_URL: "https://a.example.com", MAIL_API_KEY: "k" },
      /set one of them/,
    ],
    [{ MAIL_FROM: "nobody" }, /MAIL_FROM is wrong/],
    [{ MAIL_FROM: "a@example.com\r\nBcc: b@example.com" }, /MAIL_FROM is wrong/],
  ])("refuse mail by %j", (mail, message) => {
    const reading = () => readSidecarConfig({ ...least, MAIL_FROM: "a@example.com", ...mail });
    expect(reading).toThrow(SettingsError);
    expect(reading).toThrow(message);
    expect(reading).not.toThrow(/u:p|mail\.example|api\.example|Bcc/);
  });

  test("take the default of several keys", () => {
    const keys = JSON.stringify({ sidecar: `${secret}1`, default: secret });
    const { SUPABASE_SECRET_KEY: _, ...rest } = least;
    expect(readSidecarConfig({ ...rest, SUPABASE_SECRET_KEYS: keys }).secretKey).toBe(secret);
  });

  test.each([
    ["cpu", ["cpu"]],
    ["cuda", ["cuda:0"]],
    ["webgpu", ["webgpu"]],
    ["cuda:0,cuda:1", ["cuda:0", "cuda:1"]],
    [" cuda:0 , cuda:0 , cpu ", ["cuda:0", "cuda:0", "cpu"]],
    ["", undefined],
  ])("read DEVICES=%s as a slot each", (text, devices) => {
    expect(readSidecarConfig({ ...least, DEVICES: text }).devices).toEqual(devices);
  });

  test.each([
    ["SUPABASE_URL", "localhost:54321"],
    ["SIDECAR_DB_URL", "mysql://127.0.0.1/x"],
    ["DEVICES", "gpu"],
    ["DEVICES", "cuda:0|cpu"],
    ["DEVICES", "cuda:x"],
    ["DEVICES", "cuda:-1"],
    ["DEVICES", "cpu,,cpu"],
    ["DEVICES", Array.from({ length: 65 }, () => "cpu").join()],
    ["MODEL_IDLE_SECONDS", "never"],
    ["GPU_STATS_SECONDS", "0"],
    ["MODEL_THREADS", "0"],
    ["SLOTS_BULK", "65"],
    ["SLOTS_INTERACTIVE", "-1"],
    ["LEASE_SECONDS", "2"],
    ["DRAIN_SECONDS", "ten"],
    ["DATABASE_PATIENCE_SECONDS", "0"],
    ["PIXELS_MAX", "1e9"],
    ["UPLOAD_BYTES_MAX", "1"],
    ["LISTEN", "yes"],
    ["LOG_LEVEL", "loud"],
  ])("refuse %s=%s by its name, without its value", (name, value) => {
    const read = () => readSidecarConfig({ ...least, [name]: value });
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(`  ${name} is wrong`);
    expect(read).not.toThrow(value.length > 4 ? value : "no such text");
  });

  test.each(["SUPABASE_URL", "SUPABASE_SECRET_KEY", "SUPABASE_DB_URL"])("are refused without %s", (name) => {
    expect(() => readSidecarConfig({ ...least, [name]: undefined })).toThrow(SettingsError);
  });
});
