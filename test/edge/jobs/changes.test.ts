/** Jobs that changed since a revision: every change, none twice, in whatever order transactions commit. */
import type { TransactionSql } from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  decodeRevision,
  encodeRevision,
  formatSnapshot,
  parseSnapshot,
} from "../../../edge/jobs/revisions.ts";
import { createId } from "../../../shared/ids.ts";
import { embedQuery, ingestImage } from "../../../shared/images/kinds.ts";
import type { JobChanges } from "../../../shared/jobs/following.ts";
import {
  addJobs,
  claimJobs,
  completeJobs,
  failJob,
  releaseJobs,
  reportProgress,
} from "../../../shared/jobs/queue.ts";
import { openTestApp, type TestApp, type TestUser, type Who } from "../../helpers/app.ts";

let house: TestApp;
beforeAll(async () => {
  house = await openTestApp({ environment: { RATE_LIMIT_JOB: "1000000" } });
});
afterAll(() => house.close());
beforeEach(async () => {
  await house.sql`delete from parlance.jobs`;
});

const draw = (max: number) => Math.floor(Math.random() * max);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function add(sql: TransactionSql | TestApp["sql"], owner: TestUser | null, number = 1): Promise<string[]> {
  const ownerId = owner?.id ?? null;
  const jobs = Array.from({ length: number }, () => ({ payload: { imageId: createId() }, ownerId }));
  return addJobs(sql, ingestImage, jobs);
}

async function ask(who: Who, after?: string, query = ""): Promise<JobChanges> {
  const path = `/jobs/changes?${after === undefined ? "" : `after=${after}`}${query}`;
  const answer = await house.call(who, "GET", path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body;
}

/** All pages. */
async function drain(who: Who, after: string, query = ""): Promise<{ ids: string[]; revision: string }> {
  const ids: string[] = [];
  for (let revision = after; ; ) {
    const page = await ask(who, revision, query);
    ids.push(...page.items.map(({ id }) => id));
    revision = page.revision;
    if (!page.hasMore) return { ids, revision };
  }
}

describe("changes", () => {
  test("without a revision are none, and the present one is told", async () => {
    await add(house.sql, house.alice);
    const { items, revision, hasMore } = await ask(house.alice);
    expect([items, hasMore]).toEqual([[], false]);
    expect((await ask(house.alice, revision)).items).toEqual([]);
  });

  test("are the jobs as they stand, each once, in pages", async () => {
    const { revision } = await ask(house.alice);
    const added = await add(house.sql, house.alice, 5);
    const [first] = await listIds(house.alice);
    const walked = await drain(house.alice, revision, "&limit=2");
    expect(walked.ids.toSorted()).toEqual(added.toSorted());
    expect((await drain(house.alice, walked.revision)).ids).toEqual([]);
    await house.sql`select parlance.cancel_job(${first ?? ""})`;
    const page = await ask(house.alice, walked.revision);
    expect(page.items.map(({ id, state }) => [id, state])).toEqual([[first, "cancelled"]]);
  });

  test("while one pages show what changes again only afterwards", async () => {
    const { revision } = await ask(house.alice);
    const added = await add(house.sql, house.alice, 3);
    const first = await ask(house.alice, revision, "&limit=1");
    expect(first.hasMore).toBe(true);
    const changed = added.find((id) => id !== first.items[0]?.id) ?? "";
    await house.sql`select parlance.cancel_job(${changed})`;
    const { ids } = await drain(house.alice, first.revision, "&limit=1");
    expect(ids).toEqual([...added.filter((id) => id !== first.items[0]?.id && id !== changed), changed]);
  });

  test("since a list was read are none of what it showed", async () => {
    await add(house.sql, house.alice, 3);
    const list = await house.call(house.alice, "GET", "/jobs?limit=2");
    expect((await ask(house.alice, list.body.revision)).items).toEqual([]);
    const [added] = await add(house.sql, house.alice);
    expect((await drain(house.alice, list.body.revision)).ids).toEqual([added]);
  });

  test("are the caller's own; everyone's for admins and the secret key who ask", async () => {
    const { revision } = await ask("secret");
    const [alices] = await add(house.sql, house.alice);
    const [bobs] = await add(house.sql, house.bob);
    const [houses] = await add(house.sql, null);
    const all = [alices, bobs, houses].toSorted();
    expect((await drain(house.alice, revision)).ids).toEqual([alices]);
    expect((await drain(house.alice, revision, "&scope=all")).ids).toEqual([alices]);
    expect((await drain("secret", revision)).ids).toEqual([houses]);
    expect((await drain(house.admin, revision)).ids).toEqual([]);
    for (const who of ["secret", house.admin] as const) {
      expect((await drain(who, revision, "&scope=all&limit=1")).ids.toSorted()).toEqual(all);
    }
  });

  test("of everyone are found whether they wait, run or have ended", async () => {
    const { revision } = await ask("secret");
    const added = await add(house.sql, house.alice, 3);
    const options = { workerId: createId(), kinds: [ingestImage], lane: "bulk", leaseSeconds: 60 } as const;
    const [done] = await claimJobs(house.sql, { ...options, jobsMax: 2 });
    if (!done) throw new Error("nothing was due");
    await completeJobs(house.sql, [{ ...done, result: {} }]);
    expect((await drain("secret", revision, "&scope=all&limit=1")).ids.toSorted()).toEqual(added.toSorted());
  });

  test("that were pruned are not there, and nothing breaks", async () => {
    const { revision } = await ask(house.alice);
    const [gone, kept] = await add(house.sql, house.alice, 2);
    await house.sql`delete from parlance.jobs where id = ${gone ?? ""}`;
    expect((await drain(house.alice, revision)).ids).toEqual([kept]);
  });
});

async function listIds(who: Who): Promise<string[]> {
  const answer = await house.call(who, "GET", "/jobs");
  return answer.body.items.map((job: { id: string }) => job.id);
}

describe("a revision", () => {
  test.each([
    "x",
    "",
    "00000000.3",
    "zzzzzzzz.3",
    "0123abcd.ffffffffffffffff",
    `0123abcd.3-0`,
    `0123abcd.9-3-3-3`,
    `0123abcd.${"f-".repeat(5002)}1`,
    "0123abcd.9.9.9.not-an-id",
    "1' or '1'='1",
    "%00",
    "9".repeat(20_000),
  ])("that nobody gave is refused: %.40s", async (after) => {
    const path = `/jobs/changes?after=${after.startsWith("%") ? after : encodeURIComponent(after)}`;
    const answer = await house.call(house.alice, "GET", path);
    expect([answer.status, answer.body.code]).toEqual([400, "invalid_cursor"]);
  });

  test("of another database, or of this one before it was put back, is refused", async () => {
    const { revision } = await ask(house.alice);
    const own = decodeRevision(revision);
    const refused = async (after: string) =>
      (await house.call(house.alice, "GET", `/jobs/changes?after=${after}`)).body.code;
    expect(
      await refused(encodeRevision({ ...own, tag: own.tag === "00000000" ? "11111111" : "00000000" })),
    ).toBe("invalid_cursor");
    const later = { end: own.after.end + 1_000_000n, open: [] };
    expect(await refused(encodeRevision({ ...own, after: later }))).toBe("invalid_cursor");
    const walk = { upTo: later, changedIn: 5n, id: createId() };
    expect(await refused(encodeRevision({ ...own, walk }))).toBe("invalid_cursor");
  });

  test("that was made up shows what the caller may see, and nothing else", async () => {
    const [alices] = await add(house.sql, house.alice);
    await add(house.sql, house.bob);
    const { tag } = decodeRevision((await ask(house.alice)).revision);
    const forged = encodeRevision({ tag, after: { end: 4n, open: [3n] } });
    expect((await drain(house.alice, forged)).ids).toEqual([alices]);
  });

  test("keeps snapshots as they are", () => {
    for (const text of [
      "3:3:",
      "100:100:",
      "100:2000:100,101,1999",
      "9007199254740993:9007199254740999:9007199254740993",
    ]) {
      expect(formatSnapshot(parseSnapshot(text))).toBe(text);
      const after = parseSnapshot(text);
      const walk = {
        upTo: parseSnapshot("9223372036854775807:9223372036854775807:"),
        changedIn: after.end,
        id: createId(),
      };
      expect(decodeRevision(encodeRevision({ tag: "0123abcd", after, walk }))).toEqual({
        tag: "0123abcd",
        after,
        walk,
      });
    }
  });

  test("stays short on a server whose hundreds of connections all write", () => {
    const open = Array.from({ length: 500 }, (_, index) => 1_000_000_000n + BigInt(index * 3));
    const after = { end: 1_000_002_000n, open };
    const walk = { upTo: after, changedIn: 1_000_000_500n, id: createId() };
    expect(encodeRevision({ tag: "0123abcd", after, walk }).length).toBeLessThan(2200);
  });
});

/** One transaction that changes some jobs and takes its time to commit, or does not. */
async function change(transaction: TransactionSql): Promise<void> {
  if (draw(3) === 0)
    await add(transaction, [house.alice, house.alice, house.bob, null][draw(4)] ?? null, 1 + draw(3));
  await pause(draw(10));
  const options = {
    workerId: createId(),
    kinds: [ingestImage, embedQuery],
    lane: "bulk",
    leaseSeconds: 60,
  } as const;
  for (const job of await claimJobs(transaction, { ...options, jobsMax: draw(4) })) {
    if (draw(2) === 0) await reportProgress(transaction, job, { done: 1, total: 2 });
    const step = draw(4);
    if (step === 0) await completeJobs(transaction, [{ ...job, result: {} }]);
    if (step === 1) await failJob(transaction, job, { code: "unexpected", message: "no", retryable: false });
    if (step === 2) await releaseJobs(transaction, [job]);
    await pause(draw(5));
  }
  await transaction`
    select parlance.retry_job(id)
    from (select id from parlance.jobs where state = 'failed' limit 1 for update skip locked) as failed
  `;
  await transaction`
    select *
    from (select id, claim from parlance.jobs where state = 'running' limit 2 for update skip locked) as held
    cross join lateral parlance.release_jobs(array[held.id], array[held.claim])
  `;
  await pause(draw(10));
  if (draw(8) === 0) throw new Error("rolled back");
}

/** Reads on and on in pages of random sizes, and stops now and then to resume from an older revision. */
class Reader {
  readonly #who: Who;
  readonly #query: string;
  /** The newest event of each job that was seen. */
  seen = new Map<string, number>();
  revision = "";
  readonly #kept: { revision: string; seen: Map<string, number> }[] = [];
  changes = 0;

  constructor(who: Who, query = "") {
    this.#who = who;
    this.#query = query;
  }

  async begin(): Promise<void> {
    this.revision = (await ask(this.#who)).revision;
  }

  async readPage({ mayResume = true } = {}): Promise<boolean> {
    const page = await ask(this.#who, this.revision, `${this.#query}&limit=${1 + draw(5)}`);
    for (const { id, lastSequence } of page.items) {
      // Shown twice, or older than what was shown before.
      expect(lastSequence).toBeGreaterThan(this.seen.get(id) ?? 0);
      this.seen.set(id, lastSequence);
    }
    this.changes += page.items.length;
    this.revision = page.revision;
    if (draw(6) === 0) this.#kept.push({ revision: this.revision, seen: new Map(this.seen) });
    else if (mayResume && draw(12) === 0) this.#resume();
    return page.hasMore;
  }

  #resume(): void {
    const older = this.#kept[draw(this.#kept.length)];
    if (!older) return;
    this.revision = older.revision;
    this.seen = new Map(older.seen);
  }
}

test("a reader that resumes at random sees every change, and none twice, while writers commit out of order", async () => {
  const readers = [new Reader(house.alice), new Reader("secret", "&scope=all")];
  for (const reader of readers) await reader.begin();
  await add(house.sql, house.alice, 10);
  let isOver = false;
  const writers = Array.from({ length: 5 }, async () => {
    for (let round = 0; round < 30; round++) {
      await house.sql.begin(change).catch((error) => {
        if (error.message !== "rolled back" && error.code !== "40P01") throw error;
      });
    }
  });
  const readings = readers.map(async (reader) => {
    while (!isOver) await reader.readPage();
  });
  await Promise.all(writers);
  isOver = true;
  await Promise.all(readings);
  for (const reader of readers) while (await reader.readPage({ mayResume: false }));
  const rows = await house.sql<{ id: string; ownerId: string | null; eventSequence: number }[]>`
    select id, owner_id, event_sequence from parlance.jobs
  `;
  const truth = rows.map((row) => [row.id, row.eventSequence] as const);
  const alices = rows
    .filter(({ ownerId }) => ownerId === house.alice.id)
    .map((row) => [row.id, row.eventSequence] as const);
  expect(rows.length).toBeGreaterThan(20);
  expect(readers[0]?.changes).toBeGreaterThan(alices.length);
  expect(readers[0]?.seen).toEqual(new Map(alices));
  expect(readers[1]?.seen).toEqual(new Map(truth));
}, 120_000);
