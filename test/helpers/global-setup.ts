import { pgliteTemplate } from "./template.ts";

/** Builds the templates before the workers start, so that two of them do not build the same one. */
export default async function setup(): Promise<void> {
  if (process.env.TEST_DATABASE_URL) return;
  for (const migrate of [false, true]) {
    // A migration that fails is told by the tests that need it; the others can still run.
    await pgliteTemplate({ migrate }).catch(() => undefined);
  }
}
