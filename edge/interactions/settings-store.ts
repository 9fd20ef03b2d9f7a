/** SQL of how an owner wants interactions kept. */
import type { TransactionSql } from "postgres";
import type { PersonalDataKind } from "../../shared/interactions/personal-data.ts";
import type { AlertSeverity } from "../../shared/interactions/rules.ts";

export interface OwnerSettings {
  readonly id: string;
  readonly ownerId: string | null;
  readonly redact: readonly PersonalDataKind[];
  readonly retentionDays: number | null;
  readonly retentionDaysByApp: Readonly<Record<string, number | null>>;
  readonly alertEmail: string | null;
  readonly alertEmailSeverityMin: AlertSeverity;
}

/** As the service role. Made on first use, with the rules that an account begins with. */
export async function ensureSettings(sql: TransactionSql, ownerId: string | null): Promise<OwnerSettings> {
  const [row] = await sql<OwnerSettings[]>`
    select id, owner_id, redact, retention_days, retention_days_by_app, alert_email, alert_email_severity_min
    from parlance.ensure_interaction_settings(${ownerId})
  `;
  if (!row) throw new Error("the settings were neither found nor made");
  return row;
}
