/** Whether there is room for the apps, environments and models that a file names. */
import type { Sql, TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../../shared/callers.ts";
import { databaseErrorCode } from "../../../shared/database.ts";
import type { NewInteraction } from "../../../shared/interactions/contract.ts";
import type { GroupLabels } from "../../../shared/interactions/judging.ts";
import { ownedBy } from "../statistics/settings-lock.ts";

/** Undefined where the row may land, else why not. */
export type FindGroupFault = (news: NewInteraction) => string | undefined;

const toGroup = ({ app, environment = "", model = "" }: NewInteraction): GroupLabels => ({
  app,
  environment,
  model,
});
const keyOf = ({ app, environment, model }: GroupLabels) => JSON.stringify([app, environment, model]);

/** As long as there is room, groups are made where they are missing; then rows of others are refused, one by one. */
export function createGroupCheck(sql: Sql, ownerId: string | null) {
  const known = new Set<string>();
  let fault: string | undefined;
  return async (news: readonly NewInteraction[]): Promise<FindGroupFault> => {
    const wanted = new Map(news.map(toGroup).map((group) => [keyOf(group), group]));
    for (const key of known) wanted.delete(key);
    if (wanted.size > 0) {
      fault ??= await fillGroups(sql, ownerId, [...wanted.values()]);
      if (fault === undefined) for (const key of wanted.keys()) known.add(key);
      else for (const group of await listGroups(sql, ownerId)) known.add(keyOf(group));
    }
    return (one) => (known.has(keyOf(toGroup(one))) ? undefined : fault);
  };
}

/** Makes as many as there is room for, and answers why not all. */
async function fillGroups(
  sql: Sql,
  ownerId: string | null,
  groups: readonly GroupLabels[],
): Promise<string | undefined> {
  const fault = await ensureGroups(sql, ownerId, groups);
  if (fault === undefined || groups.length === 1) return fault;
  const middle = Math.ceil(groups.length / 2);
  return (
    (await fillGroups(sql, ownerId, groups.slice(0, middle))) ??
    fillGroups(sql, ownerId, groups.slice(middle))
  );
}

/** Answers why they cannot all be there; then none was made. */
async function ensureGroups(
  sql: Sql,
  ownerId: string | null,
  groups: readonly GroupLabels[],
): Promise<string | undefined> {
  const ensure = (transaction: TransactionSql) => transaction`
    select id
    from parlance.ensure_interaction_groups(
      ${ownerId}, ${groups.map(({ app }) => app)}::text[], ${groups.map(({ environment }) => environment)}::text[],
      ${groups.map(({ model }) => model)}::text[]
    )
  `;
  try {
    await transactAs(sql, serviceCaller, ensure);
    return undefined;
  } catch (error) {
    if (databaseErrorCode(error) === "PI429") return (error as Error).message;
    throw error;
  }
}

function listGroups(sql: Sql, ownerId: string | null): Promise<GroupLabels[]> {
  return transactAs(
    sql,
    serviceCaller,
    async (transaction) =>
      await transaction<GroupLabels[]>`
      select app, environment, model
      from parlance.interaction_groups
      where ${ownedBy(transaction, ownerId)}
      limit 2000
    `,
  );
}
