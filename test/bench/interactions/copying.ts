/** The limit of what an import could do: the same file by COPY into one table of texts. */
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { median } from "../sidecar/measure.ts";
import { columnsOf, type WrittenFile } from "./csv-file.ts";
import { type BenchApp, timeSeconds } from "./rig.ts";

/** The median of three, each into an empty table that is written to the log. */
export async function measureCopy({ sql }: BenchApp, { path, kind }: WrittenFile): Promise<number> {
  const columns = columnsOf[kind].map((name) => `${name.toLowerCase()} text`).join(", ");
  const seconds: number[] = [];
  for (let round = 0; round < 3; round++) {
    await sql.unsafe(`create table parlance.bench_copy (${columns})`);
    seconds.push(
      await timeSeconds(async () => {
        const table = await sql`copy parlance.bench_copy from stdin with (format csv, header)`.writable();
        await pipeline(createReadStream(path, { highWaterMark: 2 ** 18 }), table);
      }),
    );
    await sql`drop table parlance.bench_copy`;
  }
  return median(seconds);
}
