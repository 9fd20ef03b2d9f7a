/** Why a call did not succeed, in words for the owner of the webhook: they tell nothing of the machine that calls. */
export class CallFault extends Error {
  readonly retryable: boolean;
  readonly statusCode: number | undefined;
  /** What the receiver asked for. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    options: {
      retryable: boolean;
      statusCode?: number;
      retryAfterSeconds?: number | undefined;
      cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.name = "CallFault";
    this.retryable = options.retryable;
    this.statusCode = options.statusCode;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

const faults: readonly [RegExp, string][] = [
  [/^(ENOTFOUND|ENODATA|EAI_\w+|DNS_\w+)$/, "The host's name was not found."],
  [/^ECONNREFUSED$/, "The connection was refused."],
  [/^(ECONNRESET|EPIPE|UND_ERR_SOCKET)$/, "The connection was cut before there was an answer."],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL)$/, "The host could not be reached."],
  [/^(ABORT_ERR|ETIMEDOUT|ESOCKETTIMEDOUT|AbortError|TimeoutError)$|TIMEOUT/, "There was no answer in time."],
  [/^HPE_HEADER_OVERFLOW$/, "The answer's headers are too long."],
  [/^HPE_/, "The answer is not HTTP."],
  [/^CERT_HAS_EXPIRED$/, "The certificate has expired."],
  [/^ERR_TLS_CERT_ALTNAME_INVALID$/, "The certificate is for another host."],
  [/CERT|SIGNATURE|ISSUER|SELF_SIGNED/, "The certificate is not one that is trusted."],
  [/^ERR_(SSL|TLS)_|^EPROTO$/, "A secure connection could not be made."],
];

/** What a resolver, a socket or TLS threw, in words; it may go better the next time. */
export function faultOf(error: unknown): CallFault {
  if (error instanceof CallFault) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const name = error instanceof Error ? error.name : "";
  const [, message] = faults.find(([pattern]) => pattern.test(code) || pattern.test(name)) ?? [];
  return new CallFault(message ?? "The call failed.", { retryable: true, cause: error });
}

/** What an answer other than success says. */
export function faultOfStatus(
  statusCode: number,
  { isGone, retryAfterSeconds }: { isGone: boolean; retryAfterSeconds: number | undefined },
): CallFault {
  const words =
    statusCode >= 300 && statusCode < 400
      ? `It was answered with ${statusCode}; redirects are not followed.`
      : `It was answered with ${statusCode}.`;
  return new CallFault(words, { retryable: !isGone, statusCode, retryAfterSeconds });
}
