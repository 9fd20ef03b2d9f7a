/** A bar on one line of a terminal; one line a tenth where there is none. */
export interface ProgressBar {
  update(done: number, message: string): void;
  end(): void;
}

const width = 30;

export function createProgressBar(total: number, stream: NodeJS.WriteStream = process.stdout): ProgressBar {
  let toldTenth = -1;
  const draw = (done: number, message: string) => {
    const filled = Math.round((width * done) / Math.max(1, total));
    return `  ${"█".repeat(filled)}${"░".repeat(width - filled)} ${done}/${total}  ${message}`;
  };
  return {
    update(done, message) {
      if (stream.isTTY) {
        stream.write(`\r\u001b[2K${draw(done, message).slice(0, stream.columns ?? 100)}`);
        return;
      }
      const tenth = Math.floor((10 * done) / Math.max(1, total));
      if (tenth === toldTenth) return;
      toldTenth = tenth;
      stream.write(`${draw(done, message)}\n`);
    },
    end() {
      if (stream.isTTY) stream.write("\n");
    },
  };
}
