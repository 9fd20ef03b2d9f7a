import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { z } from "zod";
import type { Caller } from "../../shared/callers.ts";
import { AppError } from "../../shared/errors.ts";
import type { EdgeConfig } from "../config.ts";

/** Signing algorithms with a public half; a shared secret (HS256) cannot be given to every verifier. */
const algorithms = ["ES256", "RS256"];

const audience = "authenticated";
/** Two clocks that differ by less than this agree on what has expired. */
const clockToleranceSeconds = 5;
const tokenLengthMax = 16_384;

const Claims = z.looseObject({ sub: z.uuid(), role: z.literal("authenticated") });

/**
 * Verifies the access tokens of the project's users: signature by an allowed algorithm, issuer, audience, expiry,
 * role and subject. The keys are fetched once and again when a token names one that is not known.
 */
export function createTokenVerifier(
  config: Pick<EdgeConfig, "jwks" | "jwtIssuer" | "supabaseUrl">,
): (token: string) => Promise<Caller> {
  const getKey = createKeySource(config);
  return async (token) => {
    if (token.length > tokenLengthMax) throw new AppError("unauthenticated", "The token is too long.");
    const claims = Claims.safeParse(await verifySignature(token, getKey, config.jwtIssuer));
    if (!claims.success) {
      throw new AppError("unauthenticated", "The token is not that of a signed-in user.");
    }
    return { role: "authenticated", claims: claims.data };
  };
}

function createKeySource(config: Pick<EdgeConfig, "jwks" | "supabaseUrl">): JWTVerifyGetKey {
  if (config.jwks) return createLocalJWKSet({ keys: [...config.jwks.keys] });
  return createRemoteJWKSet(new URL(`${config.supabaseUrl}/auth/v1/.well-known/jwks.json`), {
    timeoutDuration: 5_000,
    cooldownDuration: 10_000,
    cacheMaxAge: 600_000,
  });
}

async function verifySignature(token: string, getKey: JWTVerifyGetKey, issuer: string): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, getKey, {
      algorithms,
      issuer,
      audience,
      clockTolerance: clockToleranceSeconds,
      requiredClaims: ["sub", "exp"],
    });
    return payload;
  } catch (cause) {
    throw explainRefusal(cause, token);
  }
}

/** What jose throws when it could not get the keys at all; the token may be good. */
const keysUnavailable = new Set(["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"]);

function explainRefusal(cause: unknown, token: string): AppError {
  if (cause instanceof errors.JWTExpired) {
    return new AppError("token_expired", "The token has expired: refresh the session.", { cause });
  }
  if (!(cause instanceof errors.JOSEError) || keysUnavailable.has(cause.code)) {
    return new AppError("unavailable", "The signing keys of the project could not be fetched.", {
      cause,
      retryable: true,
      retryAfterSeconds: 5,
    });
  }
  if (cause instanceof errors.JOSEAlgNotAllowed && readAlgorithm(token) === "HS256") {
    return new AppError(
      "unauthenticated",
      "Tokens signed with HS256 are not accepted: rotate the project's JWT signing keys to ES256 or RS256.",
      { cause },
    );
  }
  return new AppError("unauthenticated", "The token is not valid.", { cause });
}

function readAlgorithm(token: string): unknown {
  try {
    const header = token.split(".")[0] ?? "";
    return JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/"))).alg;
  } catch {
    return undefined;
  }
}
