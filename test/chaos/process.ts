/** A process of the house that may be killed at any moment, and must not end by itself. */
export class HouseProcess {
  readonly #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #lines: string[] = [];
  #isKilled = false;
  #endedWith: string | undefined;

  constructor(script: string, environment: Record<string, string>, folder: string) {
    this.#child = Bun.spawn([process.execPath, script], {
      // Away from the repository, so that no .env of its owner has a say.
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "", ...environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    this.#read();
    this.#child.exited.then((code) => {
      this.#endedWith = `${this.#child.signalCode ?? code}`;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** What it ended with, where nobody killed it. */
  get endedByItself(): string | undefined {
    return this.#isKilled ? undefined : this.#endedWith;
  }

  /** What it ended with, whoever wanted that. */
  get endedWith(): string | undefined {
    return this.#endedWith;
  }

  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Stops it in the middle of whatever it does, or lets it go on. */
  freeze(isFrozen: boolean): void {
    this.#child.kill(isFrozen ? "SIGSTOP" : "SIGCONT");
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    this.#isKilled = true;
    this.#child.kill(signal);
    await this.#child.exited;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const part of this.#child.stderr) {
      const lines = (rest + decoder.decode(part, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      this.#lines.push(...lines);
    }
  }
}
