/** The room over HTTP: what its parts offer, one after another. */
import type { Deps } from "../deps.ts";
import { createRouter } from "../http/router.ts";
import { createAlertRoutes } from "./alerts/alert-routes.ts";
import { createImportRoutes } from "./imports/routes.ts";
import { createLogRoutes } from "./log/routes.ts";
import { createLoggingRoutes } from "./logging-routes.ts";
import { createOtlpRoutes } from "./otlp/routes.ts";
import { createRuleRoutes } from "./rules/rule-routes.ts";
import { createStatisticsRoutes } from "./statistics/series-routes.ts";

export function createInteractionRoutes(deps: Deps) {
  return (
    createRouter()
      // Before those of one interaction: their paths would be taken for ids.
      .route("/", createStatisticsRoutes(deps))
      .route("/", createLoggingRoutes(deps))
      .route("/", createOtlpRoutes(deps))
      .route("/", createAlertRoutes(deps))
      .route("/", createRuleRoutes(deps))
      .route("/", createImportRoutes(deps))
      // Last, for the same reason: it takes `/interactions/{id}`.
      .route("/", createLogRoutes(deps))
  );
}
