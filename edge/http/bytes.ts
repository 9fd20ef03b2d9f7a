/** Bytes in memory of their own. Written so because the compiler of Deno 2.1 knows `Uint8Array` without a parameter. */
export type Bytes = ReturnType<Uint8Array["slice"]>;
