import { ingest, Library } from "../../supabase/local/library.ts";
import { drawPicture } from "../http/pictures.ts";
import { startStackTarget } from "../http/targets.ts";

/** The whole walk over HTTP: pictures from the first byte to searchable, and searches new and asked before. */
export async function benchLibrary({ quick }: { quick: boolean }) {
  const databaseUrl = process.env.TEST_DATABASE_URL;
  const rows: object[] = [];
  for (const url of [undefined, ...(databaseUrl ? [databaseUrl] : [])]) {
    const target = await startStackTarget({ databaseUrl: url });
    try {
      const library = new Library(target.supabaseUrl, target.secretKey);
      rows.push(
        ...(await measure(library, quick ? 40 : 400, quick ? 40 : 300)).map((row) => ({
          database: url ? "Postgres 17" : "PGlite",
          ...row,
        })),
      );
    } finally {
      await target.stop();
    }
  }
  return { settings: { pictures: "320 × 200 JPEG", senders: 4, sidecar: "palette, cpu, 4 slots" }, rows };
}

async function measure(library: Library, pictures: number, searches: number): Promise<object[]> {
  const bytes = await Promise.all(
    Array.from({ length: pictures }, (_, seed) => drawPicture(colourOf(seed), seed)),
  );
  const startedAtMs = performance.now();
  const report = await ingest(
    library,
    bytes.map((picture, index) => ({
      name: `bench ${index}.jpg`,
      mediaType: "image/jpeg",
      bytes: async () => picture,
    })),
    () => {},
  );
  const seconds = (performance.now() - startedAtMs) / 1000;
  if (report.added.length !== pictures) throw new Error(`${report.refused.length} pictures were refused`);
  const words = Array.from(
    { length: searches },
    (_, index) => `${nameOf(index)} and ${nameOf(index >> 3)} ${index}`,
  );
  return [
    {
      what: "sent until searchable",
      count: pictures,
      perSecond: round(pictures / seconds),
      p50Ms: null,
      p99Ms: null,
    },
    { what: "search, new words", ...(await time(words, (query) => library.search(query, 10))) },
    { what: "search, asked before", ...(await time(words, (query) => library.search(query, 10))) },
  ];
}

async function time(queries: readonly string[], ask: (query: string) => Promise<{ method: string }>) {
  const tookMs: number[] = [];
  const startedAtMs = performance.now();
  for (const query of queries) {
    const askedAtMs = performance.now();
    const page = await ask(query);
    tookMs.push(performance.now() - askedAtMs);
    if (page.method === "keywords") throw new Error(`"${query}" was answered by ${page.method}`);
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  tookMs.sort((one, other) => one - other);
  const at = (share: number) =>
    round(tookMs[Math.min(tookMs.length - 1, Math.floor(share * tookMs.length))] ?? 0);
  return {
    count: queries.length,
    perSecond: round(queries.length / seconds),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  };
}

const names = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"];
const nameOf = (index: number) => names[index % names.length] ?? "red";
const colourOf = (seed: number) => `#${((seed * 2_654_435_761) % 0xffffff).toString(16).padStart(6, "0")}`;
const round = (value: number) => Math.round(value * 10) / 10;
