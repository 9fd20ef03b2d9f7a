import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { rescueJobs } from "../../../../shared/jobs/queue.ts";
import { jobKinds } from "../../../../shared/kinds.ts";
import { loginUrl } from "../../../../supabase/local/logins.ts";
import { seededRandom } from "../../../helpers/pictures.ts";
import { type ImportRig, openImportRig } from "./rig.ts";

const server = process.env.TEST_DATABASE_URL;
const kills = 20;
const rows = 6_000;

async function startImporting({ sql, keys, config }: ImportRig) {
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  const url = new URL(server ?? "");
  url.pathname = `/${row?.name}`;
  const child = Bun.spawn(["bun", join(import.meta.dirname, "importing-process.ts")], {
    env: {
      ...process.env,
      SUPABASE_URL: config.supabaseUrl,
      SUPABASE_DB_URL: loginUrl(url.href, "parlance_owner"),
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishableKey }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secretKey }),
      SUPABASE_JWKS: JSON.stringify(keys.jwks),
      LOG_LEVEL: "warn",
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  await reader.read();
  return child;
}

// PGlite lives in this process: it cannot be killed alone.
test.skipIf(server === undefined)(
  "a process that is killed twenty times while it imports loses and doubles no row",
  { timeout: 600_000 },
  async () => {
    const rig = await openImportRig();
    try {
      const random = seededRandom(20);
      const lines = Array.from({ length: rows }, (_, index) =>
        index % 50 === 7 ? `bad ${index}` : `row ${index},"${"word ".repeat(index % 60)}"`,
      );
      const { body } = await rig.send(`Input,Output\n${lines.join("\n")}\n`);
      const positions = new Set<number>();
      let cursor: string | null = null;
      for (let kill = 0; kill < kills; kill++) {
        const child = await startImporting(rig);
        try {
          const hasGoneOn = async () => {
            const [job] =
              await rig.sql`select state, cursor::text as cursor from parlance.jobs where id = ${body.jobId}`;
            expect(job?.state === "done" || job?.cursor !== cursor).toBe(true);
            cursor = job?.cursor;
          };
          await vi.waitFor(hasGoneOn, { timeout: 60_000, interval: 3 });
          await new Promise((resolve) => setTimeout(resolve, random() * 60));
        } finally {
          child.kill("SIGKILL");
          await child.exited;
        }
        const made = await rig.show(body.id);
        positions.add(made.rowsLanded);
        if (made.state === "done") break;
        await rig.sql`
          update parlance.jobs
          set lease_expires_at = now() - interval '1 second'
          where id = ${body.jobId} and state = 'running'
        `;
        await rescueJobs(rig.sql, jobKinds);
        await rig.sql`
          update parlance.jobs
          set run_after = now(), attempts = 0
          where id = ${body.jobId} and state = 'queued'
        `;
      }
      // They were killed in different places.
      expect(positions.size).toBeGreaterThan(3);
      await rig.work();
      const bad = lines.filter((line) => line.startsWith("bad")).length;
      expect(await rig.show(body.id)).toMatchObject({
        state: "done",
        rowsLanded: rows - bad,
        rowsRefused: bad,
        rowsKnown: 0,
      });
      const inputs = (await rig.rows()).map(({ input }) => input);
      expect(inputs.length).toBe(rows - bad);
      expect(new Set(inputs).size).toBe(rows - bad);
      const [counted] = await rig.sql`
        select
          (select sum(count)::int from parlance.interaction_hours where metric = 1) as measured,
          (select count from parlance.interaction_alerts where rule_name = 'output longer than 100 characters') as alerted,
          (select count(*)::int from parlance.interactions where length(output) > 100) as long
      `;
      expect(counted).toMatchObject({ measured: rows - bad, alerted: counted?.long });
    } finally {
      await rig.close();
    }
  },
);
