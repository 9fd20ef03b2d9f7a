/** The edge's runner in a process of its own, whose memory is its own; tells it ten times a second. */

import postgres from "postgres";
import { readEdgeConfig } from "../../../edge/config.ts";
import { createDeps } from "../../../edge/create-deps.ts";
import { createImportTask } from "../../../edge/interactions/imports/run.ts";
import { startEdgeRunner } from "../../../edge/jobs/edge-runner.ts";
import { databaseOptions } from "../../../shared/database.ts";
import { createLog } from "../../../shared/log.ts";

const config = readEdgeConfig(process.env);
const sql = postgres(config.databaseUrl, { ...databaseOptions, max: config.databaseConnectionsMax });
const deps = createDeps(config, { sql, log: createLog((line) => console.error(line), config.logLevel) });
const runner = startEdgeRunner(deps, { tasks: [createImportTask(deps)], houseSchedules: [] });
const timer = setInterval(() => process.send?.(process.memoryUsage.rss()), 100);
process.on("message", async () => {
  clearInterval(timer);
  await runner.stop();
  await sql.end();
  process.exit(0);
});
