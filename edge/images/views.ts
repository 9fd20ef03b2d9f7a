/** Rows as the API shows them. */
import type { Image, ImageDetail, ImageLinks, ImageOrigin, SearchHit } from "../../shared/images/contract.ts";
import type { ImageRow, OriginRow } from "./store.ts";

export function toImage(row: ImageRow, links?: ImageLinks): Image {
  const { errorCode, errorMessage, variants: _, keywords, ...shown } = row;
  const error = errorCode === null ? null : { code: errorCode, message: errorMessage ?? "" };
  return { ...shown, keywords: [...keywords], error, links: links ?? null };
}

export function toImageDetail(row: ImageRow, origin?: OriginRow, links?: ImageLinks): ImageDetail {
  return { ...toImage(row, links), origin: origin ? toOrigin(origin) : null };
}

/** What a search says of a picture besides the picture. */
type Found = Readonly<Omit<SearchHit, keyof Image | "duplicates">> & {
  readonly duplicates: readonly string[];
};

export function toSearchHit(row: ImageRow, found: Found, links?: ImageLinks): SearchHit {
  const { score, similarity, isMatch, matchedWords, duplicates } = found;
  return { ...toImage(row, links), score, similarity, isMatch, matchedWords, duplicates: [...duplicates] };
}

function toOrigin({ sha256, exif, latitude, longitude, altitudeMetres }: OriginRow): ImageOrigin {
  const place = latitude === null || longitude === null ? null : { latitude, longitude, altitudeMetres };
  return { sha256, exif, place };
}
