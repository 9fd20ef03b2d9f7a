/** Certificates that a test makes for itself: an authority, and what it signs (X.509 v3 in DER, RFC 5280). */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

export interface Certificate {
  /** In PEM. */
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly certificate: string;
  /** A certificate for hosts by these names. */
  issue(names: readonly string[], options?: { hasExpired?: boolean }): Certificate;
}

export function createAuthority(name = "an authority made for a test"): Authority {
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const dates = spanDates(-1, 30);
  const certificate = writeCertificate({ issuer: name, subject: name, keys, signer: keys.privateKey, dates });
  return {
    certificate,
    issue(names, { hasExpired = false } = {}) {
      const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
      return {
        certificate: writeCertificate({
          issuer: name,
          subject: names[0] ?? "nobody",
          names,
          keys: own,
          signer: keys.privateKey,
          dates: hasExpired ? spanDates(-30, -1) : dates,
        }),
        key: own.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      };
    },
  };
}

interface Wish {
  readonly issuer: string;
  readonly subject: string;
  /** None: it is an authority. */
  readonly names?: readonly string[];
  readonly keys: { readonly publicKey: KeyObject };
  readonly signer: KeyObject;
  readonly dates: readonly [Date, Date];
}

function writeCertificate({ issuer, subject, names, keys, signer, dates }: Wish): string {
  const isAuthority = names === undefined;
  const extensions = [
    extension(
      basicConstraints,
      sequence(isAuthority ? der(0x01, Buffer.from([0xff])) : Buffer.alloc(0)),
      true,
    ),
    ...(names
      ? [extension(alternativeNames, sequence(...names.map((name) => der(0x82, Buffer.from(name)))))]
      : []),
  ];
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ecdsaWithSha256,
    nameOf(issuer),
    sequence(...dates.map((date) => der(0x17, Buffer.from(toUtcTime(date))))),
    nameOf(subject),
    keys.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = sign("sha256", body, signer);
  const whole = sequence(body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function spanDates(fromDays: number, toDays: number): [Date, Date] {
  const dayMs = 86_400_000;
  return [new Date(Date.now() + fromDays * dayMs), new Date(Date.now() + toDays * dayMs)];
}

/** YYMMDDHHMMSSZ. */
function toUtcTime(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, "").slice(2, 14)}Z`;
}

function der(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(parts));
}

function nameOf(commonName: string): Buffer {
  const oid = Buffer.from("0603550403", "hex");
  return sequence(der(0x31, sequence(oid, der(0x0c, Buffer.from(commonName)))));
}

function extension(oid: Buffer, value: Buffer, isCritical = false): Buffer {
  const critical = isCritical ? der(0x01, Buffer.from([0xff])) : Buffer.alloc(0);
  return sequence(oid, critical, der(0x04, value));
}

const basicConstraints = Buffer.from("0603551d13", "hex");
const alternativeNames = Buffer.from("0603551d11", "hex");
const ecdsaWithSha256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
