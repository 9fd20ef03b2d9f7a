/** How an owner wants interactions kept, and who is written to of alerts. */
import type { TransactionSql } from "postgres";
import { type Caller, isAdmin, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import type { InteractionSettings, InteractionSettingsChange } from "../../../shared/interactions/listing.ts";
import { isAddress, mayReceive } from "../../../shared/interactions/recipients.ts";
import type { Deps } from "../../deps.ts";
import { chooseOwner, type Scope } from "../owners.ts";
import { ensureSettings, type OwnerSettings } from "../settings-store.ts";

export function showSettings({ sql }: Deps, caller: Caller, scope: Scope): Promise<InteractionSettings> {
  const ownerId = chooseOwner(caller, scope);
  return transactAs(sql, serviceCaller, async (transaction) =>
    toSettings(await ensureSettings(transaction, ownerId)),
  );
}

export function changeSettings(
  { sql }: Deps,
  caller: Caller,
  { scope, change }: { readonly scope: Scope; readonly change: InteractionSettingsChange },
): Promise<InteractionSettings> {
  const ownerId = chooseOwner(caller, scope);
  checkAddress(caller, change.alertEmail);
  return transactAs(sql, serviceCaller, async (transaction) => {
    const { id } = await ensureSettings(transaction, ownerId);
    await updateSettings(transaction, id, change);
    return toSettings(await ensureSettings(transaction, ownerId));
  });
}

/** Nobody can have a stranger written to. */
function checkAddress(caller: Caller, address: string | null | undefined): void {
  if (address === null || address === undefined) return;
  const own = typeof caller.claims.email === "string" ? caller.claims.email : undefined;
  if (isAdmin(caller) ? isAddress(address) : mayReceive(own, address)) return;
  const message = isAdmin(caller) ? "must be one address alone" : "must be your own confirmed address";
  throw new AppError("invalid_request", "The request is not valid; see `errors`.", {
    fields: [{ field: "body.alertEmail", message }],
  });
}

async function updateSettings(
  sql: TransactionSql,
  id: string,
  change: InteractionSettingsChange,
): Promise<void> {
  const { redact, retentionDays, retentionDaysByApp, alertEmail, alertEmailSeverityMin } = change;
  await sql`
    update parlance.interaction_settings
    set redact = ${redact === undefined ? sql`redact` : sql`${redact}::text[]`},
      retention_days = ${retentionDays === undefined ? sql`retention_days` : sql`${retentionDays}::integer`},
      retention_days_by_app = ${retentionDaysByApp === undefined ? sql`retention_days_by_app` : sql`${sql.json(retentionDaysByApp)}`},
      alert_email = ${alertEmail === undefined ? sql`alert_email` : sql`${alertEmail}::text`},
      alert_email_severity_min = ${alertEmailSeverityMin === undefined ? sql`alert_email_severity_min` : sql`${alertEmailSeverityMin}::parlance.alert_severity`}
    where id = ${id}
  `;
}

function toSettings(row: OwnerSettings): InteractionSettings {
  const { redact, retentionDays, retentionDaysByApp, alertEmail, alertEmailSeverityMin } = row;
  return { redact: [...redact], retentionDays, retentionDaysByApp, alertEmail, alertEmailSeverityMin };
}
