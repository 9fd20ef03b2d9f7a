import sharp from "sharp";

/**
 * Pictures for the tests of models and search, drawn from a seed: shapes, gradients, stripes, checks, mosaics, clouds
 * and landscapes, in any colour that a screen can show and with any coverage.
 */
export type Rgb = readonly [number, number, number];

export interface TestPicture {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Rows of red, green, blue, one byte each. */
  readonly rgb: Uint8Array;
}

export type Random = () => number;
export type ColourSource = (random: Random) => Rgb;

/** Mulberry32: the same numbers from 0 to 1 for the same seed. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A colour for every point; both coordinates run from 0 to 1. */
export type Shader = (x: number, y: number) => Rgb;

const size = { width: 240, height: 180 } as const;

export function paint(name: string, shader: Shader): TestPicture {
  const { width, height } = size;
  const rgb = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const colour = shader((column + 0.5) / width, (row + 0.5) / height);
      for (let channel = 0; channel < 3; channel++) {
        rgb[(row * width + column) * 3 + channel] = Math.round(
          Math.min(255, Math.max(0, colour[channel] ?? 0)),
        );
      }
    }
  }
  return { name, width, height, rgb };
}

export async function encodePicture(
  picture: TestPicture,
  format: "png" | "jpeg" | "webp" = "png",
): Promise<Uint8Array> {
  const { width, height, rgb } = picture;
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .toFormat(format, { quality: 90 })
    .toBuffer();
}

/** One of each kind in turn, so that any 21 of them hold three of every kind. */
export function drawPictures(count: number, seed = 1, pick: ColourSource = anyColour): TestPicture[] {
  return Array.from({ length: count }, (_, index) => {
    const [name, draw] = kinds[index % kinds.length] ?? kinds[0];
    return paint(`${name} ${index}`, draw(seededRandom(seed * 7919 + index), pick));
  });
}

/** Colours as people paint with them: red, orange, yellow, green, blue, purple, pink, brown, black, white, grey. */
const paints: readonly (readonly Rgb[])[] = [
  "#e50000 #c81020 #f02828 #b00818",
  "#ff8000 #f97306 #ff9a1f #e8700a",
  "#ffff14 #fde910 #f5e050 #ffe800",
  "#15b01a #0a7f2a #39b54a #1f5f2a #80d070",
  "#0343df #1e6fe0 #4a90e8 #102a90 #70b0f0",
  "#7e1e9c #8a2be2 #9b59c0 #5a1878",
  "#ff81c0 #ffb0c8 #f868a8 #fcc8d8",
  "#653700 #7a4a20 #8b5a2b #50300f",
  "#000000 #0a0a0a #141414",
  "#ffffff #fafafa #f2f2f2",
  "#808080 #929591 #6a6a6a #a8a8a8",
].map((line) => line.split(" ").map(fromHex));

/** Two times of three a paint, a little off; else any colour of the cube, bright or dull. */
export function anyColour(random: Random): Rgb {
  if (random() < 0.3) return fromHue(random(), random(), 0.1 + 0.9 * random());
  const tubes = paints[Math.floor(random() * paints.length)] ?? [];
  const [red, green, blue] = tubes[Math.floor(random() * tubes.length)] ?? [0, 0, 0];
  const off = () => (random() - 0.5) * 24;
  return [red + off(), green + off(), blue + off()];
}

function fromHex(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Hue, saturation and value, each from 0 to 1 (Smith 1978). */
export function fromHue(hue: number, saturation: number, value: number): Rgb {
  const channel = (shift: number) => {
    const place = (shift + hue * 6) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(place, 4 - place, 1)));
  };
  return [channel(5), channel(3), channel(1)];
}

function shapes(random: Random, pick: ColourSource): Shader {
  const ground = pick(random);
  const discs = Array.from({ length: 8 + Math.floor(random() * 40) }, () => ({
    x: random(),
    y: random(),
    width: 0.03 + random() ** 3 * 0.4,
    height: 0.03 + random() ** 3 * 0.4,
    isRound: random() < 0.5,
    colour: pick(random),
  }));
  return (x, y) => {
    const disc = discs.findLast(({ isRound, ...one }) => {
      const [dx, dy] = [(x - one.x) / one.width, (y - one.y) / one.height];
      return isRound ? dx * dx + dy * dy < 1 : Math.abs(dx) < 1 && Math.abs(dy) < 1;
    });
    return disc?.colour ?? ground;
  };
}

function gradient(random: Random, pick: ColourSource): Shader {
  const stops = Array.from({ length: 4 + Math.floor(random() * 4) }, () => pick(random));
  const angle = random() * Math.PI * 2;
  const isRound = random() < 0.4;
  return (x, y) => {
    const along = (x - 0.5) * Math.cos(angle) + (y - 0.5) * Math.sin(angle) + 0.5;
    const share = isRound ? Math.hypot(x - 0.5, y - 0.5) * 1.4 : Math.min(0.999, Math.max(0, along));
    const place = share * (stops.length - 1);
    const [from, to] = [stops[Math.floor(place)], stops[Math.floor(place) + 1]];
    return blend(from ?? [0, 0, 0], to ?? [0, 0, 0], place % 1);
  };
}

function stripes(random: Random, pick: ColourSource): Shader {
  const count = 8 + Math.floor(random() * 14);
  let sum = 0;
  const bars = Array.from({ length: count }, () => {
    const start = sum;
    sum += 0.2 + random();
    return { start, colour: pick(random) };
  });
  const angle = (Math.floor(random() * 4) * Math.PI) / 4;
  return (x, y) => {
    const along = ((x * Math.cos(angle) + y * Math.sin(angle) + 2) % 1) * sum;
    return bars.findLast((bar) => bar.start <= along)?.colour ?? [0, 0, 0];
  };
}

function checks(random: Random, pick: ColourSource): Shader {
  const count = 4 + Math.floor(random() * 8);
  const colours = Array.from({ length: 3 + Math.floor(random() * 5) }, () => pick(random));
  return (x, y) => colours[(Math.floor(x * count) + 3 * Math.floor(y * count)) % colours.length] ?? [0, 0, 0];
}

function mosaic(random: Random, pick: ColourSource): Shader {
  const count = 8 + Math.floor(random() * 18);
  const [tint, strength] = [pick(random), random() * 0.6];
  const tiles = Array.from({ length: count * count }, () => blend(pick(random), tint, strength));
  return (x, y) => tiles[Math.floor(y * count) * count + Math.floor(x * count)] ?? [0, 0, 0];
}

/** Soft layers of value noise, each moving the colour its own way. */
function clouds(random: Random, pick: ColourSource): Shader {
  const layers = Array.from({ length: 7 }, () => ({
    noise: smoothNoise(random, 3 + random() * 5),
    colour: pick(random),
  }));
  const ground = pick(random);
  return (x, y) =>
    layers.reduce<Rgb>(
      (under, { noise, colour }) => blend(under, colour, Math.max(0, noise(x, y) * 3 - 1.7)),
      ground,
    );
}

/** Sky, sun, far and near hills, ground; at any time of day. */
function landscape(random: Random, pick: ColourSource): Shader {
  const [high, low, sun] = [pick(random), pick(random), pick(random)];
  const hills = Array.from({ length: 3 }, (_, index) => ({
    colour: pick(random),
    height: 0.35 + 0.2 * index + random() * 0.1,
    noise: smoothNoise(random, 3 + index * 3),
  }));
  const [sunX, sunY, sunSize] = [random(), 0.1 + random() * 0.3, 0.04 + random() * 0.12];
  const grain = smoothNoise(random, 60);
  const flowers = Array.from({ length: 5 + Math.floor(random() * 60) }, () => ({
    x: random(),
    y: 0.45 + random() * 0.55,
    size: 0.01 + random() * 0.03,
    colour: pick(random),
  }));
  return (x, y) => {
    const flower = flowers.find((one) => Math.hypot((x - one.x) * 1.33, y - one.y) < one.size);
    if (flower) return flower.colour;
    const hill = hills.findLast(({ height, noise }) => y > height + (noise(x, 0.3) - 0.5) * 0.25);
    if (hill) return blend(hill.colour, [0, 0, 0], grain(x, y) * 0.35);
    if (Math.hypot((x - sunX) * 1.33, y - sunY) < sunSize) return sun;
    return blend(high, low, Math.min(1, y * 1.6));
  };
}

type Kind = readonly [name: string, draw: (random: Random, pick: ColourSource) => Shader];

const kinds: readonly [Kind, ...Kind[]] = [
  ["shapes", shapes],
  ["landscape", landscape],
  ["gradient", gradient],
  ["clouds", clouds],
  ["stripes", stripes],
  ["mosaic", mosaic],
  ["checks", checks],
];

export function blend(from: Rgb, to: Rgb, share: number): Rgb {
  return [
    from[0] + (to[0] - from[0]) * share,
    from[1] + (to[1] - from[1]) * share,
    from[2] + (to[2] - from[2]) * share,
  ];
}

/** Values from 0 to 1 on a lattice, joined smoothly. */
export function smoothNoise(random: Random, frequency: number): (x: number, y: number) => number {
  const side = Math.ceil(frequency) + 2;
  const lattice = Float32Array.from({ length: side * side }, () => random());
  const at = (column: number, row: number) => lattice[(row % side) * side + (column % side)] ?? 0;
  return (x, y) => {
    const [u, v] = [x * frequency, y * frequency];
    const [column, row] = [Math.floor(u), Math.floor(v)];
    const [s, t] = [ease(u - column), ease(v - row)];
    const top = at(column, row) * (1 - s) + at(column + 1, row) * s;
    const bottom = at(column, row + 1) * (1 - s) + at(column + 1, row + 1) * s;
    return top * (1 - t) + bottom * t;
  };
}

function ease(value: number): number {
  return value * value * (3 - 2 * value);
}
