/** Webhooks over HTTP; for signed-in users, and with the secret key for the house. */
import { createRoute, z } from "@hono/zod-openapi";
import { createId } from "../../shared/ids.ts";
import {
  NewWebhook,
  Webhook,
  WebhookChange,
  WebhookSecret,
  WebhookWithSecret,
} from "../../shared/webhooks/contract.ts";
import type { Deps } from "../deps.ts";
import { requireSignedIn } from "../http/identity.ts";
import { describeProblems } from "../http/problems.ts";
import { createRouter } from "../http/router.ts";
import { nameSchema } from "../http/schemas.ts";
import { createDeliveryRoutes } from "./delivery-routes.ts";
import { signedIn, tags, WebhookPath } from "./paths.ts";
import {
  addWebhook,
  changeWebhook,
  removeWebhook,
  rotateSecret,
  showWebhook,
  showWebhooks,
} from "./webhooks.ts";

const WebhookAnswer = nameSchema("Webhook", Webhook);
const webhookAnswer = { content: { "application/json": { schema: WebhookAnswer } } };

const listRoute = createRoute({
  method: "get",
  path: "/webhooks",
  tags,
  summary: "Webhooks, newest first",
  description: "Your own; the secret key's own are those of the house.",
  middleware: [signedIn] as const,
  responses: {
    200: {
      description: "All of them: there are 20 at most.",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(WebhookAnswer), nextCursor: z.null() }).openapi("WebhookList"),
        },
      },
    },
  },
});

const addRoute = createRoute({
  method: "post",
  path: "/webhooks",
  tags,
  summary: "Name an address that is called when your jobs end, and of alerts",
  description:
    "It is sent a POST with a JSON body for each event, signed as Standard Webhooks 1.0 says (`webhook-id`, " +
    "`webhook-timestamp`, `webhook-signature`). 2xx within ten seconds counts as delivered; anything else is tried " +
    "again for a quarter of an hour, 410 disables the webhook (of format `slack` 404 too). A message may come twice: its `webhook-id` is then the same. " +
    "20 webhooks each.",
  middleware: [signedIn] as const,
  request: {
    body: {
      content: { "application/json": { schema: nameSchema("NewWebhook", NewWebhook) } },
      required: true,
    },
  },
  responses: {
    201: {
      description: "The webhook, and the secret that its messages are signed with.",
      content: { "application/json": { schema: nameSchema("WebhookWithSecret", WebhookWithSecret) } },
    },
    ...describeProblems("invalid_request", "quota_exceeded"),
  },
});

const getRoute = createRoute({
  method: "get",
  path: "/webhooks/{id}",
  tags,
  summary: "One webhook",
  middleware: [signedIn] as const,
  request: { params: WebhookPath },
  responses: {
    200: { description: "The webhook as it stands.", ...webhookAnswer },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const patchRoute = createRoute({
  method: "patch",
  path: "/webhooks/{id}",
  tags,
  summary: "Change a webhook, disable or enable it",
  description: "What waits for a webhook when it is disabled, or is deleted, is no longer sent.",
  middleware: [signedIn] as const,
  request: {
    params: WebhookPath,
    body: {
      content: { "application/json": { schema: nameSchema("WebhookChange", WebhookChange) } },
      required: true,
    },
  },
  responses: {
    200: { description: "The webhook as it is now.", ...webhookAnswer },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const deleteRoute = createRoute({
  method: "delete",
  path: "/webhooks/{id}",
  tags,
  summary: "Delete a webhook",
  middleware: [signedIn] as const,
  request: { params: WebhookPath },
  responses: {
    204: { description: "It is gone." },
    ...describeProblems("invalid_request", "not_found"),
  },
});

const secretRoute = createRoute({
  method: "post",
  path: "/webhooks/{id}/secret",
  tags,
  summary: "Replace a webhook's secret",
  description:
    "For 24 hours messages bear a signature by each of the two, so that receivers can be changed in peace.",
  middleware: [signedIn] as const,
  request: { params: WebhookPath },
  responses: {
    201: {
      description: "The secret in use from now on.",
      content: { "application/json": { schema: nameSchema("WebhookSecret", WebhookSecret) } },
    },
    ...describeProblems("invalid_request", "not_found"),
  },
});

export function createWebhookRoutes(deps: Deps) {
  return createRouter()
    .openapi(listRoute, async (c) => {
      const items = await showWebhooks(deps, c.var.caller, requireSignedIn(c.var.caller));
      return c.json({ items, nextCursor: null }, 200);
    })
    .openapi(addRoute, async (c) => {
      const ownerId = requireSignedIn(c.var.caller);
      const id = c.var.operationId ?? createId();
      const webhook = await addWebhook(deps, { ...c.req.valid("json"), id, ownerId });
      c.set("answerHoldsSecret", true);
      return c.json(webhook, 201);
    })
    .openapi(getRoute, async (c) =>
      c.json(await showWebhook(deps, c.var.caller, c.req.valid("param").id), 200),
    )
    .openapi(patchRoute, async (c) => {
      const { id } = c.req.valid("param");
      return c.json(await changeWebhook(deps, c.var.caller, id, c.req.valid("json")), 200);
    })
    .openapi(deleteRoute, async (c) => {
      await removeWebhook(deps, c.var.caller, c.req.valid("param").id);
      return c.body(null, 204);
    })
    .openapi(secretRoute, async (c) => {
      const secret = await rotateSecret(deps, c.var.caller, c.req.valid("param").id);
      c.set("answerHoldsSecret", true);
      return c.json(secret, 201);
    })
    .route("/", createDeliveryRoutes(deps));
}
