/** A process that works on the jobs of the bench and tells once a second how its claims went. */
import postgres, { type Sql } from "postgres";
import { databaseOptions } from "../../../shared/database.ts";
import { createId } from "../../../shared/ids.ts";
import { defineTask } from "../../../shared/jobs/kinds.ts";
import { startRunner } from "../../../shared/jobs/runner.ts";
import { pressureKind } from "./kind.ts";

const [url = "", slots = "16", prefetch = "0"] = process.argv.slice(2);
/** What one second brought: how long each claim took that found something, and how many jobs ended. */
let second = { claimsMs: [] as number[], ended: 0 };

/** Takes the time of the statements that claim; everything else passes. */
function timeClaims(sql: Sql): Sql {
  return new Proxy(sql, {
    apply(target, self, parts: [TemplateStringsArray, ...unknown[]]) {
      const query = Reflect.apply(target as never, self, parts);
      if (!Array.isArray(parts[0]) || !parts[0].some((text) => text.includes("parlance.claim_jobs")))
        return query;
      const beganAtMs = performance.now();
      return (query as Promise<unknown[]>).then((rows) => {
        if (rows.length > 0) second.claimsMs.push(performance.now() - beganAtMs);
        return rows;
      });
    },
  });
}

const sql = postgres(url, { ...databaseOptions, prepare: true, max: 4 });
const runner = startRunner({
  sql: timeClaims(sql),
  workerId: createId(),
  tasks: [defineTask(pressureKind, async () => ({}))],
  kinds: new Map([[pressureKind.name, pressureKind]]),
  slots: { interactive: 0, bulk: Number(slots) },
  prefetch: Number(prefetch),
  onEnded: () => {
    second.ended += 1;
  },
  onTrouble: (doing, error) => process.send?.({ trouble: `${doing}: ${error}` }),
});
setInterval(() => {
  process.send?.(second);
  second = { claimsMs: [], ended: 0 };
}, 1_000);
process.on("message", async () => {
  await runner.stop();
  await sql.end();
  process.exit(0);
});
