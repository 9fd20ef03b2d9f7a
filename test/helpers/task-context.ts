import { createId } from "../../shared/ids.ts";
import type { TaskContext } from "../../shared/jobs/kinds.ts";

/** What a task is given, for tests that call it without a queue: of the house, its first try, told and saved nowhere. */
export function taskContext(overrides: Partial<TaskContext> = {}): TaskContext {
  return {
    job: { id: createId(), ownerId: null, subjectId: null },
    claim: 1,
    attempt: 1,
    signal: new AbortController().signal,
    reportProgress: () => {},
    reportPartial: () => {},
    cursor: undefined,
    checkpoint: async () => {},
    ...overrides,
  };
}
