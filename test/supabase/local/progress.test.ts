import { expect, test } from "vitest";
import { createProgressBar, cutToWidth, type Terminal } from "../../../supabase/local/progress.ts";

/** A stream that keeps what is written. */
function keep(options: Omit<Terminal, "write">): Terminal & { written: string[] } {
  const written: string[] = [];
  return { ...options, written, write: (text) => written.push(text) };
}

test.each([20, 40, 80, 200])("a line fits into a terminal of %i columns", (columns) => {
  const terminal = keep({ isTTY: true, columns });
  const bar = createProgressBar(10_000, terminal);
  bar.update(5_000, "pics › 深 › ".repeat(20));
  const line = (terminal.written[0] ?? "").replace("\r\u001b[2K", "");
  expect(line).toContain("█");
  expect(Bun.stringWidth(line)).toBeLessThan(columns);
  if (columns > 30) expect(line).toContain("5000/10000  pics");
});

test("without a terminal there is one line a tenth", () => {
  const pipe = keep({});
  const bar = createProgressBar(100, pipe);
  for (let done = 0; done <= 100; done += 1) bar.update(done, "");
  bar.end();
  expect(pipe.written).toHaveLength(11);
  expect(pipe.written.every((line) => line.endsWith("\n"))).toBe(true);
});

test("text is cut between characters, by the columns that they take", () => {
  expect(cutToWidth("abc", 2)).toBe("ab");
  expect(cutToWidth("深い", 3)).toBe("深");
  expect(cutToWidth("👩‍🚀👩‍🚀", 3)).toBe("👩‍🚀");
});

test("a name cannot steer the terminal", () => {
  const terminal = keep({ isTTY: true, columns: 80 });
  createProgressBar(2, terminal).update(1, "a\u001b]0;owned\u0007b");
  expect(terminal.written[0]?.replace("\r\u001b[2K", "")).not.toMatch(/\p{Cc}/u);
});
