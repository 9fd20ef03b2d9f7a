/**
 * One port for everything, on the paths of a Supabase project: what the gateway of a hosted project does, and no more.
 *
 *   /auth/v1 · /storage/v1 · /realtime/v1 · /functions/v1/api · /reference · everything else is refused
 */
import type { Server } from "bun";
import type { Realtime } from "./realtime/server.ts";
import type { RealtimeSocket } from "./realtime/socket.ts";
import { answerReference } from "./reference.ts";

export type Fetch = (request: Request) => Response | Promise<Response>;

export interface Services {
  readonly auth: Fetch;
  readonly storage: Fetch;
  readonly realtime: Realtime;
  /** The edge app; sees `/api/...`, as on Supabase. */
  readonly functions: Fetch;
}

export interface LocalServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** The header in which the gateway hands on the client's address; what a client sends in it is dropped. */
export const clientAddressHeader = "x-real-ip";

/** Binds the port at once; `services` may come later, and requests wait for them until then. Throws where it cannot. */
export function startServer(options: {
  port: number;
  host: string;
  services: Promise<Services>;
  /** Told what no service answered for; whoever asked is not. */
  reportError: (error: unknown) => void;
}): LocalServer {
  let realtime: Realtime | undefined;
  options.services.then(
    (services) => {
      realtime = services.realtime;
    },
    () => {},
  );
  const socketHandler = () => {
    if (!realtime) throw new Error("a websocket was opened before Realtime started");
    return realtime.websocket;
  };
  const server = listen({
    port: options.port,
    hostname: options.host,
    // Without it Bun shares a port with whoever has it, and each gets half of the requests.
    reusePort: false,
    idleTimeout: 120,
    // Each service has limits of its own; this one only has to be above them.
    maxRequestBodySize: 1024 ** 3,
    // Bun's own page for errors shows source code and paths to whoever asked.
    development: false,
    error: (error) => {
      options.reportError(error);
      return answerJson(500, "unexpected", "Something went wrong on our side.");
    },
    fetch: async (request, bunServer) => answer(await options.services, request, bunServer),
    websocket: {
      maxPayloadLength: 5_000_000,
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      // A last resort: a socket that cannot keep up is closed by Realtime, with a reason, long before.
      backpressureLimit: 40 * 1024 * 1024,
      closeOnBackpressureLimit: true,
      open: (socket) => socketHandler().open?.(socket),
      message: (socket, message) => socketHandler().message?.(socket, message),
      drain: (socket) => socketHandler().drain?.(socket),
      close: (socket, code, reason) => socketHandler().close?.(socket, code, reason),
    },
  });
  return { port: server.port ?? options.port, stop: () => server.stop(true) };
}

function listen(options: Bun.Serve.Options<RealtimeSocket>): Server<RealtimeSocket> {
  try {
    return Bun.serve(options);
  } catch (error) {
    const reason =
      error instanceof Error && "code" in error && error.code === "EADDRINUSE"
        ? "something else listens there. Stop it, or set PORT to another one"
        : error instanceof Error
          ? error.message
          : String(error);
    throw new Error(`Port ${options.port} of ${options.hostname} cannot be had: ${reason}.`, {
      cause: error,
    });
  }
}

async function answer(
  services: Services,
  request: Request,
  server: Server<RealtimeSocket>,
): Promise<Response | undefined> {
  const url = URL.parse(request.url);
  if (!url) return answerJson(400, "bad_request", "The Host header does not name a host.");
  if (url.pathname === "/reference") return answerReference(request.method);
  if (url.pathname === "/realtime/v1/websocket") return services.realtime.upgrade(request, server);
  const address = server.requestIP(request)?.address ?? "unknown";
  const routes: [string, Fetch][] = [
    ["/auth/v1", services.auth],
    ["/storage/v1", services.storage],
    ["/realtime/v1", (inner) => services.realtime.app.fetch(inner)],
    ["/functions/v1", services.functions],
  ];
  for (const [prefix, fetch] of routes) {
    if (url.pathname === prefix || url.pathname.startsWith(`${prefix}/`)) {
      if (request.method === "OPTIONS" && prefix === "/auth/v1") return answerPreflight();
      const response = await fetch(withoutPrefix(request, url, prefix, address));
      // Answered before its body had come: what still comes of it would be kept until the client goes.
      if (response.status === 504) response.headers.set("connection", "close");
      return prefix === "/auth/v1" ? allowBrowsers(response) : response;
    }
  }
  return refuse(url.pathname);
}

/** Auth leaves CORS to the gateway, as on a hosted project; the other services answer for themselves. */
function allowBrowsers(response: Response): Response {
  response.headers.set("access-control-allow-origin", "*");
  response.headers.set("access-control-expose-headers", "x-total-count, link, x-supabase-api-version");
  return response;
}

function answerPreflight(): Response {
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": "*",
      "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
      "access-control-allow-headers":
        "authorization, apikey, content-type, x-client-info, x-supabase-api-version, x-retry-count",
      "access-control-max-age": "86400",
    },
  });
}

/** The request as the service behind the gateway sees it. */
function withoutPrefix(request: Request, url: URL, prefix: string, address: string): Request {
  const inner = new URL(url);
  inner.pathname = url.pathname.slice(prefix.length) || "/";
  const forwarded = new Request(inner, request);
  forwarded.headers.set(clientAddressHeader, address);
  return forwarded;
}

function refuse(path: string): Response {
  const isMissing = /^\/(rest|graphql|pg|analytics)\//.test(path);
  const message = isMissing
    ? "The embedded mode does not serve this part of Supabase; use a Supabase project for it."
    : "Nothing is served here. The API is at /functions/v1/api, its contract at /functions/v1/api/openapi.json and, to be read, at /reference.";
  return answerJson(isMissing ? 501 : 404, isMissing ? "not_implemented" : "not_found", message);
}

function answerJson(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status, headers: { "access-control-allow-origin": "*" } });
}
