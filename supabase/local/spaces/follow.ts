import { type Client, type Job, unwrap } from "../../../edge/client.ts";
import { createProgressBar, type ProgressBar, type Terminal } from "../progress.ts";

export interface FollowOptions {
  readonly terminal: Terminal;
  /** Ends the watching, not the job. */
  readonly signal: AbortSignal;
  /** Default 500. */
  readonly pollMs?: number;
}

/** Shows how far a job is until it ends; undefined where the watching was ended before. */
export async function watchJob(client: Client, id: string, options: FollowOptions): Promise<Job | undefined> {
  const { terminal, signal, pollMs = 500 } = options;
  let bar: ProgressBar | undefined;
  let total: number | null = null;
  let isWaiting = false;
  try {
    while (!signal.aborted) {
      const job = await unwrap(client.jobs[":id"].$get({ param: { id } }));
      if (job.state === "queued" && !isWaiting) {
        terminal.write(
          job.error ? `  waits for another try: ${job.error.message}\n` : "  waits for a sidecar …\n",
        );
      }
      isWaiting = job.state === "queued";
      const isToShow = job.state === "running" || job.state === "done";
      if (isToShow && job.progress.total !== null) {
        if (job.progress.total !== total) bar = createProgressBar(job.progress.total, terminal);
        total = job.progress.total;
        bar?.update(job.progress.done, job.progress.message ?? "");
      }
      if (job.finishedAt !== null) return job;
      await pause(pollMs, signal);
    }
    return undefined;
  } finally {
    bar?.end();
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
