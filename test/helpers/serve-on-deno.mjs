/**
 * Runs the function `api` as it is on plain Deno, on a free port of this machine, and says which:
 *
 *   deno run --no-lock --config supabase/functions/api/deno.json --allow-net --allow-env --allow-read --allow-sys \
 *     test/helpers/serve-on-deno.mjs
 *
 * Supabase's runtime listens for a function by itself; here `Deno.serve` is given the port that it cannot name.
 */
const { serve } = Deno;
Deno.serve = (handler) =>
  serve(
    {
      hostname: "127.0.0.1",
      port: 0,
      onListen: ({ port }) => console.log(JSON.stringify({ event: "listening", port })),
    },
    handler,
  );
await import("../../supabase/functions/api/index.ts");
