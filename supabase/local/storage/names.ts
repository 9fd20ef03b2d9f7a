import { storageErrors } from "./errors.ts";

/** What S3 takes, in UTF-8. */
const keyBytesMax = 1024;

/**
 * Names of objects are any UTF-8, but for what storage-api refuses: controls, the characters that S3 advises against
 * (# [ ] { } ^ ` " < > \ | % ~), and those that cannot be seen and make one name look like another.
 */
const forbiddenInKey =
  /[\p{Cc}\p{Cs}#[\]{}^`"<>\\|%~]|\u034F|[\u061C\u200B\u200E\u200F\u2028-\u202E\u2060\u2066-\u2069\uFEFF]/u;
const dotSegment = /(^|\/)\.{1,2}(\/|$)/;
const bucketName = /^[A-Za-z0-9_!.*'() &$=@;:+,?-]{1,100}$/;

export function isValidKey(key: string): boolean {
  if (key.length === 0 || Buffer.byteLength(key) > keyBytesMax) return false;
  return !forbiddenInKey.test(key) && !dotSegment.test(key);
}

export function isValidBucketName(name: string): boolean {
  return bucketName.test(name) && name.trim() === name;
}

export function checkKey(key: string): string {
  if (!isValidKey(key)) throw storageErrors.invalidKey(key);
  return key;
}

export function checkBucketName(name: string): string {
  if (!isValidBucketName(name)) throw storageErrors.invalidBucketName();
  return name;
}

const unitBytes = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9 };

/** Bytes of 20000000, "20MB" or "1.5GB"; the units are decimal. */
export function parseSizeBytes(size: number | string): number {
  if (typeof size === "number") return size;
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(gb|mb|kb|b)$/i.exec(size);
  const unit = match?.[2]?.toLowerCase() as keyof typeof unitBytes | undefined;
  if (!match?.[1] || !unit) {
    throw storageErrors.invalidRequest("Invalid file size format, hint: use 20GB / 20MB / 30KB / 3B");
  }
  return Math.round(Number(match[1]) * unitBytes[unit]);
}

/** A text that may stand in a header: printable, short, one line. */
export function isHeaderText(text: string): boolean {
  return /^[\x20-\x7e]{1,255}$/.test(text);
}

/** What a bucket may list as allowed: "image/png", "image/*", or "*" for every type. */
export function isMimePattern(pattern: string): boolean {
  return (
    pattern === "*" ||
    /^[a-z0-9.+-]{1,127}\/(\*|[a-z0-9.+-]{1,127}(;\s*charset=[a-z0-9-]{1,40})?)$/i.test(pattern)
  );
}

/** Null allows every type. Parameters such as charset count only where the bucket names them. */
export function isAllowedMimeType(mimeType: string, allowed: readonly string[] | null): boolean {
  if (!allowed || allowed.length === 0) return true;
  const whole = mimeType.toLowerCase();
  const plain = whole.split(";", 1)[0]?.trim() ?? "";
  const family = plain.split("/", 1)[0] ?? "";
  return allowed.some((pattern) => ["*", "*/*", `${family}/*`, plain, whole].includes(pattern.toLowerCase()));
}
