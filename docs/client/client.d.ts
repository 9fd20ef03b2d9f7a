// Written by `bun run openapi` from edge/client.ts; a change here is lost.
/**
 * The API for programs that call it, typed from its routes: hono's `hc`, which turns `client.images.search.$get(…)`
 * into a request. Runs in browsers, Node, Bun and Deno; of the server it knows types only.
 */
import { type ClientResponse } from "hono/client";
import type { SuccessStatusCode } from "hono/utils/http-status";
import type { Api } from "./client/api.d.ts";
import type { Problem } from "./client/routes.d.ts";
export interface ClientSettings {
    /** The project's URL, the same that supabase-js takes. */
    url: string;
    /** A user's token, or what finds it when a request is made; without one you see what is public. */
    accessToken?: string | (() => string | undefined | Promise<string | undefined>);
    /** Asked instead of the global `fetch`. */
    fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
    /** How long one answer may take, its body included. Default 60,000. */
    timeoutMs?: number;
}
/** One key: the publishable one anywhere, the secret one only where nobody else can read it. */
export type ClientKey = {
    publishableKey: string;
    secretKey?: never;
} | {
    secretKey: string;
    publishableKey?: never;
};
export type Client = Api;
/** `client.images[":id"].$get({ param: { id } })` and so on: the path, then the method. */
export declare function createClient(settings: ClientSettings & ClientKey): Client;
/** An answer that was no success. What the API says is in it; where something else answered, `problem` is undefined. */
export declare class ApiProblem extends Error {
    readonly status: number;
    /** For programs; does not change. `unexpected` where something else than the API answered. */
    readonly code: Problem["code"];
    /** The fields at fault: `{ field, message }`. */
    readonly fields: Problem["errors"];
    /** Name it when you ask about this. */
    readonly requestId: string | undefined;
    /** When to try again, where the answer says so. */
    readonly retryAfterSeconds: number | undefined;
    readonly problem: Problem | undefined;
    constructor(response: {
        status: number;
        headers: Headers;
    }, problem?: Problem);
}
type AnyResponse = ClientResponse<unknown, number, "json" | "text">;
/** What a route's response holds when it is a success; `Status` narrows it to one of several. */
export type Answer<Response, Status extends number = SuccessStatusCode> = Response extends ClientResponse<infer Output, infer Given, infer _Format> ? Given extends Status & SuccessStatusCode ? Output : never : never;
/**
 * The body of a success; throws an ApiProblem for every other answer. Given a status, every other success is refused
 * too: `unwrap(client.images.$post({ form }), 202)`.
 */
export declare function unwrap<Response extends AnyResponse, Status extends Response["status"] & SuccessStatusCode = Response["status"] & SuccessStatusCode>(asked: Response | Promise<Response>, status?: Status): Promise<Answer<Response, Status>>;
export type Job = Answer<Awaited<ReturnType<Client["jobs"][":id"]["$get"]>>>;
export type JobEvent = Answer<Awaited<ReturnType<Client["jobs"][":id"]["events"]["$get"]>>>["items"][number];
export interface FollowSettings {
    /** Told of each event, in order and once. */
    onEvent?: (event: JobEvent) => void;
    /** Ends the waiting, not the job. */
    signal?: AbortSignal;
    /** How long to wait for the job's end. Default 300,000. */
    timeoutMs?: number;
    /** Between two looks. Default 1,000. */
    pollMs?: number;
}
/**
 * Waits for a job's end and returns the job, which may be `done`, `failed` or `cancelled`. It asks again and again;
 * in a browser the same events come by themselves on the Realtime topic `user:<your id>`.
 */
export declare function followJob(client: Client, id: string, settings?: FollowSettings): Promise<Job>;
export {};
