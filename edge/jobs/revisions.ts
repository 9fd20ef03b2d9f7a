/**
 * A revision is a snapshot of the database (pg_snapshot: which transactions were over), so what it did not see is exactly
 * what its reader missed, in whatever order transactions commit. While its reader pages through that, it also holds the
 * snapshot up to which the pages go and where the last one ended:
 *
 *   after ──▶ after + upTo + last ──▶ … ──▶ upTo
 *
 * It is opaque to callers and trusted by nobody: it only says which of the jobs that the caller may see are shown.
 */
import { AppError } from "../../shared/errors.ts";

/** Numbers of transactions: all below `end` were over but those in `open`. */
export interface Snapshot {
  readonly end: bigint;
  readonly open: readonly bigint[];
}

export interface Revision {
  /** Which database it was taken in. */
  readonly tag: string;
  readonly after: Snapshot;
  readonly walk?: { readonly upTo: Snapshot; readonly changedIn: bigint; readonly id: string };
}

/** Of a server with its thousands of connections all at work, and more than one line of a request should have. */
const openMax = 5000;
const lengthMax = 32_768;
const numberMax = 2n ** 63n - 1n;

/** `xmin:xmax:xip,xip…`, as Postgres writes it. */
export function parseSnapshot(text: string): Snapshot {
  const [, end = "", open = ""] = text.split(":");
  return { end: BigInt(end), open: open === "" ? [] : open.split(",").map(BigInt) };
}

export function formatSnapshot({ end, open }: Snapshot): string {
  return `${open[0] ?? end}:${end}:${open.join(",")}`;
}

/** Every number as its distance to the one before, so that it stays short. */
function pack({ end, open }: Snapshot): string {
  const distances = [end, ...[...open].reverse()].map((number, index, all) =>
    index === 0 ? number : (all[index - 1] as bigint) - number,
  );
  return distances.map((distance) => distance.toString(16)).join("-");
}

export function encodeRevision({ tag, after, walk }: Revision): string {
  const parts = [tag, pack(after)];
  if (walk) parts.push(pack(walk.upTo), walk.changedIn.toString(16), walk.id);
  return parts.join(".");
}

const number = "[0-9a-f]{1,16}";
const packed = `${number}(?:-${number})*`;
const uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const pattern = new RegExp(`^([0-9a-f]{8})\\.(${packed})(?:\\.(${packed})\\.(${number})\\.(${uuid}))?$`);

export function decodeRevision(text: string): Revision {
  const [, tag, after, upTo, changedIn, id] = (text.length <= lengthMax && pattern.exec(text)) || [];
  if (tag === undefined || after === undefined) throw refused();
  const revision = { tag, after: unpack(after) };
  if (upTo === undefined || changedIn === undefined || id === undefined) return revision;
  return { ...revision, walk: { upTo: unpack(upTo), changedIn: inRange(BigInt(`0x${changedIn}`)), id } };
}

function unpack(text: string): Snapshot {
  const [end = 0n, ...distances] = text.split("-").map((part) => BigInt(`0x${part}`));
  if (distances.length > openMax || distances.includes(0n)) throw refused();
  const open: bigint[] = [];
  let last = inRange(end);
  for (const distance of distances) {
    last = inRange(last - distance);
    open.push(last);
  }
  return { end, open: open.reverse() };
}

function inRange(value: bigint): bigint {
  if (value < 3n || value > numberMax) throw refused();
  return value;
}

export function refused(): AppError {
  return new AppError(
    "invalid_cursor",
    "The revision is not one that this list gave: begin without `after`.",
  );
}
