import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import { z } from "zod";
import type { Caller } from "../../../shared/callers.ts";
import { GatewayError, type IdentifiedCaller } from "../keys.ts";
import { isPermitted } from "./authorization.ts";
import type { ChannelContext } from "./context.ts";
import { RateLimit } from "./limits.ts";
import { type Broadcast, checkJson, encodePayload, ProtocolError } from "./protocol.ts";

export interface RoutesContext extends ChannelContext {
  readonly identify: (headers: Headers) => Promise<IdentifiedCaller>;
}

const batchMax = 1_000;
/** Postgres cannot hold a zero byte, and no policy can be asked about one. */
const Topic = z
  .string()
  .min(1)
  .refine((topic) => !topic.includes("\0"), { message: "must not hold a zero byte" });
const Batch = z.object({
  messages: z
    .array(
      z.object({
        topic: Topic,
        event: z.string().min(1),
        payload: z.record(z.string(), z.unknown()),
        private: z.boolean().nullish(),
      }),
    )
    .max(batchMax),
});

/** Broadcast without a socket, and a plain 501 for everything that the embedded mode has not. */
export function createRoutes(context: RoutesContext): Hono {
  const app = new Hono();
  const rate = new RateLimit(context.limits.messagesPerSecond, context.now);

  app.use("/*", cors({ origin: "*", maxAge: 3600 }));
  app.use("/api/broadcast/*", bodyLimit({ maxSize: context.limits.frameBytesMax, onError: answerTooLarge }));

  app.post("/api/broadcast", async (c) => {
    const { caller } = await context.identify(c.req.raw.headers);
    const found = Batch.safeParse(await c.req.json().catch(() => undefined));
    if (!found.success) return c.json({ errors: z.flattenError(found.error).fieldErrors }, 422);
    const { messages } = found.data;
    if (!rate.take(messages.length)) return answerTooMany(c);
    const broadcasts = messages.map((message) => ({ ...message, payload: encodePayload(message.payload) }));
    if (broadcasts.some(({ payload }) => payload.length > context.limits.payloadBytesMax))
      return answerTooLarge(c);
    const writable = await listWritable(context, caller, messages);
    for (const { topic, event, payload, private: isPrivate } of broadcasts) {
      if (isPrivate && !writable.has(topic)) continue;
      context.hub.publish(topic, isPrivate ?? false, { event, encoding: "json", payload });
    }
    return c.body(null, 202);
  });

  app.post("/api/broadcast/:topic/events/:event", async (c) => {
    const { caller } = await context.identify(c.req.raw.headers);
    const { topic, event } = c.req.param();
    if (!Topic.safeParse(topic).success) return c.json({ message: "The topic cannot be one" }, 422);
    const query = new URL(c.req.url).searchParams;
    if ([...query.keys()].some((key) => key.startsWith("persist"))) return answerUnsupported(c);
    const broadcast = await readBroadcast(c, event);
    if (broadcast instanceof Response) return broadcast;
    if (broadcast.payload.length > context.limits.payloadBytesMax) return answerTooLarge(c);
    if (!rate.take()) return answerTooMany(c);
    const isPrivate = query.get("private") === "true";
    if (isPrivate && !(await isPermitted(context.sql, caller, "write", topic))) {
      return c.json({ error: "Unauthorized", message: "Unauthorized" }, 403);
    }
    context.hub.publish(topic, isPrivate, broadcast);
    return c.body(null, 202);
  });

  app.all("*", answerUnsupported);
  app.onError((error, c) => {
    if (error instanceof GatewayError)
      return c.json({ code: error.code, message: error.message }, error.status);
    context.reportError(error);
    return c.json({ message: "Unable to authorize broadcast" }, 500);
  });
  return app;
}

/** The private topics of a batch that the caller may write to; the others are dropped without a word. */
async function listWritable(
  context: ChannelContext,
  caller: Caller,
  messages: readonly { topic: string; private?: boolean | null | undefined }[],
): Promise<Set<string>> {
  const writable = new Set<string>();
  for (const topic of new Set(
    messages.filter((message) => message.private).map((message) => message.topic),
  )) {
    if (await isPermitted(context.sql, caller, "write", topic)) writable.add(topic);
  }
  return writable;
}

async function readBroadcast(c: Context, event: string): Promise<Broadcast | Response> {
  const payload = new Uint8Array(await c.req.arrayBuffer());
  const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/octet-stream") return { event, encoding: "binary", payload };
  if (type !== "application/json") return c.json({ message: "Send JSON or application/octet-stream" }, 415);
  try {
    checkJson(payload);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return c.json({ message: "The payload is not JSON" }, 422);
  }
  return { event, encoding: "json", payload };
}

function answerTooMany(c: Context): Response {
  return c.json({ message: "You have exceeded your rate limit" }, 429);
}

function answerTooLarge(c: Context): Response {
  return c.json({ message: "Payload size exceeds tenant limit" }, 422);
}

function answerUnsupported(c: Context): Response {
  const message = "The embedded mode has broadcast alone: the websocket, and POST /api/broadcast.";
  return c.json({ code: "not_supported", message, error: message }, 501);
}
