/** What is said of an alert to a person, as plain text. Names come from whoever logs: each stays on its line. */
import type { AlertEvent, AlertNews } from "../../shared/interactions/alert-news.ts";

export interface Wording {
  readonly title: string;
  readonly explanation: string;
  /** A fact a line. */
  readonly facts: readonly string[];
}

export function describeAlert(event: AlertEvent, alert: AlertNews): Wording {
  const severity = alert.severity.replace(/^./, (first) => first.toUpperCase());
  const prefix = {
    "alert.opened": severity,
    "alert.repeated": `${severity}, still open`,
    "alert.resolved": "Resolved",
  };
  const where = [alert.app, alert.environment, alert.model].filter(Boolean).map((name) => flatten(name, 130));
  const named = `${prefix[event]}: ${flatten(alert.ruleName, 120)}`;
  return {
    title: where.length > 0 ? `${named} (${where.join(", ")})` : named,
    explanation: flatten(alert.explanation, 1000),
    facts: listFacts(alert),
  };
}

function listFacts(alert: AlertNews): string[] {
  const metric = [alert.metric, alert.element && `of the ${alert.element}`].filter(Boolean).join(" ");
  const facts: readonly (readonly [string, string | null])[] = [
    ["App", alert.app],
    ["Environment", alert.environment],
    ["Model", alert.model],
    ["Metric", metric],
    ["Value", alert.value === null ? null : formatNumber(alert.value)],
    ["Seen", describeTimes(alert)],
    ["Alert", alert.id],
  ];
  return facts.filter(([, text]) => text).map(([name, text]) => `${name}: ${flatten(text, 200)}`);
}

function describeTimes({ count, firstSeenAt, lastSeenAt }: AlertNews): string {
  const [first, last] = [formatTime(firstSeenAt), formatTime(lastSeenAt)];
  const times = count === 1 ? "once" : `${count} times`;
  return first === last ? `${times}, at ${first}` : `${times}, from ${first} to ${last}`;
}

/** One line: controls, breaks of lines and what turns the direction of text become spaces. */
export function flatten(text: string | null | undefined, lengthMax: number): string {
  const line = (text ?? "")
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
  return line.length <= lengthMax ? line : `${line.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(6)));
}

/** 2026-11-21 10:00:00 UTC. */
function formatTime(text: string): string {
  return `${text.slice(0, 10)} ${text.slice(11, 19)} UTC`;
}
