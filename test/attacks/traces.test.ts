import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "../helpers/until.ts";
import { drawJpeg, openRig, type Rig } from "./rig.ts";

/** What operators are told, in traces, figures and the log, bears nothing of what people asked, sent or are. */
let rig: Rig;
let collector: ReturnType<typeof Bun.serve>;
const exported: string[] = [];

const secretWords = ["zanzibar", "quagmire", "Velociraptor", "xenolith"];

beforeAll(async () => {
  collector = Bun.serve({
    port: 0,
    async fetch(request) {
      exported.push(await request.text());
      return Response.json({});
    },
  });
  rig = await openRig({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.port}`,
    SEARCH_LOG_SHARE: "100",
  });
});
afterAll(async () => {
  await rig?.close();
  await collector?.stop(true);
});

async function doEverything() {
  const form = new FormData();
  form.set("file", new File([new Uint8Array(await drawJpeg())], "velociraptor.jpg"));
  form.set("title", "Velociraptor");
  form.set("keywords", "xenolith");
  const { body } = await rig.call(rig.alice, "POST", "/images", { body: form });
  await rig.follow(rig.alice, body.job.id);
  await rig.call(rig.alice, "GET", "/images/search?q=zanzibar&minus=quagmire&keyword=xenolith");
  await rig.call(rig.alice, "GET", "/images/search?q=blue+zanzibar&takenAfter=quagmire");
  await rig.call(rig.alice, "GET", `/images/${body.image.id}/similar?minus=quagmire`);
  await rig.call(rig.alice, "GET", "/images/zanzibar");
  await rig.call("nobody", "GET", "/images/search?q=quagmire", {
    headers: { authorization: "Bearer zanzibar.quagmire.xenolith" },
  });
  await rig.upload(rig.alice, new TextEncoder().encode("quagmire"));
  const broken = await rig.upload(rig.alice, (await drawJpeg()).subarray(0, 200));
  if (broken.status === 202) await rig.follow(rig.alice, broken.body.job.id);
  const asked = new FormData();
  asked.set("file", new File([new Uint8Array(await drawJpeg())], "quagmire.jpg"));
  await rig.call(rig.alice, "POST", "/images/search?minus=zanzibar", { body: asked });
  return body.image.id as string;
}

function secrets(): string[] {
  const signatures = [rig.alice, rig.bob, rig.admin].map(({ token }) => token.split(".")[2] ?? token);
  return [...secretWords, "alice@example.com", rig.publishableKey, rig.secretKey, ...signatures];
}

describe("what operators are told", () => {
  test("bears no words, names, addresses or keys", async () => {
    await doEverything();
    await until("the traces were sent", async () => exported.join("").includes("images.ingest"));
    const metrics = await rig.call("secret", "GET", "/metrics");
    const log = await readFile(rig.logPath, "utf8");
    for (const [place, text] of [
      ["traces", exported.join("\n")],
      ["figures", metrics.text],
      ["log", log],
    ] as const) {
      expect(text.length, place).toBeGreaterThan(500);
      for (const secret of secrets())
        expect(text.toLowerCase().includes(secret.toLowerCase()), `${place}: ${secret}`).toBe(false);
      expect(text, place).not.toMatch(/token=ey|\/sign\//);
    }
    expect(exported.join("\n")).not.toContain(rig.alice.id);
  });

  test("is told apart by nothing that people name", async () => {
    const { text } = await rig.call("secret", "GET", "/metrics");
    const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map(([, label]) => label));
    const ours = "kind lane state le window quantile space model current filter_class path".split(" ");
    const machines = "worker device provider host gpu uuid name".split(" ");
    expect([...labels].filter((label) => ![...ours, ...machines].includes(label ?? ""))).toEqual([]);
    const kinds = [...text.matchAll(/kind="([^"]*)"/g)].map(([, kind]) => kind);
    expect(kinds.length).toBeGreaterThan(3);
    expect(
      kinds.filter((kind) => !/^(alerts|house|images|interactions|jobs|webhooks)\.[a-z-]+$/.test(kind ?? "")),
    ).toEqual([]);
  });
});

describe("a trace that a stranger begins", () => {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  const spanId = "00f067aa0ba902b7";

  test.each([
    ["as the standard has it", `00-${traceId}-${spanId}-01`],
    ["with flags that nobody knows", `00-${traceId}-${spanId}-ff`],
    ["of a later version", `01-${traceId}-${spanId}-01-more`],
    ["in large letters", `00-${traceId.toUpperCase()}-${spanId}-01`],
    ["of zeros", `00-${"0".repeat(32)}-${"0".repeat(16)}-00`],
    ["with a quote", `00-${traceId}-${spanId}-01'; select 1; --`],
    ["without an end", "0".repeat(7_000)],
    ["twice", `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-00`],
  ])("%s spoils no job", async (_what, traceparent) => {
    const form = new FormData();
    form.set("file", new File([new Uint8Array(await drawJpeg())], `${crypto.randomUUID()}.jpg`));
    const answer = await rig.call(rig.alice, "POST", "/images", {
      body: form,
      headers: { traceparent, tracestate: "a=b,c=d", baggage: "user=zanzibar" },
    });
    expect(answer.status, answer.text).toBe(202);
    expect((await rig.follow(rig.alice, answer.body.job.id)).state).toBe("done");
    const [job] = await rig.sql<{ traceparent: string | null }[]>`
      select traceparent from parlance.jobs where id = ${answer.body.job.id}
    `;
    expect(job?.traceparent ?? "00-".padEnd(55, "0")).toMatch(
      /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$|^00-0+$/,
    );
    expect(answer.text).not.toContain(spanId);
  });
});
