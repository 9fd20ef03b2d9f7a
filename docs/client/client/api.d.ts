// Written by `bun run openapi` from edge/client.ts; a change here is lost.
/** How the routes are called: `/images/{id}` under GET is `images[":id"].$get(…)`, as hono's client has it. */
import type { ClientRequestOptions, ClientResponse } from "hono/client";
import type { ClientErrorStatusCode, ServerErrorStatusCode } from "hono/utils/http-status";
import type { Problem, Routes } from "./routes.d.ts";
/** The whole API. */
export type Api = All<{
    [Path in keyof Routes]: Chain<Path, Methods<Routes[Path]>>;
}[keyof Routes]>["api"];
type Chain<Path, End> = Path extends `/${infer First}/${infer Rest}` ? {
    [Key in First]: Chain<`/${Rest}`, End>;
} : Path extends `/${infer Last}` ? {
    [Key in Last]: End;
} : never;
/** Every member of a union at once. */
type All<Union> = (Union extends unknown ? (one: Union) => void : never) extends (all: infer Every) => void ? Every : never;
type Methods<Item> = {
    [Method in keyof Item]: Item[Method] extends {
        input: infer Input;
        answers: infer Answers;
    } ? Call<Input, ResponseOf<Answers>> : never;
};
/** What needs nothing may be called with nothing. */
type Call<Input, Response> = object extends Input ? (input?: Input, options?: ClientRequestOptions) => Promise<Response> : (input: Input, options?: ClientRequestOptions) => Promise<Response>;
/** One of the route's own answers, or a problem under any status of an error. */
type ResponseOf<Answers> = {
    [Status in keyof Answers]: Status extends number ? ClientResponse<Answers[Status], Status, Answers[Status] extends string | undefined ? "text" : "json"> : never;
}[keyof Answers] | ClientResponse<Problem, ClientErrorStatusCode | ServerErrorStatusCode, "json">;
export {};
