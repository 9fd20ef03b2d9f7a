/* @ts-self-types="./client.d.ts" */
// Written by `bun run openapi` from edge/client.ts; a change here is lost.
/**
 * The API for programs that call it, typed from its routes: hono's `hc`, which turns `client.images.search.$get(…)`
 * into a request. Runs in browsers, Node, Bun and Deno; of the server it knows types only.
 */
import { hc } from "hono/client";
/** `client.images[":id"].$get({ param: { id } })` and so on: the path, then the method. */
export function createClient(settings) {
    const { accessToken, timeoutMs = 60_000, fetch: ask = fetch } = settings;
    const headers = async () => {
        const token = typeof accessToken === "function" ? await accessToken() : accessToken;
        return {
            apikey: settings.publishableKey ?? settings.secretKey ?? "",
            ...(token ? { authorization: `Bearer ${token}` } : {}),
        };
    };
    const askInTime = (input, init = {}) => {
        const timeout = AbortSignal.timeout(timeoutMs);
        return ask(input, { ...init, signal: init.signal ? AbortSignal.any([init.signal, timeout]) : timeout });
    };
    const base = `${settings.url.replace(/\/+$/, "")}/functions/v1`;
    // The type of the global fetch names more than a call where a runtime adds to it.
    const client = hc(base, { headers, fetch: askInTime });
    return encodeParams(client).api;
}
/**
 * Each value of a path as one segment of it. Left as it is, an id that holds `../` would lead to another route, and
 * an empty one to the list.
 */
function encodeParams(target) {
    return new Proxy(target, {
        get(inner, key) {
            const next = Reflect.get(inner, key);
            return typeof next === "function" ? encodeParams(next) : next;
        },
        apply(inner, _self, [input, options]) {
            const sent = [input?.param ? { ...input, param: encodeSegments(input.param) } : input, options];
            return Reflect.apply(inner, undefined, sent);
        },
    });
}
function encodeSegments(params) {
    const encoded = Object.entries(params).map(([name, value]) => {
        const text = String(value);
        if (/^\.{0,2}$/.test(text))
            throw new TypeError(`\`${name}\` must be an id or a name: it is "${text}".`);
        return [name, encodeURIComponent(text)];
    });
    return Object.fromEntries(encoded);
}
/** An answer that was no success. What the API says is in it; where something else answered, `problem` is undefined. */
export class ApiProblem extends Error {
    status;
    /** For programs; does not change. `unexpected` where something else than the API answered. */
    code;
    /** The fields at fault: `{ field, message }`. */
    fields;
    /** Name it when you ask about this. */
    requestId;
    /** When to try again, where the answer says so. */
    retryAfterSeconds;
    problem;
    constructor(response, problem) {
        super(problem?.detail ?? `The answer has status ${response.status} and does not say why.`);
        this.name = "ApiProblem";
        this.status = response.status;
        this.code = problem?.code ?? "unexpected";
        this.fields = problem?.errors ?? [];
        this.requestId = problem?.requestId ?? response.headers.get("x-request-id") ?? undefined;
        const seconds = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
        this.retryAfterSeconds = Number.isNaN(seconds) ? undefined : seconds;
        this.problem = problem;
    }
}
/**
 * The body of a success; throws an ApiProblem for every other answer. Given a status, every other success is refused
 * too: `unwrap(client.images.$post({ form }), 202)`.
 */
export async function unwrap(asked, status) {
    const response = await asked;
    if (!response.ok || (status !== undefined && response.status !== status)) {
        throw new ApiProblem(response, await readProblem(response));
    }
    // The type of the route says what it answers; nothing is checked again here.
    return (await readBody(response));
}
async function readBody(response) {
    if (response.status === 204)
        return undefined;
    const isJson = /[/+]json\b/.test(response.headers.get("content-type") ?? "");
    return isJson ? response.json() : response.text();
}
async function readProblem(response) {
    const text = await response.text();
    if (!response.headers.get("content-type")?.startsWith("application/problem+json"))
        return undefined;
    try {
        return JSON.parse(text);
    }
    catch {
        return undefined;
    }
}
/**
 * Waits for a job's end and returns the job, which may be `done`, `failed` or `cancelled`. It asks again and again;
 * in a browser the same events come by themselves on the Realtime topic `user:<your id>`.
 */
export async function followJob(client, id, settings = {}) {
    const { onEvent, pollMs = 1_000, timeoutMs = 300_000 } = settings;
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = settings.signal ? AbortSignal.any([settings.signal, timeout]) : timeout;
    for (let told = 0;;) {
        const job = await unwrap(client.jobs[":id"].$get({ param: { id } }, { init: { signal } }));
        while (onEvent && told < job.lastSequence) {
            const events = await listEvents(client, job, told, signal);
            for (const event of events)
                onEvent(event);
            told = events.at(-1)?.sequence ?? job.lastSequence;
        }
        if (job.finishedAt !== null)
            return job;
        await pause(pollMs, signal);
    }
}
/** The next events, those since the job was read among them; none where they were pruned. */
async function listEvents(client, job, after, signal) {
    const input = { param: { id: job.id }, query: { after } };
    const response = await client.jobs[":id"].events.$get(input, { init: { signal } });
    return response.status === 410 ? [] : (await unwrap(response)).items;
}
function pause(durationMs, signal) {
    return new Promise((resolve, reject) => {
        const stop = () => {
            clearTimeout(timer);
            reject(signal.reason);
        };
        const timer = setTimeout(() => {
            signal.removeEventListener("abort", stop);
            resolve();
        }, durationMs);
        if (signal.aborted)
            stop();
        else
            signal.addEventListener("abort", stop, { once: true });
    });
}
