/** Longer waits are not honoured. */
const secondsMax = 3600;

/** The seconds that a `Retry-After` asks for (RFC 9110, 10.2.3), an hour at most; undefined where it says nothing. */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d{1,10}$/.test(header.trim())
    ? Number(header)
    : Math.ceil((Date.parse(header) - nowMs) / 1000);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, secondsMax) : undefined;
}
