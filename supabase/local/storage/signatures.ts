import { hkdfSync } from "node:crypto";
import { errors, type JWTPayload, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { storageErrors } from "./errors.ts";

/**
 * Signed URLs are JWTs over one object, one deed and an end: `{ url: "bucket/name", scope, exp }`. A token for reading
 * never writes, and the other way round. They are signed with HMAC under a key of their own, derived from the secret
 * key, so that no user token passes as a signed URL and no signed URL as a user token.
 */
export interface Signatures {
  signDownload(object: SignedObject, expiresInSeconds: number): Promise<string>;
  verifyDownload(object: SignedObject, token: string): Promise<{ expiresAt: Date }>;
  signUpload(object: SignedObject, upload: SignedUpload): Promise<string>;
  verifyUpload(object: SignedObject, token: string): Promise<SignedUpload>;
}

export interface SignedObject {
  readonly bucketId: string;
  readonly name: string;
}

export interface SignedUpload {
  /** The subject of whoever asked for the URL; absent for a key without a user. */
  readonly ownerId: string | undefined;
  readonly upsert: boolean;
}

/** As on a hosted project. */
const uploadSeconds = 2 * 60 * 60;
const algorithm = "HS256";
const Upload = z.object({ owner: z.string().optional(), upsert: z.boolean() });

export function createSignatures(secretKey: string, now: () => Date): Signatures {
  const key = new Uint8Array(hkdfSync("sha256", secretKey, "", "storage signed urls", 32));

  function sign(claims: JWTPayload, expiresInSeconds: number): Promise<string> {
    const issuedAt = Math.floor(now().getTime() / 1000);
    return new SignJWT(claims)
      .setProtectedHeader({ alg: algorithm })
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + expiresInSeconds)
      .sign(key);
  }

  async function verify(object: SignedObject, scope: "download" | "upload", token: string) {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [algorithm],
      currentDate: now(),
      requiredClaims: ["exp", "url", "scope"],
    }).catch((cause: unknown) => {
      throw storageErrors.invalidToken(
        cause instanceof errors.JWTExpired ? "jwt expired" : "invalid signature",
      );
    });
    if (payload.scope !== scope) throw storageErrors.invalidSignature(`Token is not scoped for ${scope}`);
    if (payload.url !== toUrl(object)) throw storageErrors.invalidSignature();
    return { payload, expiresAt: new Date((payload.exp ?? 0) * 1000) };
  }

  return {
    signDownload: (object, expiresInSeconds) =>
      sign({ url: toUrl(object), scope: "download" }, expiresInSeconds),
    verifyDownload: (object, token) => verify(object, "download", token),
    signUpload: (object, { ownerId, upsert }) =>
      sign(
        { url: toUrl(object), scope: "upload", ...(ownerId && { owner: ownerId }), upsert },
        uploadSeconds,
      ),
    verifyUpload: async (object, token) => {
      const { payload } = await verify(object, "upload", token);
      const { owner, upsert } = Upload.parse(payload);
      return { ownerId: owner, upsert };
    },
  };
}

/** Reads one way only: no bucket's name holds a slash. */
function toUrl({ bucketId, name }: SignedObject): string {
  return `${bucketId}/${name}`;
}
