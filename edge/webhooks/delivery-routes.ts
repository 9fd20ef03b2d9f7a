/** The ledger of a webhook over HTTP. */
import { createRoute, z } from "@hono/zod-openapi";
import { DeliveryState, WebhookDelivery } from "../../shared/webhooks/contract.ts";
import type { Deps } from "../deps.ts";
import { cutPage, decodeCursor } from "../http/cursors.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { redeliver, sendTest, showDeliveries } from "./deliveries.ts";
import { signedIn, tags, WebhookPath } from "./paths.ts";

const DeliveryCursor = z.object({ id: z.uuid() });
const DeliveryAnswer = nameSchema("WebhookDelivery", WebhookDelivery);
const deliveryAnswer = { content: { "application/json": { schema: DeliveryAnswer } } };

const listRoute = createRoute({
  method: "get",
  path: "/webhooks/{id}/deliveries",
  tags,
  summary: "What was sent to a webhook, newest first",
  description: "Kept for 30 days.",
  middleware: [signedIn] as const,
  request: {
    params: WebhookPath,
    query: z.object({
      state: DeliveryState.optional(),
      limit: z.coerce.number().int().min(1).max(100).default(50),
      cursor: z.string().optional(),
    }),
  },
  responses: {
    200: {
      description: "A page of deliveries.",
      content: {
        "application/json": {
          schema: z
            .object({ items: z.array(DeliveryAnswer), nextCursor: z.string().nullable() })
            .openapi("WebhookDeliveryPage"),
        },
      },
    },
    ...describeProblems("invalid_request", "invalid_cursor", "not_found"),
  },
});

const testRoute = createRoute({
  method: "post",
  path: "/webhooks/{id}/test",
  tags,
  summary: "Send a webhook a test",
  description: "A signed `webhook.test` takes the way that events take; follow it by the ledger.",
  middleware: [signedIn] as const,
  request: { params: WebhookPath },
  responses: {
    202: { description: "The delivery as it stands now.", ...deliveryAnswer },
    ...describeProblems("invalid_request", "not_found", "conflict", "quota_exceeded"),
  },
});

const redeliveryRoute = createRoute({
  method: "post",
  path: "/webhooks/{id}/deliveries/{deliveryId}/redelivery",
  tags,
  summary: "Send a message once more",
  description:
    "With the `webhook-id` that it had: a receiver that keeps ids knows it. 409 while it is still being tried.",
  middleware: [signedIn] as const,
  request: { params: WebhookPath.extend({ deliveryId: z.uuid() }) },
  responses: {
    202: { description: "The delivery as it stands now.", ...deliveryAnswer },
    ...describeProblems("invalid_request", "not_found", "conflict", "quota_exceeded"),
  },
});

export function createDeliveryRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const { cursor, limit, state } = c.req.valid("query");
      const beforeId = cursor === undefined ? undefined : decodeCursor(DeliveryCursor, cursor).id;
      const page = { state, beforeId, limit: limit + 1 };
      const rows = await showDeliveries(deps, c.var.caller, c.req.valid("param").id, page);
      return c.json(
        cutPage(rows, limit, ({ id }) => ({ id })),
        200,
      );
    })
    .openapi(testRoute, async (c) => c.json(await sendTest(deps, c.var.caller, c.req.valid("param").id), 202))
    .openapi(redeliveryRoute, async (c) => {
      const { id, deliveryId } = c.req.valid("param");
      return c.json(await redeliver(deps, c.var.caller, id, deliveryId), 202);
    });
}
