import { z } from "zod";
import { AuthError, authErrors } from "./errors.ts";

/** The bodies that auth-js sends. Null means the same as absent, and an empty text means none, as with the original. */

const text = z.string().nullish();
const metadata = z.record(z.string(), z.unknown()).nullish();

export const SignUpBody = z.object({ email: text, password: text, phone: text, data: metadata });
export const PasswordBody = z.object({ email: text, password: text, phone: text });
export const RefreshBody = z.object({ refresh_token: text });
export const UserBody = z.object({
  email: text,
  phone: text,
  password: text,
  current_password: text,
  data: metadata,
  app_metadata: metadata,
});
export const DeleteBody = z.object({ should_soft_delete: z.boolean().nullish() });
export const AdminBody = z.object({
  id: text,
  aud: text,
  role: text,
  email: text,
  phone: text,
  password: text,
  password_hash: text,
  email_confirm: z.boolean().nullish(),
  phone_confirm: z.boolean().nullish(),
  user_metadata: metadata,
  app_metadata: metadata,
  ban_duration: text,
});
export type AdminBody = z.infer<typeof AdminBody>;

/** The body of a request, checked. Postgres cannot hold a zero byte or half a character, so neither passes here. */
export async function readBody<T>(request: { text(): Promise<string> }, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(parseJson(await request.text()));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw authErrors.invalid(`${issue?.path.join(".") || "The body"}: ${issue?.message ?? "is not valid"}`);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body, (key: string, value: unknown) => {
      checkText(key);
      if (typeof value === "string") checkText(value);
      return value;
    });
  } catch (error) {
    if (error instanceof AuthError) throw error;
    throw authErrors.badJson("Could not parse request body as JSON");
  }
}

function checkText(value: string): void {
  if (value.includes("\0") || !value.isWellFormed()) {
    throw authErrors.invalid("A text of the body has a character that cannot be stored");
  }
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

const emailBytesMax = 255;

/** The address in lower case. */
export function parseEmail(email: string): string {
  if (Buffer.byteLength(email) > emailBytesMax) throw authErrors.invalid("An email address is too long");
  if (!z.email({ pattern: z.regexes.html5Email }).safeParse(email).success) {
    throw authErrors.invalid("Unable to validate email address: invalid format");
  }
  return email.toLowerCase();
}

const nanoseconds: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const step = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;
/** What Go's time.Duration holds, about 292 years. */
const nanosecondsMax = 2 ** 63;

/** Milliseconds of a duration such as `2h45m`, in the notation of Go; `none` and `0` are 0. */
export function parseDuration(duration: string): number {
  if (duration === "none" || duration === "0") return 0;
  const steps = [...duration.matchAll(step)];
  const length = steps.reduce((sum, [whole]) => sum + whole.length, 0);
  const sum = steps.reduce(
    (total, [, amount, unit = ""]) => total + Number(amount) * (nanoseconds[unit] ?? 0),
    0,
  );
  if (length === 0 || length !== duration.length || sum >= nanosecondsMax) {
    throw authErrors.invalid(`invalid format for ban duration: ${JSON.stringify(duration.slice(0, 100))}`);
  }
  return sum / 1e6;
}

const usersPerPageMax = 1000;

/** `page` from 1, `per_page` from 1 to 1,000, 50 where it is absent or empty, as auth-js sends it. */
export function parsePage(query: Record<string, string>): { page: number; perPage: number } {
  const unknown = Object.keys(query).find((name) => name !== "page" && name !== "per_page");
  if (unknown !== undefined) throw authErrors.notImplemented(`Listing users by ${unknown.slice(0, 50)}`);
  const page = Number(query.page || 1);
  const perPage = Number(query.per_page || 50);
  const isRight = (value: number, max: number) => Number.isInteger(value) && value >= 1 && value <= max;
  if (!isRight(page, 1_000_000) || !isRight(perPage, usersPerPageMax)) {
    throw authErrors.invalid(
      `Bad Pagination Parameters: page is from 1 to 1000000, per_page from 1 to ${usersPerPageMax}`,
    );
  }
  return { page, perPage };
}
