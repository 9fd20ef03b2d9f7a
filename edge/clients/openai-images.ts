/** Pictures that are made: https://platform.openai.com/docs/api-reference/images. The pictures themselves are left out. */
import type { Answered, CallFormat, EventReader } from "./call-formats.ts";
import { describeData, describeUrl } from "./call-texts.ts";
import { look, lookList, lookText } from "./loose-json.ts";
import { readError, readUsage } from "./openai-errors.ts";
import { joinTexts } from "./openai-parts.ts";

export const imageFormat: CallFormat = {
  operation: "image",
  readAsked: (body) => ({
    model: lookText(body, "model"),
    input: lookText(body, "prompt") ?? "",
    userLabel: lookText(body, "user"),
    isStreamed: look(body, "stream") === true || look(body, "stream") === "true",
  }),
  readAnswered: (body) => ({
    output: joinTexts(lookList(body, "data").map(readPicture)),
    ...readUsage(look(body, "usage")),
    error: readError(body),
  }),
  openEvents: () => new PictureEvents(),
};

/** The prompt as the model understood it; a picture without one is told by its size. */
function readPicture(picture: unknown): string {
  const url = lookText(picture, "url");
  return (
    lookText(picture, "revised_prompt") ??
    (url ? describeUrl("image", url) : describeData("image", lookText(picture, "b64_json")))
  );
}

/** Pictures of one call, at most. */
const picturesMax = 100;

class PictureEvents implements EventReader {
  readonly #pictures: string[] = [];
  #usage: unknown;
  #error: Answered["error"];

  readEvent(event: unknown): void {
    this.#error ??= readError(event);
    // What comes before is the same picture, not ready yet.
    if (!/^image_\w+\.completed$/.test(lookText(event, "type") ?? "")) return;
    if (this.#pictures.length < picturesMax) this.#pictures.push(readPicture(event));
    this.#usage = look(event, "usage");
  }

  read(): Answered {
    return { output: joinTexts(this.#pictures), ...readUsage(this.#usage), error: this.#error };
  }

  isComplete(): boolean {
    return this.#pictures.length > 0;
  }
}
