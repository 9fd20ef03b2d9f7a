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
