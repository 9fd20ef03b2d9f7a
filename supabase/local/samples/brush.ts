/** Small helpers that write SVG; every random choice comes from a seed, so that a picture is always the same. */
export const canvas = { width: 1200, height: 800 } as const;

export type Random = () => number;

/** Mulberry32: numbers from 0 to 1. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function between(random: Random, low: number, high: number): number {
  return low + random() * (high - low);
}

export function pickOne<T>(random: Random, choices: readonly [T, ...T[]]): T {
  return choices[Math.floor(random() * choices.length)] ?? choices[0];
}

/** `count` pieces of SVG, joined. */
export function repeat(count: number, draw: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => draw(index)).join("");
}

export function svg(definitions: string, body: string): string {
  const { width, height } = canvas;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${blurs}${definitions}</defs>${body}</svg>`;
}

const around = `x="-60" y="-60" width="${canvas.width + 120}" height="${canvas.height + 120}"`;
const blurs = [1, 3, 8, 20]
  .map(
    (size) =>
      `<filter id="blur${size}" filterUnits="userSpaceOnUse" ${around}><feGaussianBlur stdDeviation="${size}"/></filter>`,
  )
  .join("");

/** Blurs everything in it at once: one filter for many shapes is much cheaper than one for each. */
export function blurred(size: 1 | 3 | 8 | 20, content: string): string {
  return `<g filter="url(#blur${size})">${content}</g>`;
}

/** A gradient from top to bottom, or from the middle outwards: `#rrggbb 0.4` a stop, `#rrggbb/0.5 1` with opacity. */
export function gradient(id: string, kind: "down" | "round", stops: string): string {
  const tag = kind === "down" ? "linearGradient" : "radialGradient";
  const direction = kind === "down" ? ' x1="0" y1="0" x2="0" y2="1"' : "";
  const marks = stops.split(", ").map((stop) => {
    const [colour = "", offset = "0"] = stop.split(" ");
    const [hex = "", opacity = "1"] = colour.split("/");
    return `<stop offset="${offset}" stop-color="${hex}" stop-opacity="${opacity}"/>`;
  });
  return `<${tag} id="${id}"${direction}>${marks.join("")}</${tag}>`;
}

export function rectangle(x: number, y: number, width: number, height: number, style: string): string {
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" ${style}/>`;
}

export function ellipse(x: number, y: number, width: number, height: number, style: string): string {
  return `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(width)}" ry="${round(height)}" ${style}/>`;
}

export function path(points: readonly (readonly [number, number])[], style: string): string {
  return `<path d="M${points.map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}Z" ${style}/>`;
}

/** A ridge from the left edge to the right: sines that get smaller as they get quicker. */
export function ridge(random: Random, base: number, height: number, roughness: number): [number, number][] {
  const waves = Array.from({ length: 7 }, (_, index) => ({
    frequency: 1.7 ** index * between(random, 0.8, 1.2),
    phase: random() * Math.PI * 2,
    size: roughness ** index,
  }));
  const sum = waves.reduce((total, wave) => total + wave.size, 0);
  return Array.from({ length: 121 }, (_, index) => {
    const x = (index / 120) * canvas.width;
    const rise = waves.reduce((total, wave) => {
      return total + wave.size * Math.sin((x / canvas.width) * Math.PI * 2 * wave.frequency + wave.phase);
    }, 0);
    return [x, base - (height * rise) / sum];
  });
}

/** A ridge with everything below it. */
export function hill(points: readonly (readonly [number, number])[], style: string): string {
  return path([...points, [canvas.width, canvas.height], [0, canvas.height]], style);
}

/** A fir with drooping steps. */
export function fir(x: number, foot: number, height: number, style: string): string {
  const steps = 6;
  const side = Array.from({ length: steps }, (_, step): [number, number][] => {
    const y = foot - height + ((step + 1) / steps) * height * 0.93;
    const reach = ((step + 1) / steps) * height * 0.22;
    return [
      [reach, y],
      [reach * 0.55, y - height * 0.02],
    ];
  }).flat();
  const right = side.map(([dx, y]): [number, number] => [x + dx, y]);
  const left = side.map(([dx, y]): [number, number] => [x - dx, y]).reverse();
  return path([[x, foot - height], ...right, [x + 3, foot], [x - 3, foot], ...left], style);
}

export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
