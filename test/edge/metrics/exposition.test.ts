import fc from "fast-check";
import { expect, test } from "vitest";
import { formatMetrics } from "../../../edge/metrics/exposition.ts";

/** Reads one line of samples back, by the grammar of the format. */
function parseSample(line: string) {
  const [, name, labelText = "", value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/s.exec(line) ?? [];
  const labels = [...labelText.matchAll(/([a-z_]+)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"(?:,|$)/g)].map(
    ([, label, text = ""]) => [
      label,
      text.replace(/\\(.)/g, (_, letter: string) => (letter === "n" ? "\n" : letter)),
    ],
  );
  return { name, labels: Object.fromEntries(labels), value: Number(value?.replace("Inf", "Infinity")) };
}

test("a metric says what it means, that it is a gauge, and its samples", () => {
  const text = formatMetrics([
    {
      name: "parlance_images",
      help: "Pictures\nby state.",
      samples: [{ labels: { state: "ready" }, value: 3 }, { value: 0.5 }],
    },
    { name: "parlance_nothing", help: "Left out.", samples: [] },
  ]);
  expect(text).toBe(`# HELP parlance_images Pictures\\nby state.
# TYPE parlance_images gauge
parlance_images{state="ready"} 3
parlance_images 0.5
`);
});

test("any label and any number come back as they were", () => {
  fc.assert(
    fc.property(fc.string(), fc.double(), (label, value) => {
      const lines = formatMetrics([
        { name: "a_metric", help: "x", samples: [{ labels: { label }, value }] },
      ]).split("\n");
      expect(lines).toHaveLength(4);
      expect(parseSample(lines[2] ?? "")).toEqual({ name: "a_metric", labels: { label }, value });
    }),
  );
});

test.each([
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "+Inf"],
  [Number.NEGATIVE_INFINITY, "-Inf"],
])("%s is written as the format wants it", (value, written) => {
  expect(formatMetrics([{ name: "a", help: "x", samples: [{ value }] }])).toContain(`a ${written}\n`);
});
