/** Times that callers name. */
import { z } from "zod";

const earliestMs = Date.UTC(1900, 0);
/** The database rounds what is shorter than a microsecond. */
const latestMs = Date.UTC(3000, 0) - 2;

/** With any offset; in UTC of the years that lists, cursors and the database know. */
export const Time = z.iso.datetime({ offset: true }).refine(
  (text) => {
    const ms = Date.parse(text);
    return !(ms < earliestMs || ms > latestMs);
  },
  { message: "must be a year from 1900 to 2999" },
);
