/** The log over HTTP: read, exported, deleted, and how its owner wants it kept. */
import type { Deps } from "../../deps.ts";
import { createRouter } from "../../http/router.ts";
import { createListRoutes } from "./list-routes.ts";

export function createLogRoutes(deps: Deps) {
  return createRouter().route("/", createListRoutes(deps));
}
