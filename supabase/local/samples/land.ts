import {
  between,
  blurred,
  canvas,
  ellipse,
  fir,
  gradient,
  hill,
  path,
  pickOne,
  rectangle,
  repeat,
  ridge,
  round,
  seededRandom,
  svg,
} from "./brush.ts";

/** Landscapes, each as SVG. */
const { width, height } = canvas;
const full = (style: string) => rectangle(0, 0, width, height, style);

export function drawSunset(): string {
  const random = seededRandom(11);
  const horizon = 500;
  const clouds = repeat(26, () => {
    const y = between(random, 60, 440);
    const tone = pickOne(random, ["#ff9a4a", "#f2643c", "#ffc46a", "#c23a52", "#7d2f5c"]);
    const style = `fill="${tone}" opacity="${round(between(random, 0.25, 0.7))}"`;
    return ellipse(between(random, 0, width), y, between(random, 90, 330), between(random, 4, 16), style);
  });
  const glitter = repeat(260, () => {
    const y = horizon + 6 + random() ** 1.4 * 290;
    const spread = 40 + (y - horizon) * 0.75;
    const x = 600 + (random() + random() + random() - 1.5) * spread;
    const tone = pickOne(random, ["#ffe0a0", "#ffbe5c", "#ff9440", "#ff7a3c"]);
    const style = `fill="${tone}" opacity="${round(between(random, 0.35, 0.95))}"`;
    return ellipse(x, y, between(random, 8, 12 + (y - horizon) * 0.16), between(random, 0.8, 2.6), style);
  });
  const waves = repeat(90, () => {
    const y = horizon + random() ** 1.2 * 300;
    const style = `fill="${pickOne(random, ["#3a1030", "#d2542f", "#54183a", "#e8803a"])}" opacity="0.3"`;
    return ellipse(between(random, 0, width), y, between(random, 40, 220), between(random, 0.8, 3), style);
  });
  const boat = `<g transform="translate(842 536)" fill="#1d0a18"><path d="M-46 0h92l-14 16h-64z"/><path d="M-2 -4v-88l-36 84z"/><path d="M4 -4v-76l40 72z"/></g>`;
  return svg(
    gradient("sky", "down", "#3b1d4f 0, #8a2c55 0.2, #d9483e 0.42, #f57a2e 0.6, #ffb13c 0.8, #ffd873 1") +
      gradient("sea", "down", "#f08a38 0, #b8432f 0.25, #6f2238 0.6, #2f1026 1") +
      gradient("sun", "round", "#fff6d8 0, #ffe18a 0.18, #ffb648/0.55 0.4, #ff8a2c/0 1"),
    rectangle(0, 0, width, horizon, 'fill="url(#sky)"') +
      blurred(3, clouds) +
      ellipse(600, 452, 330, 330, 'fill="url(#sun)"') +
      ellipse(600, 452, 52, 52, 'fill="#fff3c4"') +
      rectangle(0, horizon, width, height - horizon, 'fill="url(#sea)"') +
      waves +
      glitter +
      boat,
  );
}

export function drawForest(): string {
  const random = seededRandom(23);
  const layers = repeat(5, (layer) => {
    const tone = ["#5f8f52", "#3f7340", "#2a5a30", "#1a4424", "#0d2c16"][layer] ?? "";
    const trunkTone = ["#577a4c", "#3c5a37", "#2b3f26", "#1d2a18", "#120f0a"][layer] ?? "";
    const trees = repeat(15 - layer * 2, () => {
      const x = between(random, -40, width + 40);
      const size = 7 + layer * 7 + random() * 6;
      const trunk = rectangle(x, 0, size, height, `fill="${trunkTone}" opacity="0.9"`);
      const crown = repeat(9, () =>
        ellipse(
          x + between(random, -130, 130),
          between(random, -30, 150 + layer * 30),
          between(random, 40, 100),
          between(random, 18, 50),
          `fill="${tone}" opacity="0.65"`,
        ),
      );
      return trunk + crown;
    });
    const floor = hill(ridge(random, 610 + layer * 38, 18, 0.7), `fill="${tone}"`);
    return layer < 2 ? blurred(3, trees + floor) : trees + floor;
  });
  const ferns = repeat(420, () => {
    const [x, y] = [between(random, 0, width), 640 + random() * 160];
    const lean = between(random, -18, 18);
    const tone = pickOne(random, ["#2f7a34", "#4f9a3f", "#1e5a2a", "#78b04a", "#16401f"]);
    return `<path d="M${round(x)} ${round(y)}q${round(lean / 2)} -14 ${round(lean)} -26" stroke="${tone}" stroke-width="3" fill="none"/>`;
  });
  const beams = repeat(6, (index) => {
    const x = 250 + index * 110;
    return path(
      [
        [x, -20],
        [x + 40, -20],
        [x - 170, 720],
        [x - 290, 720],
      ],
      'fill="#e6f2a0" opacity="0.1"',
    );
  });
  return svg(
    gradient("air", "down", "#b9d489 0, #8fb668 0.35, #567f43 0.7, #20401f 1"),
    full('fill="url(#air)"') + layers + ferns + blurred(8, beams),
  );
}

export function drawMountains(): string {
  const random = seededRandom(37);
  const peak = (x: number, top: number, half: number, foot: number) => {
    const crest = Array.from({ length: 13 }, (_, index): [number, number] => {
      const share = index / 12;
      return [x + Math.sin(share * 9) * half * 0.07 + share * half * 0.12, top + share * (foot - top)];
    });
    const lit = path([...crest, [x - half, foot]], 'fill="#fdfeff"');
    const shade = path([...crest, [x + half, foot]], 'fill="#b4cbe4"');
    const rocks = repeat(22, () => {
      const share = random() ** 0.7;
      const y = top + 30 + share * (foot - top - 40);
      const reach = ((y - top) / (foot - top)) * half;
      const rx = x + between(random, -reach, reach) * 0.85;
      const size = between(random, 10, 42);
      return path(
        [
          [rx, y],
          [rx + size, y + size * 1.3],
          [rx + size * 0.2, y + size * 0.9],
        ],
        'fill="#6f86a6" opacity="0.75"',
      );
    });
    return lit + shade + rocks;
  };
  const clouds = repeat(22, () =>
    ellipse(
      between(random, 0, width),
      between(random, 60, 190),
      between(random, 60, 160),
      between(random, 8, 26),
      'fill="#ffffff" opacity="0.5"',
    ),
  );
  const drifts =
    hill(ridge(random, 640, 30, 0.5), 'fill="#f4f9ff"') + hill(ridge(random, 705, 28, 0.5), 'fill="#e2edf8"');
  const firs = repeat(46, () => {
    const x = between(random, 0, width);
    const foot = between(random, 640, 790);
    return (
      fir(x, foot, (foot - 540) * between(random, 0.45, 0.7), 'fill="#2c4a5a"') +
      fir(x - 2, foot - 6, (foot - 540) * 0.42, 'fill="#e8f2fb" opacity="0.55"')
    );
  });
  return svg(
    gradient("sky", "down", "#2f7fd6 0, #6fb2ee 0.5, #cfe7fa 1"),
    full('fill="url(#sky)"') +
      blurred(8, clouds) +
      `<g opacity="0.75">${peak(180, 300, 330, 640)}${peak(1010, 270, 360, 640)}</g>` +
      peak(560, 130, 430, 660) +
      peak(860, 330, 300, 660) +
      drifts +
      firs,
  );
}

export function drawDunes(): string {
  const random = seededRandom(41);
  const dune = (base: number, rise: number, crestX: number, light: string, dark: string, id: number) => {
    const crest: [number, number][] = Array.from({ length: 61 }, (_, index) => {
      const x = (index / 60) * width;
      const bell = Math.exp(-(((x - crestX) / 420) ** 2));
      return [x, base - rise * bell - 14 * Math.sin(x / 170 + id)];
    });
    const lee: [number, number][] = crest.filter(([x]) => x >= crestX - 10);
    const shadow = path([...lee, [width, height], [crestX + 240, height]], `fill="${dark}"`);
    const ripples = repeat(20, (index) => {
      const y = base + 24 + index * 17;
      const line = Array.from({ length: 30 }, (_, step) => {
        const x = (step / 29) * crestX;
        return `${round(x)} ${round(y + 7 * Math.sin(x / 60 + index) + (crestX - x) * 0.05)}`;
      });
      return `<path d="M${line.join("L")}" stroke="${dark}" stroke-width="2" fill="none" opacity="0.28"/>`;
    });
    return hill(crest, `fill="${light}"`) + shadow + ripples;
  };
  const dust = repeat(10, () =>
    ellipse(
      between(random, 0, width),
      between(random, 300, 380),
      between(random, 120, 300),
      between(random, 8, 22),
      'fill="#ffe9c4" opacity="0.3"',
    ),
  );
  return svg(
    gradient("sky", "down", "#4f9ad8 0, #93c4e4 0.55, #f3dcb4 1") +
      gradient("sun", "round", "#fffbe6 0, #fff1c0/0.6 0.25, #ffe9b0/0 1"),
    rectangle(0, 0, width, 420, 'fill="url(#sky)"') +
      ellipse(960, 130, 170, 170, 'fill="url(#sun)"') +
      blurred(20, dust) +
      dune(400, 70, 300, "#e2b878", "#b98750", 1) +
      dune(440, 120, 860, "#e0a860", "#ad7238", 2) +
      dune(560, 110, 420, "#dd9c50", "#a0602c", 3) +
      dune(720, 60, 900, "#d08c42", "#8c5024", 4),
  );
}

export function drawLavender(): string {
  const random = seededRandom(53);
  const horizon = 330;
  const rows = repeat(17, (row) => {
    const start = (row - 8) * 26 + 640;
    const end = (row - 8) * 250 + 620;
    const bushes = repeat(70, (index) => {
      const depth = (index / 70) ** 2.1;
      const y = horizon + 6 + depth * 520;
      const x = start + (end - start) * depth + between(random, -5, 5) * (1 + depth * 5);
      const size = 3.5 + depth * 58;
      const tone = pickOne(random, ["#7a4fc0", "#8d62d2", "#6a3fae", "#a583e0", "#5b3596"]);
      return (
        ellipse(x, y, size, size * 0.62, `fill="${tone}"`) +
        ellipse(x - size * 0.2, y - size * 0.3, size * 0.5, size * 0.24, 'fill="#c3aaf0" opacity="0.7"')
      );
    });
    return bushes;
  });
  const hills =
    hill(ridge(random, 318, 26, 0.5), 'fill="#7f8fc0"') + hill(ridge(random, 336, 14, 0.5), 'fill="#6a8a5c"');
  const crown = repeat(60, () =>
    ellipse(
      905 + (random() + random() - 1) * 82,
      262 + (random() + random() - 1) * 66,
      between(random, 12, 30),
      between(random, 10, 24),
      `fill="${pickOne(random, ["#3f6a34", "#568442", "#2f5428", "#74a052"])}"`,
    ),
  );
  return svg(
    gradient("sky", "down", "#9cc4f0 0, #d6dcf6 0.6, #f8e4ee 1"),
    full('fill="#4a3a58"') +
      rectangle(0, 0, width, 360, 'fill="url(#sky)"') +
      hills +
      rectangle(0, horizon + 14, width, height, 'fill="#4c3a5e"') +
      rows +
      rectangle(898, 270, 14, 96, 'fill="#4a3626"') +
      crown,
  );
}

export function drawFog(): string {
  const random = seededRandom(61);
  const shore = 470;
  const layers = repeat(5, (layer) => {
    const tone = ["#d9dfe2", "#cbd3d7", "#b9c3c8", "#a3afb5", "#8a979e"][layer] ?? "";
    const line = ridge(random, 300 + layer * 36, 60 - layer * 8, 0.6);
    const firs = repeat(layer > 2 ? 30 : 0, () =>
      fir(between(random, 0, width), shore - 4, between(random, 30, 90), `fill="${tone}"`),
    );
    const under = path(
      [
        [-60, shore],
        [-60, line[0]?.[1] ?? shore],
        ...line,
        [width + 60, line.at(-1)?.[1] ?? shore],
        [width + 60, shore],
      ],
      `fill="${tone}"`,
    );
    return blurred(layer < 3 ? 8 : 3, under + firs);
  });
  const veils = repeat(14, () =>
    ellipse(
      between(random, 0, width),
      between(random, 340, 560),
      between(random, 200, 460),
      between(random, 12, 40),
      'fill="#eef1f2" opacity="0.55"',
    ),
  );
  const lines = repeat(60, () =>
    ellipse(
      between(random, 0, width),
      between(random, shore + 20, height),
      between(random, 40, 200),
      1.2,
      'fill="#f4f6f6" opacity="0.4"',
    ),
  );
  const boat =
    '<g transform="translate(430 640)"><path d="M-90 0q90 34 180 0q-26 30 -90 30t-90 -30z" fill="#5c686e"/><path d="M-70 6q70 22 140 0" stroke="#7b878c" stroke-width="4" fill="none"/><ellipse cx="0" cy="40" rx="96" ry="7" fill="#8a969b" opacity="0.5"/></g>';
  return svg(
    gradient("air", "down", "#e6eaec 0, #dde3e6 0.6, #c6cfd3 1") +
      gradient("lake", "down", "#d3dadd 0, #b4bfc4 1"),
    full('fill="url(#air)"') +
      layers +
      rectangle(0, shore, width, height - shore, 'fill="url(#lake)"') +
      lines +
      blurred(20, veils) +
      boat,
  );
}
