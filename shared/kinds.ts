import { calibrateSpace } from "./images/calibration-kinds.ts";
import { embedQuery, ingestImage, sweepImages } from "./images/kinds.ts";
import { embedPicture } from "./images/picture-queries.ts";
import { measureRecall } from "./images/recall.ts";
import { compareSpaces, fillSpace } from "./images/space-kinds.ts";
import { runBackTest } from "./interactions/back-test-kind.ts";
import { importFile, sweepImports } from "./interactions/import-kinds.ts";
import { watchInteractions } from "./interactions/kinds.ts";
import { deleteInteractions, removeExpired } from "./interactions/log-kinds.ts";
import { sendMail } from "./interactions/mail-kind.ts";
import { foldStatistics, measureAgain, rollUpStatistics } from "./interactions/statistics-kinds.ts";
import type { AnyJobKind } from "./jobs/kinds.ts";
import { expireKeys, pruneHistory } from "./jobs/maintenance.ts";
import { deliverEvent } from "./webhooks/kind.ts";

/** Every kind of job there is, by name; a job of another kind cannot land. */
export const jobKinds: ReadonlyMap<string, AnyJobKind> = new Map(
  [
    ingestImage,
    embedQuery,
    embedPicture,
    calibrateSpace,
    measureRecall,
    fillSpace,
    compareSpaces,
    sweepImages,
    deleteInteractions,
    removeExpired,
    deliverEvent,
    importFile,
    sweepImports,
    sendMail,
    watchInteractions,
    runBackTest,
    foldStatistics,
    rollUpStatistics,
    measureAgain,
    pruneHistory,
    expireKeys,
  ].map((kind: AnyJobKind) => [kind.name, kind]),
);
