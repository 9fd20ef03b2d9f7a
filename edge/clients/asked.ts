/** What a call of `fetch` asks: where, and with what body. The body that is sent is never touched. */
import { isRecord, look, parseJson } from "./loose-json.ts";

export interface FetchArguments {
  readonly input: string | URL | Request;
  readonly init?: RequestInit | undefined;
}

const isRequest = (input: FetchArguments["input"]): input is Request =>
  typeof input === "object" && "clone" in input;

export function readUrl({ input }: FetchArguments): URL | undefined {
  const address = isRequest(input) ? input.url : String(input);
  return URL.canParse(address) ? new URL(address) : undefined;
}

export function readMethod({ input, init }: FetchArguments): string {
  return (init?.method ?? (isRequest(input) ? input.method : "GET")).toUpperCase();
}

export function readSignal({ input, init }: FetchArguments): AbortSignal | undefined {
  return init?.signal ?? (isRequest(input) ? input.signal : undefined);
}

const secretName = /authorization|cookie|api[-_]?key|token|secret|^key$/i;

/** What the call proves itself with, so that an answer that repeats it does not bring it into the log. */
export function readSecrets({ input, init }: FetchArguments, url: URL): string[] {
  const headers = new Headers(init?.headers ?? (isRequest(input) ? input.headers : undefined));
  return [...headers, ...url.searchParams]
    .filter(([name]) => secretName.test(name))
    .map(([, value]) => value.replace(/^\w+\s+/, ""))
    .filter((value) => value.length >= 8);
}

/** Longer bodies are not read: parsing one would hold up others. */
const bodyCharactersMax = 32_000_000;

/** The body as JSON. A promise where only a copy can be read; undefined where it cannot be read without taking it away. */
export function readBody({ input, init }: FetchArguments): unknown {
  const body = init?.body ?? undefined;
  if (typeof body === "string") return body.length > bodyCharactersMax ? undefined : parseJson(body);
  if (body instanceof FormData) return readForm(body);
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return body.byteLength > bodyCharactersMax ? undefined : parseJson(new TextDecoder().decode(body));
  }
  if (body instanceof Blob) return body.size > bodyCharactersMax ? undefined : body.text().then(parseJson);
  const isCopyable = body === undefined && isRequest(input) && !input.bodyUsed && input.body !== null;
  return isCopyable ? input.clone().text().then(parseJson) : undefined;
}

/** The fields that are no files. */
function readForm(form: FormData): Record<string, unknown> {
  return Object.fromEntries([...form].filter(([, value]) => typeof value === "string"));
}

/** The message of a body that tells of an error in one of the ways in use. */
export function readMessage(body: unknown): string | undefined {
  for (const key of ["message", "detail", "error"]) {
    const found = look(body, key);
    if (typeof found === "string" && found !== "") return found;
    if (isRecord(found) && typeof found.message === "string") return found.message;
  }
  return undefined;
}
