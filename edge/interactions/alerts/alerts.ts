/** What can be done with alerts. Who sees one may change it: its owner, and admins; for all others it is not there. */
import type { TransactionSql } from "postgres";
import {
  becomeCaller,
  type Caller,
  callerUserId,
  serviceCaller,
  transactAs,
} from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import {
  type Alert,
  type AlertDetails,
  type AlertFiring,
  type AlertSelection,
  type AlertState,
  type AlertsChanged,
  alertsMax,
} from "../../../shared/interactions/alerts.ts";
import type { Deps } from "../../deps.ts";
import { cutPage, type Page } from "../../http/cursors.ts";
import {
  type AlertsWanted,
  acknowledgeAlerts,
  type FiringsWanted,
  findAlert,
  listAlertIds,
  listAlerts,
  listFirings,
  resolveAlerts,
} from "./alert-store.ts";

type Database = Pick<Deps, "sql">;

export function showAlerts(
  { sql }: Database,
  caller: Caller,
  { ownerId, ...wanted }: AlertsWanted & { readonly ownerId: string | null; readonly limit: number },
): Promise<Alert[]> {
  return transactAs(sql, caller, (transaction) => listAlerts(transaction, ownerId, wanted));
}

const firingsShown = 20;

export function showAlert({ sql }: Database, caller: Caller, id: string): Promise<AlertDetails> {
  return transactAs(sql, caller, async (transaction) => {
    const alert = await getAlert(transaction, id);
    const rows = await listFirings(transaction, id, { limit: firingsShown + 1 });
    return { ...alert, firings: cutFirings(rows, firingsShown) };
  });
}

export function showFirings(
  { sql }: Database,
  caller: Caller,
  { id, limit, before }: FiringsWanted & { readonly id: string },
): Promise<Page<AlertFiring>> {
  return transactAs(sql, caller, async (transaction) => {
    await getAlert(transaction, id);
    return cutFirings(await listFirings(transaction, id, { before, limit: limit + 1 }), limit);
  });
}

const cutFirings = (rows: readonly AlertFiring[], limit: number) =>
  cutPage(rows, limit, ({ occurredAt, interactionId }) => ({ occurredAt, interactionId }));

/** Taken on, or that taken back. What is so already stays as it is. */
export function acknowledgeAlert(
  { sql }: Database,
  caller: Caller,
  { id, acknowledged }: { readonly id: string; readonly acknowledged: boolean },
): Promise<Alert> {
  return transactAs(sql, caller, async (transaction) => {
    await getAlert(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await acknowledgeAlerts(transaction, [id], { userId: callerUserId(caller) ?? null, acknowledged });
    const alert = await getAlert(transaction, id);
    if (alert.state !== "resolved") return alert;
    throw new AppError("conflict", "The alert is resolved.");
  });
}

/** What is resolved already stays as it is. */
export function resolveAlert({ sql }: Database, caller: Caller, id: string): Promise<Alert> {
  return transactAs(sql, caller, async (transaction) => {
    await getAlert(transaction, id);
    await becomeCaller(transaction, serviceCaller);
    await resolveAlerts(transaction, [id], {
      resolution: "by-hand",
      userId: callerUserId(caller) ?? null,
    });
    return getAlert(transaction, id);
  });
}

interface Selected {
  readonly ownerId: string | null;
  readonly selection: AlertSelection;
}

export function acknowledgeSelected(
  deps: Database,
  caller: Caller,
  selected: Selected,
): Promise<AlertsChanged> {
  return changeSelected(deps, caller, { ...selected, states: ["open"] }, (transaction, ids, userId) =>
    acknowledgeAlerts(transaction, ids, { userId, acknowledged: true }),
  );
}

export function resolveSelected(deps: Database, caller: Caller, selected: Selected): Promise<AlertsChanged> {
  const states: AlertState[] = ["open", "acknowledged"];
  return changeSelected(deps, caller, { ...selected, states }, (transaction, ids, userId) =>
    resolveAlerts(transaction, ids, { resolution: "by-hand", userId }),
  );
}

function changeSelected(
  { sql }: Database,
  caller: Caller,
  { ownerId, selection, states }: Selected & { readonly states: readonly AlertState[] },
  change: (transaction: TransactionSql, ids: readonly string[], userId: string | null) => Promise<number>,
): Promise<AlertsChanged> {
  return transactAs(sql, caller, async (transaction) => {
    const ids = await listAlertIds(transaction, ownerId, { ...selection, states, limit: alertsMax + 1 });
    await becomeCaller(transaction, serviceCaller);
    const changed = await change(transaction, ids.slice(0, alertsMax), callerUserId(caller) ?? null);
    return { changed, hasMore: ids.length > alertsMax };
  });
}

/** What the caller may not see is not there. */
async function getAlert(transaction: TransactionSql, id: string): Promise<Alert> {
  const alert = await findAlert(transaction, id);
  if (!alert) throw new AppError("not_found", "There is no such alert.");
  return alert;
}
