import type { MailConfig } from "../config.ts";
import { createApiMailer } from "./mail-api.ts";
import type { Mailer } from "./mailer.ts";
import { createSmtpMailer } from "./smtp.ts";

/** What sends mail as the settings want it; undefined where they say nothing. */
export function openMailer(config: MailConfig | undefined): Mailer | undefined {
  if (!config) return undefined;
  return "api" in config ? createApiMailer(config) : createSmtpMailer(config);
}
