import { createId } from "../../../shared/ids.ts";
import type { AlertNews } from "../../../shared/interactions/alert-news.ts";

export function createNews(overrides: Partial<AlertNews> = {}): AlertNews {
  return {
    id: createId(),
    ruleId: createId(),
    ruleName: "output too long",
    severity: "critical",
    state: "open",
    app: "shop",
    environment: "production",
    model: "gpt-4o",
    element: "output",
    metric: "characters",
    value: 2412.123456789,
    explanation: "The output had 2,412 characters, more than 2,000.",
    count: 3,
    firstSeenAt: "2026-11-21T10:00:00.123456Z",
    lastSeenAt: "2026-11-21T10:05:00.000000Z",
    ...overrides,
  };
}
