/** Runs imports in a process of its own, in small steps, until it is killed or told to end. */
import postgres from "postgres";
import { readEdgeConfig } from "../../../../edge/config.ts";
import { createDeps } from "../../../../edge/create-deps.ts";
import { createImportTask } from "../../../../edge/interactions/imports/run.ts";
import { startEdgeRunner } from "../../../../edge/jobs/edge-runner.ts";
import { databaseOptions } from "../../../../shared/database.ts";
import { createLog } from "../../../../shared/log.ts";

const config = readEdgeConfig(process.env);
const sql = postgres(config.databaseUrl, { ...databaseOptions, max: config.databaseConnectionsMax });
const deps = createDeps(config, { sql, log: createLog((line) => console.error(line), config.logLevel) });
const task = createImportTask(deps, { partBytes: 8_000, rowsMax: 40 });
startEdgeRunner(deps, { tasks: [task], houseSchedules: [] });
console.log("ready");
