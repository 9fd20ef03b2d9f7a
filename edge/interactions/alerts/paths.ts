/** What the routes of alerts have in common. */
import { z } from "@hono/zod-openapi";
import {
  Alert,
  AlertDetails,
  AlertFilter,
  AlertFiring,
  AlertState,
} from "../../../shared/interactions/alerts.ts";
import { RowTime } from "../../http/cursors.ts";
import { nameSchema } from "../../http/schemas.ts";
import { Scope } from "../owners.ts";

export const tags = ["alerts"];
export const AlertPath = z.object({ id: z.uuid() });
export const AlertCursor = z.object({ openedAt: RowTime, id: z.uuid() });
export const FiringCursor = z.object({ occurredAt: RowTime, interactionId: z.uuid() });

export const AlertAnswer = nameSchema("Alert", Alert);
export const alertAnswer = { content: { "application/json": { schema: AlertAnswer } } };
export const AlertDetailsAnswer = nameSchema("AlertDetails", AlertDetails);
export const FiringAnswer = nameSchema("AlertFiring", AlertFiring);

/** A parameter that may stand there several times. */
const States = z
  .preprocess(
    (value: string | string[] | undefined) => (typeof value === "string" ? [value] : value),
    z.array(AlertState).max(10).optional(),
  )
  .openapi({
    type: "array",
    items: { type: "string", enum: AlertState.options },
    maxItems: 10,
    description: "Any of these; may stand there several times. Default: all.",
  });

export const AlertQuery = z.object({
  ...AlertFilter.shape,
  interaction_id: z.uuid().optional().describe("The same as `interactionId`."),
  state: States,
  isImported: z
    .enum(["true", "false"])
    .optional()
    .describe("Whether they are of rows of an import, of which nobody is told."),
  scope: Scope,
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
});

export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
});
