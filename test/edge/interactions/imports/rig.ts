/** The app with a way to import a file and see what came of it. */
import { createImportTask } from "../../../../edge/interactions/imports/run.ts";
import type { ImportLimits } from "../../../../edge/interactions/imports/under-way.ts";
import { runDueJobs } from "../../../../edge/jobs/due-jobs.ts";
import type { InteractionImport } from "../../../../shared/interactions/imports.ts";
import type { Task } from "../../../../shared/jobs/kinds.ts";
import {
  openTestApp,
  type TestAnswer,
  type TestApp,
  type TestAppOptions,
  type TestUser,
  type Who,
} from "../../../helpers/app.ts";

export interface Sent {
  readonly as?: Who;
  readonly options?: Record<string, unknown> | string;
  readonly fileName?: string;
}

export interface ImportRig extends TestApp {
  /** `POST /interactions/bulk`. */
  send(content: string | Uint8Array | Blob, sent?: Sent): Promise<TestAnswer>;
  /** Runs what waits, until nothing does. */
  work(task?: Task): Promise<void>;
  /** Sends a file, has it read, and answers the import as it is then. */
  take(
    content: string | Uint8Array | Blob,
    sent?: Sent,
    limits?: Partial<ImportLimits>,
  ): Promise<InteractionImport>;
  show(id: string, who?: Who): Promise<InteractionImport>;
  /** What is in the log of a user, by their inputs. */
  rows(user?: TestUser): Promise<StoredRow[]>;
  refusals(id: string): Promise<{ rowNumber: number; reason: string; row: string }[]>;
}

export interface StoredRow {
  readonly input: string;
  readonly output: string;
  readonly app: string;
  readonly model: string;
  readonly tags: string[];
  readonly occurredAt: string;
  readonly importId: string;
}

export async function openImportRig(options: TestAppOptions = {}): Promise<ImportRig> {
  const testApp = await openTestApp(options);
  const { deps, sql, call, alice } = testApp;

  const send: ImportRig["send"] = (content, { as = alice, options: given, fileName = "file.csv" } = {}) => {
    const body = new FormData();
    const blob = content instanceof Blob ? content : new Blob([content as BlobPart]);
    body.set("file", new File([blob], fileName));
    if (given !== undefined) body.set("options", typeof given === "string" ? given : JSON.stringify(given));
    return call(as, "POST", "/interactions/bulk", { body });
  };

  const work: ImportRig["work"] = async (task = createImportTask(deps)) => {
    for (;;) {
      const limits = { endsAtMs: Date.now() + 120_000, cpuMs: 1e9, jobsMax: 20 };
      const { done, failed, requeued } = await runDueJobs(deps, [task], limits);
      if (done + failed + requeued === 0) return;
    }
  };

  const show: ImportRig["show"] = async (id, who = alice) =>
    (await call(who, "GET", `/interactions/imports/${id}`)).body;

  return {
    ...testApp,
    send,
    work,
    show,
    async take(content, sent, limits) {
      const answer = await send(content, sent);
      if (answer.status !== 202) throw new Error(`it was refused: ${answer.status} ${answer.text}`);
      await work(createImportTask(deps, limits));
      return show(answer.body.id, sent?.as);
    },
    rows: async (user = alice) =>
      await sql<StoredRow[]>`
      select input, output, groups.app, groups.model, tags, occurred_at, import_id
      from parlance.interactions
      join parlance.interaction_groups as groups on groups.id = group_id
      where interactions.owner_id = ${user.id}
      order by input collate "C", output collate "C", interactions.id
    `,
    refusals: async (id) =>
      await sql<{ rowNumber: number; reason: string; row: string }[]>`
      select row_number, reason, row
      from parlance.import_refusals
      where import_id = ${id}
      order by row_number
    `,
  };
}
