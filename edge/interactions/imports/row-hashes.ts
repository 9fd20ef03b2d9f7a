/** What makes a row of a file the same when it comes again: what it says, whatever file and column it stands in. */
import { deriveId } from "../../../shared/ids.ts";
import type { NewInteraction } from "../../../shared/interactions/contract.ts";

/** A UUIDv8 (RFC 9562, 5.8) of the SHA-256 of its content. */
export function hashRow(row: NewInteraction): Promise<string> {
  const content = JSON.stringify([
    row.input,
    row.output,
    row.app,
    row.environment ?? null,
    row.sessionId ?? null,
    row.userLabel ?? null,
    row.provider ?? null,
    row.model ?? null,
    row.inputTokens ?? null,
    row.outputTokens ?? null,
    row.latencyMs ?? null,
    row.costUsd ?? null,
    row.tags,
    row.occurredAt === undefined ? null : new Date(row.occurredAt).toISOString(),
  ]);
  return deriveId(content);
}
