/** The room over HTTP: what its parts offer, one after another. */
import type { Deps } from "../deps.ts";
import { createRouter } from "../http/router.ts";
import { createLoggingRoutes } from "./logging-routes.ts";
import { createOtlpRoutes } from "./otlp/routes.ts";

export function createInteractionRoutes(deps: Deps) {
  return createRouter().route("/", createLoggingRoutes(deps)).route("/", createOtlpRoutes(deps));
}
