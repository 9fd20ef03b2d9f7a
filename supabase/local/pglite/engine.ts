import type { PGlite } from "@electric-sql/pglite";
import * as protocol from "./protocol.ts";

/** PGlite's bootstrap superuser; every other role is put on over it. */
export const superuser = "postgres";

/** Who a stream logged in as, and the settings of its startup message. */
export interface Login {
  readonly role: string;
  readonly settings: Readonly<Record<string, string>>;
}

export class LoginError extends Error {
  /** The SQLSTATE that a server gives. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** PGlite by its wire protocol: one round goes in, its whole answer comes out, and nothing interleaves. */
export class Engine {
  readonly #db: PGlite;

  constructor(db: PGlite) {
    this.#db = db;
  }

  async execute(bytes: Uint8Array): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    await this.#db.runExclusive(() =>
      this.#db.execProtocolRawStream(bytes, {
        // Both file systems that we use write through by themselves.
        syncToFs: false,
        // A view into WebAssembly memory, overwritten by the next chunk: copied.
        onRawData: (chunk) => chunks.push(chunk.slice()),
      }),
    );
    return protocol.concatBytes(chunks);
  }

  /** What a server says after a login: authentication, parameters, key, ready. */
  greet(): Promise<Uint8Array> {
    return this.execute(
      protocol.encodeStartup({ user: superuser, database: "postgres", client_encoding: "UTF8" }),
    );
  }

  query(sql: string): Promise<Uint8Array> {
    return this.execute(protocol.encodeQuery(sql));
  }

  /** Makes the session a fresh one of that role. About 0.01 ms. */
  async become(login: Login): Promise<void> {
    const settings = Object.entries(login.settings).map(
      ([name, value]) => `select pg_catalog.set_config(${quoteLiteral(name)}, ${quoteLiteral(value)}, false)`,
    );
    const session = `set session authorization ${quoteIdentifier(login.role)}`;
    const answer = await this.query(["reset all", "reset role", session, ...settings].join("; "));
    const refusal = protocol.splitMessages(answer).messages.find((message) => message.type === "E");
    if (!refusal) return;
    const fields = protocol.readErrorFields(refusal.body);
    throw new LoginError(fields.C ?? "28000", fields.M ?? "the login was refused");
  }

  /** Refuses, as a server does, a role that does not exist or may not log in. */
  async checkMayLogIn(role: string): Promise<void> {
    const answer = await this.query(
      `select rolcanlogin from pg_catalog.pg_roles where rolname = ${quoteLiteral(role)}`,
    );
    const row = protocol.splitMessages(answer).messages.find((message) => message.type === "D");
    if (!row) throw new LoginError("28000", `role "${role}" does not exist`);
    if (row.body.at(-1) !== "t".charCodeAt(0)) {
      throw new LoginError("28000", `role "${role}" is not permitted to log in`);
    }
  }
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
