/** A bar on one line of a terminal; one line a tenth where there is none. */
export interface ProgressBar {
  update(done: number, message: string): void;
  end(): void;
}

/** What the bar needs of a stream. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const barWidthMax = 30;
/** Sooner nobody can say how long the rest will take. */
const guessAfterMs = 3_000;

export function createProgressBar(total: number, stream: Terminal = process.stdout): ProgressBar {
  const startedAtMs = performance.now();
  let toldTenth = -1;
  const draw = (done: number, message: string, columns: number) => {
    const width = Math.min(barWidthMax, Math.floor(columns / 3));
    const filled = Math.round((width * done) / Math.max(1, total));
    const left = guessTimeLeft(performance.now() - startedAtMs, done, total);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    return `  ${bar} ${done}/${total}  ${left ? `${left} · ` : ""}${toPrintable(message)}`;
  };
  return {
    update(done, message) {
      if (stream.isTTY) {
        const columns = stream.columns || 80;
        // One column stays free: a full line would wrap in some terminals.
        stream.write(`\r\u001b[2K${cutToWidth(draw(done, message, columns), columns - 1)}`);
        return;
      }
      const tenth = Math.floor((10 * done) / Math.max(1, total));
      if (tenth === toldTenth) return;
      toldTenth = tenth;
      stream.write(`${draw(done, message, 100)}\n`);
    },
    end() {
      if (stream.isTTY) stream.write("\n");
    },
  };
}

/** How long the rest will take if it goes on like this; empty while that is a guess or about to be over. */
function guessTimeLeft(elapsedMs: number, done: number, total: number): string {
  if (elapsedMs < guessAfterMs || done === 0) return "";
  const seconds = Math.round(((elapsedMs / done) * (total - done)) / 1000);
  if (seconds < 3) return "";
  return seconds < 100 ? `${seconds} s left` : `${Math.round(seconds / 60)} min left`;
}

/** As much of the text as fits: a character of Chinese or an emoji takes two columns. */
export function cutToWidth(text: string, columns: number): string {
  let width = 0;
  let cut = "";
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    width += Bun.stringWidth(segment);
    if (width > columns) break;
    cut += segment;
  }
  return cut;
}

/** A name as a terminal may be shown it: whoever names a file must not steer the terminal. */
export function toPrintable(text: string): string {
  return text.replace(/\p{Cc}/gu, "�");
}
