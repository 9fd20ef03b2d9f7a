/** The log as a file that is written while it is read: a page is asked for when the one before it was taken. */
import { type Field, formatRow } from "../../../shared/interactions/files/writing.ts";
import type { ListedInteraction } from "../../../shared/interactions/listing.ts";
import { metricNames } from "../../../shared/interactions/metrics/registry.ts";

/** How one interaction stands in a file, and what stands before the first. */
export interface ExportFormat {
  readonly mediaType: string;
  readonly extension: string;
  readonly header: string;
  readonly write: (interaction: ListedInteraction) => string;
}

/** Fields that an import reads under the same names. */
const columns = {
  id: ({ id }) => id,
  occurredAt: ({ occurredAt }) => occurredAt,
  createdAt: ({ createdAt }) => createdAt,
  app: ({ app }) => app,
  environment: ({ environment }) => environment,
  provider: ({ provider }) => provider,
  model: ({ model }) => model,
  sessionId: ({ sessionId }) => sessionId,
  userLabel: ({ userLabel }) => userLabel,
  tags: ({ tags }) => (tags.length === 0 ? null : JSON.stringify(tags)),
  input: ({ input }) => input,
  output: ({ output }) => output,
  inputTokens: ({ inputTokens }) => inputTokens,
  outputTokens: ({ outputTokens }) => outputTokens,
  latencyMs: ({ latencyMs }) => latencyMs,
  costUsd: ({ costUsd }) => costUsd,
  inputLanguage: ({ inputLanguage }) => inputLanguage,
  outputLanguage: ({ outputLanguage }) => outputLanguage,
  importId: ({ importId }) => importId,
  alerts: ({ alerts }) => (alerts.length === 0 ? null : alerts.map(({ ruleName }) => ruleName).join("; ")),
} satisfies Record<string, (interaction: ListedInteraction) => Field>;

const metricColumns = [...metricNames.values()];

export const exportFormats: Readonly<Record<"csv" | "jsonl", ExportFormat>> = {
  csv: {
    mediaType: "text/csv; charset=utf-8; header=present",
    extension: "csv",
    header: formatRow([...Object.keys(columns), ...metricColumns]),
    write: (interaction) =>
      formatRow([
        ...Object.values(columns).map((read) => read(interaction)),
        ...metricColumns.map((name) => interaction.metrics[name]),
      ]),
  },
  jsonl: {
    mediaType: "application/x-ndjson",
    extension: "jsonl",
    header: "",
    write: ({ inputIsCut: _, outputIsCut: __, ...interaction }) => `${JSON.stringify(interaction)}\n`,
  },
};

/** A page, and how the next one is read; undefined at the end. */
export interface ExportPage {
  readonly items: readonly ListedInteraction[];
  readonly readNext: (() => Promise<ExportPage>) | undefined;
}

/**
 * Holds one page at a time. Who stops reading ends it; where reading fails the stream breaks, so that a file that ends is
 * complete.
 */
export function streamExport(
  format: ExportFormat,
  first: ExportPage,
  onFailure: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let page: ExportPage | undefined = first;
  let isCancelled = false;
  let before = format.header;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          while (!isCancelled && page) {
            const text = before + page.items.map(format.write).join("");
            before = "";
            const { readNext } = page;
            if (text !== "") {
              controller.enqueue(encoder.encode(text));
              page = readNext && { items: [], readNext };
              if (readNext) return;
              break;
            }
            page = await readNext?.();
          }
          if (!isCancelled) controller.close();
        } catch (error) {
          onFailure(error);
          controller.error(error);
        }
      },
      cancel() {
        isCancelled = true;
        page = undefined;
      },
    },
    { highWaterMark: 0 },
  );
}
