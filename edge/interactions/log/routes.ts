/** The log over HTTP: read, exported, deleted, and how its owner wants it kept. */
import type { Deps } from "../../deps.ts";
import { createRouter } from "../../http/router.ts";
import { createDeletionRoutes } from "./deletion-routes.ts";
import { createExportRoutes } from "./export-routes.ts";
import { createListRoutes } from "./list-routes.ts";
import { createSettingsRoutes } from "./settings-routes.ts";

export function createLogRoutes(deps: Deps) {
  return (
    createRouter()
      .route("/", createSettingsRoutes(deps))
      .route("/", createExportRoutes(deps))
      .route("/", createDeletionRoutes(deps))
      // Last: their paths would be taken for ids.
      .route("/", createListRoutes(deps))
  );
}
