/**
 * Runs the function `api` as it is on plain Deno with what Supabase's edge runtime gives beside it: `EdgeRuntime.waitUntil`,
 * and `beforeunload` with a reason, here at SIGUSR1. Tells both, and the port, as lines of JSON.
 */
const tell = (event, details = {}) => console.log(JSON.stringify({ event, ...details }));
globalThis.EdgeRuntime = {
  waitUntil(promise) {
    tell("test.waits");
    promise.then(
      () => tell("test.waited"),
      (error) => tell("test.rejected", { error: String(error) }),
    );
  },
};
Deno.addSignalListener("SIGUSR1", () => {
  dispatchEvent(new CustomEvent("beforeunload", { detail: { reason: "wall_clock" } }));
});
const { serve } = Deno;
Deno.serve = (handler) =>
  serve(
    { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => tell("test.listening", { port }) },
    handler,
  );
await import("../../supabase/functions/api/index.ts");
