import type { LineDirection, SignedProperty } from "./layout.ts";

/**
 * Words for properties of a picture and for scenes that have typical colours. A line: the words that mean it, the
 * colours with their weights ("navy 3, black 2"; names of `colour-names.ts`), and signed properties from -1 to 1.
 */
export interface Meaning extends Readonly<Partial<Record<SignedProperty, number>>> {
  readonly colours?: string;
  readonly top?: string;
  readonly bottom?: string;
  readonly lines?: Readonly<Partial<Record<LineDirection, number>>>;
  readonly aligned?: number;
  readonly colourWeight?: number;
}

/** Words that say nothing about how a picture looks; they are passed over, also inside a phrase. */
export const fillers: readonly string[] =
  "a an the of in on at with to for from by is are it its that this some very really quite rather so more most much lots lot mostly mainly bit slightly photo photos photograph picture pictures image images painting wallpaper background scene scenery landscape view shot colour color colours colors coloured colored tone tones toned hue hues shade shades tint tinted style look looking full".split(
    " ",
  );
