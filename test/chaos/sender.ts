/**
 * A client of the house that remembers what it was told. It behaves as a careful client does: what got no clear
 * answer is sent again when the house is back, with the same name or the same Idempotency-Key.
 */
import { createClient } from "@supabase/supabase-js";
import { AcceptedImage, StartedUpload } from "../../shared/images/contract.ts";
import type { House } from "./house.ts";
import type { Upload } from "./plan.ts";
import { createContent, type PoolPicture } from "./pool.ts";

/** What the client knows of an upload. */
export interface Told {
  readonly upload: Upload;
  readonly content: PoolPicture;
  /** The 202. */
  accepted?: AcceptedImage;
  /** The code of a 4xx that ended it. */
  refusedWith?: string;
  /** A signed upload on its way. */
  started?: StartedUpload;
  /** The picture was deleted, and the client was told so. */
  isGone: boolean;
  /** Answers that no client should get. */
  readonly problems: string[];
}

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: unknown;
}

const answerMsMax = 25_000;
/** What says "not now"; anything else above 499 is a defect. */
const notNow = ["upstream_failed", "unavailable", "deadline_exceeded"];
/** How long a slow upload waits for the kill between its halves. */
const pauseMsMax = 1_500;

export class Sender {
  readonly #house: House;
  readonly #pool: readonly PoolPicture[];
  #token = "";

  constructor(house: House, pool: readonly PoolPicture[]) {
    this.#house = house;
    this.#pool = pool;
  }

  async signUp(): Promise<void> {
    const auth = { persistSession: false, autoRefreshToken: false };
    const client = createClient(this.#house.publicUrl, this.#house.publishableKey, { auth });
    const credentials = { email: `${crypto.randomUUID()}@example.com`, password: crypto.randomUUID() };
    const { data, error } = await client.auth.signUp(credentials);
    if (!data.session) throw error ?? new Error("no session");
    this.#token = data.session.access_token;
  }

  /** Sends an upload when it is due; `killed` lets a slow one go on. */
  async send(upload: Upload, killed: Promise<void>): Promise<Told> {
    await new Promise((resolve) => setTimeout(resolve, upload.startMs));
    const content = createContent(this.#pool, upload);
    const told: Told = { upload, content, isGone: false, problems: [] };
    const pause = upload.isSlow ? killed : undefined;
    if (upload.way === "form") await this.#sendForm(told, pause);
    else await this.#sendSigned(told, pause);
    await this.#deleteIfWanted(told);
    return told;
  }

  /** Sends again what got no clear answer. Now everything is up, so everything must be answered. */
  async resume(told: Told): Promise<void> {
    const { isAbandoned } = told.upload;
    const isOpen = !told.accepted && told.refusedWith === undefined && !isAbandoned;
    if (isOpen && told.upload.way === "form") await this.#sendForm(told, undefined);
    if (isOpen && told.started) await this.#finishSigned(told, undefined);
    if (isOpen && !told.started && told.upload.way === "signed") await this.#sendSigned(told, undefined);
    await this.#deleteIfWanted(told);
  }

  async #sendForm(told: Told, pause: Promise<void> | undefined): Promise<void> {
    const { upload, content } = told;
    const form = new FormData();
    form.set("file", new File([content.bytes], `${upload.tag}.jpg`, { type: content.mediaType }));
    form.set("keywords", upload.tag);
    if (upload.isNamed) form.set("name", upload.tag);
    const headers: Record<string, string> = upload.isNamed ? {} : { "idempotency-key": upload.tag };
    const request = new Request(`${this.#house.apiUrl}/images`, { method: "POST", body: form, headers });
    this.#accept(told, await this.#call(told, await withPause(request, pause)));
  }

  async #sendSigned(told: Told, pause: Promise<void> | undefined): Promise<void> {
    const { upload, content } = told;
    const { mediaType } = content;
    const announced = {
      name: upload.tag,
      keywords: [upload.tag],
      mediaType,
      sizeBytes: content.bytes.length,
    };
    const answer = await this.#callJson(told, "/images", announced);
    if (answer?.status === 201) {
      told.started = StartedUpload.parse(answer.body);
      await this.#finishSigned(told, pause);
    } else this.#accept(told, answer);
  }

  /** PUT and completion. A second PUT may find the bytes there: then the completion says what is what. */
  async #finishSigned(told: Told, pause: Promise<void> | undefined): Promise<void> {
    const { started, content } = told;
    if (!started) return;
    const headers = { "content-type": content.mediaType };
    const put = new Request(started.upload.url, { method: "PUT", body: content.bytes, headers });
    const sent = await this.#call(told, await withPause(put, pause), { isStorage: true });
    if (!sent || sent.status >= 500 || told.upload.isAbandoned) return;
    const ended = await this.#callJson(told, `/images/${started.image.id}/completion`, {});
    if (sent.status === 200 && ended?.code === "conflict" && told.upload.content === "whole") {
      told.problems.push("storage took the bytes, and the completion did not find them");
    }
    this.#accept(told, ended);
  }

  /** What an answer to the last step of an upload means. */
  #accept(told: Told, answer: Answer | undefined): void {
    if (!answer || answer.status >= 500) return;
    if (answer.status === 202) told.accepted = AcceptedImage.parse(answer.body);
    // The first try got that far: it is there, or on its way.
    else if (answer.code === "name_taken" || answer.code === "idempotency_in_progress") return;
    // Nothing lies at the signed URL: the PUT was cut off.
    else if (answer.code === "conflict" && told.upload.way === "signed") return;
    else told.refusedWith = answer.code ?? String(answer.status);
  }

  async #deleteIfWanted(told: Told): Promise<void> {
    if (!told.upload.isDeleted || !told.accepted || told.isGone) return;
    const url = `${this.#house.apiUrl}/images/${told.accepted.image.id}`;
    const answer = await this.#call(told, new Request(url, { method: "DELETE" }));
    told.isGone = answer?.status === 204 || answer?.status === 404;
  }

  #callJson(told: Told, path: string, body: unknown): Promise<Answer | undefined> {
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    return this.#call(told, new Request(`${this.#house.apiUrl}${path}`, init));
  }

  /** Undefined where no answer came: the process died, or was not there. */
  async #call(told: Told, request: Request, { isStorage = false } = {}): Promise<Answer | undefined> {
    if (!isStorage) {
      request.headers.set("apikey", this.#house.publishableKey);
      request.headers.set("authorization", `Bearer ${this.#token}`);
    }
    const what = `${request.method} ${new URL(request.url).pathname}`;
    try {
      const response = await fetch(request, { signal: AbortSignal.timeout(answerMsMax) });
      const text = await response.text();
      const body: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;

      const code = isObject(body) && typeof body.code === "string" ? body.code : undefined;
      if (response.status >= 500 && !isStorage && !notNow.includes(code ?? "")) {
        told.problems.push(`${what} was answered with ${response.status} ${text.slice(0, 300)}`);
      }
      return { status: response.status, code, body };
    } catch (error) {
      if (error instanceof Error && error.name === "TimeoutError") {
        told.problems.push(`${what} was not answered within ${answerMsMax / 1000} s`);
      }
      return undefined;
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** The request with its body in two halves; the second one is sent after the pause. */
async function withPause(request: Request, pause: Promise<void> | undefined): Promise<Request> {
  if (!pause) return request;
  const bytes = new Uint8Array(await request.clone().arrayBuffer());
  const middle = Math.floor(bytes.length / 2);
  const waited = Promise.race([pause, new Promise((resolve) => setTimeout(resolve, pauseMsMax))]);
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(bytes.subarray(0, middle));
      await waited;
      controller.enqueue(bytes.subarray(middle));
      controller.close();
    },
  });
  const { method, headers, url } = request;
  return new Request(url, { method, headers, body, duplex: "half" } as RequestInit);
}
