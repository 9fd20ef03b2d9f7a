/** What makes a row of a file the same when it comes again: what it says, whatever file and column it stands in. */

// Web Crypto has no hash without a promise, and there are many rows.
import { createHash } from "node:crypto";
import type { NewInteraction } from "../../../shared/interactions/contract.ts";

/** A UUIDv8 (RFC 9562, 5.8) of the SHA-256 of its content. */
export function hashRow(row: NewInteraction): string {
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
  const hex = createHash("sha256").update(content).digest("hex");
  const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4];
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
}
