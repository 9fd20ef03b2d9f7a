/** Files to import, written by a generator: the same seed writes the same file. */
import { open } from "node:fs/promises";
import { seededRandom } from "../../helpers/pictures.ts";
import { drawTexts } from "./prose.ts";

/** `texts`: a column each for input and output, all at the time of the import. `log`: what an export of a log has, over 30 days. */
export type FileKind = "texts" | "log";

export const columnsOf: Readonly<Record<FileKind, readonly string[]>> = {
  texts: ["Input", "Output"],
  log: ["input", "output", "app", "model", "session_id", "latency_ms", "occurred_at"],
};

export interface FileWish {
  readonly path: string;
  readonly kind: FileKind;
  /** It ends at whichever comes first. */
  readonly rowsMax: number;
  readonly bytesMax?: number;
  readonly seed?: number;
}

export interface WrittenFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly rows: number;
  readonly bytes: number;
}

const rowsAtOnce = 1_000;

export async function writeCsv(wish: FileWish): Promise<WrittenFile> {
  const { path, kind, rowsMax, bytesMax = Number.POSITIVE_INFINITY, seed = 1 } = wish;
  const random = seededRandom(seed);
  const file = await open(path, "w");
  try {
    let bytes = (await file.write(toLine(columnsOf[kind]))).bytesWritten;
    let rows = 0;
    while (rows < rowsMax && bytes < bytesMax) {
      const count = Math.min(rowsAtOnce, rowsMax - rows);
      const lines = Array.from({ length: count }, (_, index) =>
        toLine(drawFields(random, kind, (rows + index) / rowsMax)),
      );
      bytes += (await file.write(lines.join(""))).bytesWritten;
      rows += count;
    }
    return { path, kind, rows, bytes };
  } finally {
    await file.close();
  }
}

const apps = ["shop", "support", "coach"];
const models = ["gpt-4o", "gpt-4o-mini"];
const dayMs = 86_400_000;

/** `place`: where it stands in the file, from 0 to 1. */
function drawFields(random: () => number, kind: FileKind, place: number): string[] {
  const { input, output } = drawTexts(random);
  if (kind === "texts") return [input, output];
  const skewed = (names: readonly string[]) => names[Math.floor(names.length * random() ** 2)] ?? "";
  return [
    input,
    output,
    skewed(apps),
    skewed(models),
    `session ${Math.floor(random() * 20_000)}`,
    String(Math.round(600 * Math.exp(2 * (random() - 0.5)))),
    new Date(Math.floor(Date.now() / dayMs) * dayMs - (1 - place) * 30 * dayMs).toISOString(),
  ];
}

const toLine = (fields: readonly string[]) => `${fields.map(quote).join(",")}\n`;
const quote = (field: string) => (/[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
