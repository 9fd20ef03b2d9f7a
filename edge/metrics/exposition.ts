/** Figures as text that Prometheus reads: https://prometheus.io/docs/instrumenting/exposition_formats/ (0.0.4). */

export interface Sample {
  /** Of a histogram: `_bucket`, `_sum` or `_count`. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string | number | boolean>>;
  readonly value: number;
}

/** Every figure is read from tables at the moment of asking, so that none is kept in a process. */
export interface Metric {
  /** Default `gauge`. The others only rise. */
  readonly type?: "gauge" | "counter" | "histogram";
  /** `parlance_` and snake_case, the unit last. */
  readonly name: string;
  /** One line that says what it means. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** A metric without samples is left out. */
export function formatMetrics(metrics: readonly Metric[]): string {
  const blocks = metrics.filter(({ samples }) => samples.length > 0).map(formatMetric);
  return `${blocks.join("\n")}\n`;
}

function formatMetric({ name, type = "gauge", help, samples }: Metric): string {
  return [
    `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(
      ({ suffix = "", labels = {}, value }) =>
        `${name}${suffix}${formatLabels(labels)} ${formatValue(value)}`,
    ),
  ].join("\n");
}

function formatLabels(labels: NonNullable<Sample["labels"]>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
