/** SQL of the alerts of an import: what many rows made fire, in one statement. */
import type { TransactionSql } from "postgres";
import type { Firing } from "../../../shared/interactions/alerts.ts";
import { toArrayText } from "../statistics/hour-store.ts";

export interface Fired {
  readonly importId: string;
  readonly ownerId: string | null;
  /** In the order of their times. */
  readonly firings: readonly Firing[];
}

/** Counted to the import too. */
export async function raiseImportAlerts(
  transaction: TransactionSql,
  { importId, ownerId, firings }: Fired,
): Promise<void> {
  if (firings.length === 0) return;
  const heads = listHeads(firings);
  const list = (pick: (firing: Firing) => string | number | null | undefined) =>
    toArrayText(firings.map((firing) => pick(firing) ?? "null"));
  await transaction`
    update parlance.interaction_imports
    set alerts = alerts + parlance.raise_import_alerts(
      ${importId}, ${ownerId}, ${transaction.json([...heads.values()] as never)},
      ${list(({ fingerprint }) => heads.get(fingerprint)?.place)}::text::integer[],
      ${list(({ interactionId }) => interactionId)}::text::uuid[],
      ${list(({ occurredAt }) => occurredAt)}::text::timestamptz[],
      ${list(({ value }) => value)}::text::float8[],
      ${list(({ score }) => score)}::text::float8[]
    )
    where id = ${importId}
  `;
}

/** An alert of each fingerprint; what it was held against is told of the newest firing. */
function listHeads(firings: readonly Firing[]): ReadonlyMap<string, { readonly place: number }> {
  const heads = new Map<string, { place: number; count: number; first_seen_at: string }>();
  for (const firing of firings) {
    const { fingerprint, occurredAt } = firing;
    const known = heads.get(fingerprint);
    heads.set(fingerprint, {
      place: known?.place ?? heads.size,
      count: (known?.count ?? 0) + 1,
      first_seen_at: known?.first_seen_at ?? occurredAt,
      ...toHead(firing),
    });
  }
  return heads;
}

function toHead(firing: Firing) {
  return {
    fingerprint: firing.fingerprint,
    rule_id: firing.ruleId,
    rule_name: firing.ruleName,
    severity: firing.severity,
    app: firing.app,
    environment: firing.environment,
    model: firing.model,
    element: firing.element,
    metric: firing.metric,
    last_seen_at: firing.occurredAt,
    value: firing.value,
    score: firing.score,
    evidence: firing.evidence,
  };
}
