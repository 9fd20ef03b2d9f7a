/** A page of the log, and one of it. */
import type { TransactionSql } from "postgres";
import { becomeCaller, type Caller, serviceCaller, transactAs } from "../../../shared/callers.ts";
import { AppError } from "../../../shared/errors.ts";
import type {
  InteractionDetail,
  InteractionPage,
  ListedInteraction,
  ListOrder,
} from "../../../shared/interactions/listing.ts";
import type { Deps } from "../../deps.ts";
import { encodeCursor } from "../../http/cursors.ts";
import type { LogFilters } from "./conditions.ts";
import { findKeys } from "./finding.ts";
import type { FoundKey, Key, Stretch } from "./keys.ts";
import { deleteRows, listNeighbours, readInteractions, type TextLength } from "./row-store.ts";

export interface PageRequest {
  readonly filters: LogFilters;
  readonly order: ListOrder;
  readonly after: Key | undefined;
  readonly limit: number;
  readonly textLength: TextLength;
}

export interface LogPage {
  readonly items: ListedInteraction[];
  /** Where it goes on; null at the end. */
  readonly stop: Key | null;
}

export async function showPage(
  deps: Pick<Deps, "sql">,
  caller: Caller,
  request: PageRequest,
): Promise<InteractionPage> {
  const { items, stop } = await readPage(deps, caller, request);
  return { items, nextCursor: stop && encodeCursor({ ...stop }) };
}

export function readPage({ sql }: Pick<Deps, "sql">, caller: Caller, request: PageRequest): Promise<LogPage> {
  return transactAs(sql, caller, async (transaction) => {
    const { keys, stop } = cutStretch(await findAsService(transaction, caller, request), request);
    const rows = await readInteractions(
      transaction,
      keys.map(({ id }) => id),
      request.textLength,
    );
    return { items: keys.flatMap(({ id }) => rows.get(id) ?? []), stop };
  });
}

/** The rows are read as the caller again, so what is found here shows nothing by itself. */
async function findAsService(
  transaction: TransactionSql,
  caller: Caller,
  { filters, order, after, limit }: PageRequest,
): Promise<Stretch> {
  await becomeCaller(transaction, serviceCaller);
  const stretch = await findKeys(transaction, { filters, order, after, found: limit + 1 });
  await becomeCaller(transaction, caller);
  return stretch;
}

/** Texts of one page, in bytes; one interaction is shown however large it is. */
const bytesMax = 8_000_000;

function cutStretch({ keys, stop }: Stretch, { limit, textLength }: PageRequest): Stretch {
  const most = textLength === null ? countFitting(keys) : limit;
  const cut = keys.slice(0, Math.min(limit, most));
  return cut.length < keys.length ? { keys: cut, stop: toKey(cut.at(-1)) } : { keys: cut, stop: toKey(stop) };
}

function countFitting(keys: readonly FoundKey[]): number {
  let bytes = 0;
  const first = keys.findIndex((key) => {
    bytes += key.bytes;
    return bytes > bytesMax;
  });
  return first < 0 ? keys.length : Math.max(1, first);
}

const toKey = (key: Key | null | undefined): Key | null =>
  key ? { occurredAt: key.occurredAt, id: key.id } : null;

/** With what came before and after it in its session. */
export function showInteraction({ sql }: Deps, caller: Caller, id: string): Promise<InteractionDetail> {
  return transactAs(sql, caller, async (transaction) => {
    const { inputIsCut: _, outputIsCut: __, ...interaction } = await getInteraction(transaction, id, null);
    if (interaction.sessionId === null) return { ...interaction, session: null };
    const before = await listNeighbours(transaction, interaction, "before");
    const after = await listNeighbours(transaction, interaction, "after");
    return { ...interaction, session: { before: before.reverse(), after } };
  });
}

export function removeInteraction({ sql }: Deps, caller: Caller, id: string): Promise<void> {
  return transactAs(sql, caller, async (transaction) => {
    await getInteraction(transaction, id, 0);
    await becomeCaller(transaction, serviceCaller);
    await deleteRows(transaction, [id]);
  });
}

/** What the caller may not see is not there. */
async function getInteraction(
  transaction: TransactionSql,
  id: string,
  textLength: TextLength,
): Promise<ListedInteraction> {
  const interaction = (await readInteractions(transaction, [id], textLength)).get(id);
  if (!interaction) throw new AppError("not_found", "There is no such interaction.");
  return interaction;
}
