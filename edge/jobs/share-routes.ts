/** Who gets how much of the workers; set by admins, and everyone may read their own. */
import { createRoute, z } from "@hono/zod-openapi";
import type { TransactionSql } from "postgres";
import { serviceCaller, transactAs } from "../../shared/callers.ts";
import { violatedConstraint } from "../../shared/database.ts";
import { AppError } from "../../shared/errors.ts";
import { JobShare, NewJobShare } from "../../shared/jobs/operating.ts";
import type { Deps } from "../deps.ts";
import { adminsOnly } from "../http/admins.ts";
import { cutPage, decodeCursor } from "../http/cursors.ts";
import { requireUser } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";

const tags = ["jobs"];
const params = z.object({ ownerId: z.uuid() });
const JobShareAnswer = nameSchema("JobShare", JobShare);
const shareAnswer = { content: { "application/json": { schema: JobShareAnswer } } };

const listRoute = createRoute({
  method: "get",
  path: "/jobs/shares",
  tags,
  summary: "Shares that were set",
  middleware: adminsOnly,
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of shares, in the order of their owners' ids.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(JobShareAnswer), nextCursor: z.string().nullable() })
            .openapi("JobSharePage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "unauthenticated", "forbidden"),
  },
});

const getOwnRoute = createRoute({
  method: "get",
  path: "/jobs/shares/me",
  tags,
  summary: "Your share of the workers",
  responses: {
    200: { description: "What was set, or the defaults.", ...shareAnswer },
    ...describeProblems("unauthenticated"),
  },
});

const getOneRoute = createRoute({
  method: "get",
  path: "/jobs/shares/{ownerId}",
  tags,
  summary: "A user's share of the workers",
  middleware: adminsOnly,
  request: { params },
  responses: {
    200: { description: "What was set, or the defaults.", ...shareAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden"),
  },
});

const putRoute = createRoute({
  method: "put",
  path: "/jobs/shares/{ownerId}",
  tags,
  summary: "Set a user's share of the workers",
  description:
    "Whole: what is left out has its default. The weight and how many may wait apply to jobs that are added from then " +
    "on, how many may run to the next claims.",
  middleware: adminsOnly,
  request: {
    params,
    body: {
      content: { "application/json": { schema: nameSchema("NewJobShare", NewJobShare) } },
      required: true,
    },
  },
  responses: {
    200: { description: "The share as it stands.", ...shareAnswer },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/jobs/shares/{ownerId}",
  tags,
  summary: "Give a user the default share again",
  middleware: adminsOnly,
  request: { params },
  responses: {
    204: { description: "The defaults apply." },
    ...describeProblems("invalid_request", "unauthenticated", "forbidden", "not_found"),
  },
});

const ShareCursor = z.object({ ownerId: z.uuid() });

export function createShareRoutes({ sql }: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { limit, cursor } = c.req.valid("query");
      const afterOwnerId = cursor === undefined ? undefined : decodeCursor(ShareCursor, cursor).ownerId;
      const shares = await transactAs(sql, serviceCaller, (transaction) =>
        listShares(transaction, afterOwnerId, limit + 1),
      );
      return c.json(
        cutPage(shares, limit, ({ ownerId }) => ({ ownerId })),
        200,
      );
    })
    .openapi(getOwnRoute, async (c) => {
      const ownerId = requireUser(c.var.caller);
      const share = await transactAs(sql, c.var.caller, (transaction) => findShare(transaction, ownerId));
      return c.json(share ?? defaultShare(ownerId), 200);
    })
    .openapi(getOneRoute, async (c) => {
      const { ownerId } = c.req.valid("param");
      const share = await transactAs(sql, serviceCaller, (transaction) => findShare(transaction, ownerId));
      return c.json(share ?? defaultShare(ownerId), 200);
    })
    .openapi(putRoute, async (c) => {
      const { ownerId } = c.req.valid("param");
      const share = await transactAs(sql, serviceCaller, (transaction) =>
        upsertShare(transaction, ownerId, c.req.valid("json")),
      ).catch(explainOwner);
      return c.json(share, 200);
    })
    .openapi(deleteRoute, async (c) => {
      const { ownerId } = c.req.valid("param");
      const isGone = await transactAs(sql, serviceCaller, (transaction) => deleteShare(transaction, ownerId));
      if (!isGone) throw new AppError("not_found", "This user has the default share already.");
      return c.body(null, 204);
    });
}

function defaultShare(ownerId: string): JobShare {
  return { ownerId, weight: 1, queuedMax: null, runningMax: null, updatedAt: null };
}

function explainOwner(error: unknown): never {
  if (violatedConstraint(error) !== "job_shares_owner_id_fkey") throw error;
  throw new AppError("not_found", "There is no such user.");
}

async function listShares(
  sql: TransactionSql,
  afterOwnerId: string | undefined,
  limit: number,
): Promise<JobShare[]> {
  return await sql<JobShare[]>`
    select owner_id, weight, queued_max, running_max, updated_at
    from parlance.job_shares
    where ${afterOwnerId === undefined ? sql`true` : sql`owner_id > ${afterOwnerId}`}
    order by owner_id
    limit ${limit}
  `;
}

async function findShare(sql: TransactionSql, ownerId: string): Promise<JobShare | undefined> {
  const [share] = await sql<JobShare[]>`
    select owner_id, weight, queued_max, running_max, updated_at
    from parlance.job_shares
    where owner_id = ${ownerId}
  `;
  return share;
}

async function upsertShare(sql: TransactionSql, ownerId: string, share: NewJobShare): Promise<JobShare> {
  const [row] = await sql<JobShare[]>`
    insert into parlance.job_shares (owner_id, weight, queued_max, running_max)
    values (${ownerId}, ${share.weight}, ${share.queuedMax}, ${share.runningMax})
    on conflict (owner_id) do update
    set weight = excluded.weight,
      queued_max = excluded.queued_max,
      running_max = excluded.running_max,
      updated_at = now()
    returning owner_id, weight, queued_max, running_max, updated_at
  `;
  if (!row) throw new AppError("unexpected", "The share was not kept.");
  return row;
}

async function deleteShare(sql: TransactionSql, ownerId: string): Promise<boolean> {
  const { count } = await sql`delete from parlance.job_shares where owner_id = ${ownerId}`;
  return count > 0;
}
