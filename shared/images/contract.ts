import { z } from "zod";
import { JobError } from "../jobs/contract.ts";

export const imageLimits = {
  nameLengthMax: 200,
  titleLengthMax: 300,
  keywordsMax: 50,
  keywordLengthMax: 64,
  queryLengthMax: 100,
  pageSizeMax: 100,
  pageSizeDefault: 50,
  /** A search is not paged beyond this many hits. */
  searchDepthMax: 1000,
} as const;

/** The private bucket; made at start, readable by owners and the secret key. */
export const imageBucket = "images";

/** What is kept of a picture: the original as it came, and derivatives without metadata, in sRGB. */
export const ImageVariant = z.enum(["original", "display", "thumbnail"]);
export type ImageVariant = z.infer<typeof ImageVariant>;

/** Longest edge in pixels; a derivative is never larger than its original. */
export const variantEdges = { display: 2048, thumbnail: 512 } as const;

/** `<owner>/<image>/<variant>`; pictures of the house lie under `house`. */
export function imagePath(image: { id: string; ownerId: string | null }, variant: ImageVariant): string {
  return `${image.ownerId ?? "house"}/${image.id}/${variant}`;
}

/** The basic colour terms of English (Berlin and Kay, 1969), in which a picture's colours are told. */
export const ImageColour = z.enum([
  "black",
  "white",
  "grey",
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
  "purple",
  "pink",
  "brown",
]);
export type ImageColour = z.infer<typeof ImageColour>;

/** Within 2 % of each other, width and height are a square. */
export const ImageOrientation = z.enum(["landscape", "portrait", "square"]);
export type ImageOrientation = z.infer<typeof ImageOrientation>;

export const ImageState = z.enum(["uploading", "processing", "ready", "failed"]);
export type ImageState = z.infer<typeof ImageState>;

/**
 * A name cannot steer a path or a header: no control characters, no slashes, not `.` or `..`. Composed (NFC), so
 * that two names which look alike are alike.
 */
export const ImageName = z
  .string()
  .trim()
  .normalize("NFC")
  .min(1)
  .max(imageLimits.nameLengthMax)
  .refine((name) => !/[\p{Cc}/\\]/u.test(name) && name !== "." && name !== "..", {
    message: "must not hold slashes or control characters",
  });

/** One line of words; Postgres could not even keep a NUL. */
const Line = z
  .string()
  .trim()
  .min(1)
  .refine((text) => !/\p{Cc}/u.test(text), { message: "must not hold control characters" });

export const Keyword = Line.max(imageLimits.keywordLengthMax);
export const Title = Line.max(imageLimits.titleLengthMax);

/** The fields that a person gives with a picture. */
export const ImageFields = z.object({
  name: ImageName.optional().describe("Unique among the owner's pictures. Default: the file's name."),
  title: Title.optional(),
  keywords: z.array(Keyword).max(imageLimits.keywordsMax).optional(),
});
export type ImageFields = z.infer<typeof ImageFields>;

/** A picture whose bytes will be sent to a signed URL. */
export const NewImageUpload = ImageFields.extend({
  name: ImageName,
  mediaType: z.string().max(100).describe("What the file says it is; the content decides later."),
  sizeBytes: z.int().min(1),
});
export type NewImageUpload = z.infer<typeof NewImageUpload>;

/** What a person may change later; what is left out stays. */
export const ImageChange = z
  .strictObject({
    name: ImageName.optional(),
    title: Title.nullable().optional().describe("Null takes the title away."),
    keywords: z.array(Keyword).max(imageLimits.keywordsMax).optional(),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), {
    message: "must hold a name, a title or keywords",
  });
export type ImageChange = z.infer<typeof ImageChange>;

export const Place = z.object({
  latitude: z.number().min(-90).max(90).describe("Degrees, WGS 84."),
  longitude: z.number().min(-180).max(180).describe("Degrees, WGS 84."),
  altitudeMetres: z.number().nullable(),
});
export type Place = z.infer<typeof Place>;

export const ExifValue = z.union([z.string(), z.number(), z.array(z.number())]);
export type ExifValue = z.infer<typeof ExifValue>;

/** What only owner and admins are shown. */
export const ImageOrigin = z.object({
  sha256: z.string(),
  exif: z.record(z.string(), ExifValue),
  place: Place.nullable(),
});
export type ImageOrigin = z.infer<typeof ImageOrigin>;

export const ImageLinks = z
  .object({
    thumbnail: z.url().optional(),
    display: z.url().optional(),
    original: z.url().optional().describe("Owner and admins only: it carries the place where it was taken."),
    expiresAt: z.iso.datetime(),
  })
  .describe("Signed URLs that work without further keys until `expiresAt`.");
export type ImageLinks = z.infer<typeof ImageLinks>;

export const Image = z.object({
  id: z.uuid(),
  ownerId: z.uuid().nullable().describe("Null: the picture is the house's."),
  name: z.string(),
  title: z.string().nullable(),
  keywords: z.array(z.string()),
  state: ImageState,
  error: JobError.nullable().describe("Why it failed; only when `failed`."),
  isPublic: z.boolean(),
  mediaType: z.string().nullable().describe("By content, not by name."),
  sizeBytes: z.int().nullable(),
  width: z.int().nullable().describe("Pixels, upright."),
  height: z.int().nullable().describe("Pixels, upright."),
  perceptualHash: z
    .string()
    .nullable()
    .describe("64 bits as 16 hex digits; pictures that look alike differ in few bits."),
  takenAt: z.iso.datetime().nullable(),
  camera: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  links: ImageLinks.nullable(),
});
export type Image = z.infer<typeof Image>;

/** One picture with what only its owner sees; `origin` is null for everyone else. */
export const ImageDetail = Image.extend({ origin: ImageOrigin.nullable() });
export type ImageDetail = z.infer<typeof ImageDetail>;

export const ImagePage = z.object({
  items: z.array(Image).describe("Newest first; links to thumbnails only."),
  nextCursor: z.string().nullable(),
});
export type ImagePage = z.infer<typeof ImagePage>;

/** A picture that is ours to finish, and the job that does it. */
export const AcceptedImage = z.object({
  image: Image,
  job: z.object({ id: z.uuid().describe("Follow it at `/jobs/{id}`.") }),
});
export type AcceptedImage = z.infer<typeof AcceptedImage>;

/** A picture whose bytes are awaited. */
export const StartedUpload = z.object({
  image: Image,
  upload: z.object({
    url: z.url().describe("PUT the bytes here, with their `Content-Type`; it works once."),
    token: z.string().describe("For `uploadToSignedUrl` of supabase-js, with `path`."),
    path: z.string(),
    expiresAt: z.iso.datetime(),
  }),
});
export type StartedUpload = z.infer<typeof StartedUpload>;

/** A moment, in years and offsets that Postgres knows too and with no more digits than it keeps. */
const Moment = z.iso
  .datetime({ offset: true })
  .regex(
    /^[12]\d{3}-[^.]+(\.\d{1,6})?(Z|[+-](0\d|1[0-5]):\d\d)$/,
    "must have a year from 1000, at most microseconds and an offset below 16 hours",
  );

/** What pictures are filtered by; a picture must pass each that is given. */
export const SearchFilters = z.strictObject({
  takenAfter: Moment.optional().describe(
    "Taken then or later, as the picture's EXIF tells; unknown passes not.",
  ),
  takenBefore: Moment.optional().describe("Taken before then; unknown passes not."),
  addedAfter: Moment.optional().describe("Added then or later."),
  addedBefore: Moment.optional().describe("Added before then."),
  keywords: z.array(Keyword).min(1).max(10).optional().describe("All of them; case does not count."),
  orientation: ImageOrientation.optional().describe(
    "Within 2 % of each other, width and height are a square.",
  ),
  colours: z.array(ImageColour).min(1).max(10).optional().describe("All of them."),
  camera: Line.max(200).optional().describe("Exactly this camera; case does not count."),
  hasPlace: z
    .boolean()
    .optional()
    .describe("Whether its place is known to you: to owners and admins; of others' pictures it never is."),
});
export type SearchFilters = z.infer<typeof SearchFilters>;

/**
 * What is shown once. `duplicates`: the same file, or for those who may not know that, pictures of one size in pixels
 * and bytes that look the same. `similar`: also those that look nearly the same.
 */
export const SearchFold = z.enum(["none", "duplicates", "similar"]);
export type SearchFold = z.infer<typeof SearchFold>;

export const SearchHit = Image.extend({
  score: z
    .number()
    .describe("What the hits are ordered by; comparable within one answer only. See `method`."),
  similarity: z
    .number()
    .nullable()
    .describe("Inner product with the vector of the question, -1 to 1; null where there is none."),
  isMatch: z
    .boolean()
    .nullable()
    .describe("Whether a word or the similarity makes it a match; null where the space is not calibrated."),
  matchedWords: z.boolean().describe("Whether its name, title or keywords answer the words."),
  duplicates: z.array(z.uuid()).describe("Pictures folded under this one; empty unless `fold` is asked."),
});
export type SearchHit = z.infer<typeof SearchHit>;

export const SearchPage = z.object({
  items: z.array(SearchHit),
  nextCursor: z.string().nullable(),
  method: z
    .enum(["fused", "vectors", "keywords"])
    .describe(
      "`fused`: by vectors and words together, where words answer; `vectors`, `keywords`: by these alone.",
    ),
  space: z.string().nullable().describe("The embedding space searched; null for keywords."),
  reason: z.string().nullable().describe("Why vectors were not searched, or not all of them; else null."),
  nothingMatches: z
    .boolean()
    .describe(
      "No word answers, and either no similarity reaches the threshold of a calibrated space, so that these are only the " +
        "nearest, or the model knows no word of what was asked.",
    ),
  calibration: z
    .object({
      threshold: z.number().describe("A similarity from here on is a match."),
      falsePositiveRate: z
        .number()
        .describe(
          "Share of the searches for what no picture shows that find a match all the same, as measured.",
        ),
    })
    .nullable()
    .describe("Null where the space is not calibrated: nothing is known of what a similarity means."),
});
export type SearchPage = z.infer<typeof SearchPage>;
