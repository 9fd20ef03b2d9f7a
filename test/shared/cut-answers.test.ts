/**
 * A connection that is cut while it opens, in the middle of what postgres.js asks by itself, leaves nothing of that in
 * the answers after it. Holds the patch in shared/patches.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { databaseOptions } from "../../shared/database.ts";

const url = process.env.TEST_DATABASE_URL ?? "";

/** As Postgres says it when its backend is told to end. */
const fatal = (() => {
  const fields = Buffer.from("SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0");
  const head = Buffer.from("E\0\0\0\0");
  head.writeUInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
})();

const rowsBeforeTheCut = 3;

/** Hands on what both say; the first connection ends after its first rows, with Postgres's word for that. */
function openCutter(): Promise<Server> {
  let hasCut = false;
  const join = (client: Socket) => {
    const server = connect({ host: new URL(url).hostname, port: Number(new URL(url).port) });
    let rest = Buffer.alloc(0);
    let rows = 0;
    const handOn = (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length > 4 && rest.length > rest.readUInt32BE(1)) {
        const length = rest.readUInt32BE(1) + 1;
        client.write(rest.subarray(0, length));
        if (rest[0] === 68) rows += 1;
        rest = rest.subarray(length);
        if (hasCut || rows < rowsBeforeTheCut) continue;
        hasCut = true;
        client.end(fatal);
        server.destroy();
        return;
      }
    };
    client.on("data", (bytes) => server.write(bytes));
    server.on("data", handOn);
    client.on("close", () => server.destroy());
    server.on("close", () => client.end());
    for (const socket of [client, server]) socket.on("error", () => {});
  };
  return new Promise((resolve) => {
    const cutter = createServer(join);
    cutter.listen(0, "127.0.0.1", () => resolve(cutter));
  });
}

describe.runIf(url)("a connection that is cut while it opens", () => {
  let cutter: Server;
  let sql: Sql;
  beforeAll(async () => {
    cutter = await openCutter();
    const address = cutter.address();
    const target = new URL(url);
    target.port = String(typeof address === "object" ? address?.port : "");
    sql = postgres(target.href, { ...databaseOptions, max: 1 });
  });
  afterAll(async () => {
    await sql.end({ timeout: 1 });
    cutter.close();
  });

  test("is opened again, and every answer is whole", async () => {
    for (const number of [1, 2, 3]) {
      expect(Object.entries(await sql`select ${number}::int as n`)).toEqual([["0", { n: number }]]);
    }
  });
});
