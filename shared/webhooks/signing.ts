/**
 * Signatures of Standard Webhooks 1.0 (standardwebhooks.com): `v1,` and the base64 of HMAC-SHA256 over
 * `<webhook-id>.<webhook-timestamp>.<body>`, one for each secret with spaces between them.
 */

const prefix = "whsec_";

/** A secret of 32 random bytes. */
export function createSecret(): string {
  return prefix + encodeBase64(crypto.getRandomValues(new Uint8Array(32)));
}

export interface SignedMessage {
  readonly id: string;
  readonly sentAtMs: number;
  readonly body: string;
}

/** The three headers by which a receiver knows who sent a message, and when. */
export async function signMessage(
  { id, sentAtMs, body }: SignedMessage,
  secrets: readonly string[],
): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(sentAtMs / 1000));
  const text = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  const signatures = await Promise.all(secrets.map((secret) => sign(text, secret)));
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signatures.map((signature) => `v1,${signature}`).join(" "),
  };
}

async function sign(text: BufferSource, secret: string): Promise<string> {
  const bytes = decodeSecret(secret);
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return encodeBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, text)));
}

function decodeSecret(secret: string): BufferSource {
  const binary = secret.startsWith(prefix) ? atob(secret.slice(prefix.length)) : "";
  if (binary.length < 24 || binary.length > 64) {
    throw new RangeError("a webhook's secret is whsec_ and the base64 of 24 to 64 bytes");
  }
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

function encodeBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
