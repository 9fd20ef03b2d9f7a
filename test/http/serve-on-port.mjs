// Opens the door of Supabase on a port of the test's choosing: Deno 2.1 always serves on 8000 by itself.
const serve = Deno.serve;
const port = Number(Deno.env.get("TEST_PORT"));
Deno.serve = (handler) => serve({ port, hostname: "127.0.0.1" }, handler);
await import("../../supabase/functions/api/index.ts");
