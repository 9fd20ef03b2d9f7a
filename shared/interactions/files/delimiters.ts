/** Which of the usual delimiters a CSV file has. */
export const delimiters = [",", ";", "\t"] as const;
export type Delimiter = (typeof delimiters)[number];

const linesMax = 20;

/** The fields of the first records, quotes taken for what they are. Only for looking: newlines in quotes end a record here. */
function countFields(line: string, delimiter: string): number {
  let count = 1;
  let isQuoted = false;
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted;
    else if (character === delimiter && !isQuoted) count += 1;
  }
  return count;
}

/**
 * The one by which the header has the most fields, and most of the lines after it as many; a comma where none does. `beginning` is
 * the first text of the file.
 */
export function findDelimiter(beginning: string): Delimiter {
  const [header = "", ...lines] = beginning.split(/\r?\n/, linesMax + 1).filter((line) => line !== "");
  const rate = (delimiter: Delimiter) => {
    const fields = countFields(header, delimiter);
    if (fields === 1) return 0;
    const alike = lines.filter((line) => countFields(line, delimiter) === fields).length;
    return fields * (1 + alike / Math.max(1, lines.length));
  };
  return delimiters.reduce((best, delimiter) => (rate(delimiter) > rate(best) ? delimiter : best), ",");
}
