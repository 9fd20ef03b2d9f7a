/** Where the bytes of one bucket lie. Paths begin with the owner and are made by us, never by a user. */
export interface ObjectStore {
  /** Writes or replaces an object. */
  put(path: string, bytes: Uint8Array | Blob, mediaType: string): Promise<void>;
  /** Removes objects; one that is not there is no error. At most 1,000 paths. */
  remove(paths: readonly string[]): Promise<void>;
  /** Links that work until `expiresInSeconds` from now; a path without an object has none. At most 1,000 paths. */
  sign(paths: readonly string[], expiresInSeconds: number): Promise<ReadonlyMap<string, string>>;
  /** A URL and token with which anyone may send this one object, once, within two hours. */
  createUpload(path: string): Promise<{ path: string; token: string; url: string; expiresAt: string }>;
  /** What lies there, or undefined. */
  find(path: string): Promise<{ sizeBytes: number; mediaType: string } | undefined>;
  /** Up to `bytesMax` first bytes of an object, without fetching the rest; undefined when nothing lies there. */
  readStart(path: string, bytesMax: number): Promise<Uint8Array | undefined>;
  /** The bytes from `from` to before `to`, fewer where the object ends; undefined when nothing lies there. */
  readRange(path: string, from: number, to: number): Promise<Uint8Array | undefined>;
  /** Resolves when storage answers and the bucket is there; makes the bucket when it is missing. */
  ensureBucket(): Promise<void>;
}
