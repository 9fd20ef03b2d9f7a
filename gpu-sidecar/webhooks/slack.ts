/**
 * Messages as incoming webhooks of Slack take them (docs.slack.dev, "Sending messages using incoming webhooks"); Mattermost
 * and Discord's `/slack` understand the same. Only `text` is sent, which all three show.
 */
import type { AlertEvent } from "../../shared/interactions/alert-news.ts";
import { AlertNews } from "../../shared/interactions/alert-news.ts";
import { describeAlert, flatten } from "../alerts/wording.ts";
import type { Delivery } from "./deliveries.ts";

export function composeSlackBody(delivery: Pick<Delivery, "event" | "data">): string {
  return JSON.stringify({ text: composeText(delivery) });
}

function composeText({ event, data }: Pick<Delivery, "event" | "data">): string {
  if (event.startsWith("alert.")) return composeAlert(event as AlertEvent, AlertNews.parse(data));
  if (event === "webhook.test") return "This is a test by Parlance: messages arrive here.";
  const { kind, id, error } = data as { kind?: string; id?: string; error?: { message?: string } | null };
  const name = `${escapeText(flatten(kind, 64))} (${escapeText(flatten(id, 64))})`;
  if (event === "job.failed") return `*Job failed:* ${name}\n${escapeText(flatten(error?.message, 500))}`;
  return `Job done: ${name}`;
}

function composeAlert(event: AlertEvent, alert: AlertNews): string {
  const { title, explanation, facts } = describeAlert(event, alert);
  const seen = facts.filter((fact) => /^(Seen|Alert): /.test(fact));
  return [title, explanation, ...seen]
    .filter(Boolean)
    .map((line, index) => (index === 0 ? `*${escapeText(line).replaceAll("*", "∗")}*` : escapeText(line)))
    .join("\n");
}

/**
 * Text that stays text: `&`, `<` and `>` are how Slack writes links and mentions; after an `@`, and inside of what other
 * readers would make a link of, stands a space without width.
 */
export function escapeText(text: string): string {
  return text
    .replace(/@(?=\S)/g, "@\u200b")
    .replace(/:(?=\/\/)/g, ":\u200b")
    .replace(/\](?=[([])/g, "]\u200b")
    .replace(/www\./gi, (word) => `${word.slice(0, 3)}\u200b.`)
    .replace(/`/g, "'")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
