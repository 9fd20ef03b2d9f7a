/**
 * The routes as the compiler writes them out: the declarations of what is inferred here name no type of ours.
 * Compiled by `writeClient`, never run.
 */
import type { Problem, Routes } from "../../edge/client/routes.ts";

declare const given: { routes: Routes; problem: Problem };

export const routes = { ...given.routes };
export const problem = { ...given.problem };
