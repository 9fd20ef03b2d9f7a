/** The API as a page to read: docs/reference.html, which needs nothing else and may load nothing else. */
import { fileURLToPath } from "node:url";

const path = fileURLToPath(new URL("../../docs/reference.html", import.meta.url));

/** Read for each request: a page that was written anew is shown without a new start. */
export async function answerReference(method: string): Promise<Response> {
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
  }
  const page = await Bun.file(path).text();
  return new Response(method === "HEAD" ? null : page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": `${findPolicy(page)}; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
    },
  });
}

/** The page states what it may do, by the hashes of its own style and script; without that it may do nothing. */
function findPolicy(page: string): string {
  const stated = /<meta http-equiv="Content-Security-Policy" content="([^"]+)">/.exec(page)?.[1];
  return stated?.replaceAll("&#39;", "'") ?? "default-src 'none'";
}
