import {
  between,
  blurred,
  canvas,
  ellipse,
  gradient,
  path,
  pickOne,
  type Random,
  rectangle,
  repeat,
  round,
  seededRandom,
  svg,
} from "./brush.ts";

/** Cities, animals, plants and fire, each as SVG. */
const { width, height } = canvas;
const full = (style: string) => rectangle(0, 0, width, height, style);

export function drawNightCity(): string {
  const random = seededRandom(71);
  const quay = 610;
  const stars = repeat(150, () =>
    ellipse(
      between(random, 0, width),
      between(random, 0, 330),
      between(random, 0.5, 1.6),
      between(random, 0.5, 1.6),
      `fill="#dfe6ff" opacity="${round(between(random, 0.3, 0.9))}"`,
    ),
  );
  let lights = "";
  const row = (tone: string, low: number, high: number, step: number, share: number) => {
    let towers = "";
    for (let x = -20; x < width; x += between(random, step, step * 1.6)) {
      const top = quay - between(random, low, high);
      const broad = between(random, step * 0.75, step * 1.2);
      towers += rectangle(x, top, broad, quay - top, `fill="${tone}"`);
      for (let wx = x + 7; wx < x + broad - 8; wx += 13) {
        for (let wy = top + 10; wy < quay - 12; wy += 17) {
          if (random() > share) continue;
          const glow = pickOne(random, ["#ffd27a", "#ffb648", "#ffe7b0", "#ff9a3c", "#9fc4ff"]);
          lights += rectangle(wx, wy, 6, 9, `fill="${glow}" opacity="${round(between(random, 0.55, 1))}"`);
        }
      }
    }
    const drawn = towers + lights;
    lights = "";
    return drawn;
  };
  const skyline =
    row("#10183a", 150, 330, 62, 0.1) + row("#0a1028", 90, 230, 78, 0.26) + row("#060a1a", 40, 130, 92, 0.3);
  const mirror = repeat(170, () => {
    const tone = pickOne(random, ["#ffb648", "#ff9a3c", "#ffd27a", "#6f8fe0", "#e0529a"]);
    const style = `fill="${tone}" opacity="${round(between(random, 0.1, 0.55))}"`;
    return ellipse(
      between(random, 0, width),
      quay + 8 + random() ** 1.5 * 180,
      between(random, 8, 34),
      between(random, 0.8, 2.2),
      style,
    );
  });
  return svg(
    gradient("sky", "down", "#02040e 0, #070d26 0.55, #1a1f4a 1") +
      gradient("water", "down", "#0a1130 0, #03050f 1") +
      gradient("halo", "round", "#c8d4ff/0.4 0.2, #c8d4ff/0 1") +
      gradient("dusk", "down", "#2a2250/0 0, #2a2250/0.6 1"),
    full('fill="url(#sky)"') +
      stars +
      ellipse(950, 130, 110, 110, 'fill="url(#halo)"') +
      ellipse(950, 130, 34, 34, 'fill="#eef1ff"') +
      rectangle(0, 430, width, 190, 'fill="url(#dusk)"') +
      skyline +
      rectangle(0, quay, width, height - quay, 'fill="url(#water)"') +
      mirror,
  );
}

export function drawZebra(): string {
  const random = seededRandom(83);
  let x = -160;
  const bands: string[] = [];
  while (x < width + 220) {
    const broad = between(random, 24, 58);
    const sway = between(random, 24, 46);
    const phase = between(random, 0, 0.9);
    const edge = (shift: number, taper: number) =>
      Array.from({ length: 41 }, (_, index): [number, number] => {
        const y = -10 + (index / 40) * (height + 20);
        const bend = sway * Math.sin(y / 190 + phase) + 0.12 * y;
        return [x + shift * (1 + taper * Math.sin(y / 120 + phase * 5)) + bend - 60, y];
      });
    bands.push(path([...edge(-broad / 2, 0.25), ...edge(broad / 2, 0.25).reverse()], 'fill="#0d0c0c"'));
    x += broad + between(random, 30, 62);
  }
  const hairs = (tone: string) => {
    const strokes = repeat(1300, () => {
      const start = `${round(between(random, 0, width))} ${round(between(random, 0, height))}`;
      return `M${start}l${round(between(random, -3, 3))} ${round(between(random, 8, 16))}`;
    });
    return `<path d="${strokes}" stroke="${tone}" opacity="0.18"/>`;
  };
  return svg(
    gradient("shade", "round", "#000000/0 0.5, #000000/0.3 1"),
    `${full('fill="#f6f4f1"')}${bands.join("")}${hairs("#ffffff")}${hairs("#1a1a1a")}${full('fill="url(#shade)"')}`,
  );
}

export function drawAutumn(): string {
  const random = seededRandom(97);
  const leaf = (tone: string, vein: string) =>
    `<path d="M0 -50C14 -38 16 -30 14 -22C26 -30 36 -32 46 -30C40 -20 36 -12 26 -6C38 -4 44 2 50 12C36 14 26 14 16 10C20 22 18 32 10 42C6 34 3 28 0 18C-3 28 -6 34 -10 42C-18 32 -20 22 -16 10C-26 14 -36 14 -50 12C-44 2 -38 -4 -26 -6C-36 -12 -40 -20 -46 -30C-36 -32 -26 -30 -14 -22C-16 -30 -14 -38 0 -50Z" fill="${tone}"/><path d="M0 -42V62M0 4L38 -24M0 4L-38 -24M0 12L36 10M0 12L-36 10" stroke="${vein}" stroke-width="2" fill="none" opacity="0.6"/>`;
  const leaves = repeat(430, (index) => {
    const [tone, vein] = pickOne<readonly [string, string]>(random, [
      ["#d9581c", "#8a2f10"],
      ["#e88a1e", "#a8540f"],
      ["#c2361c", "#7a1a10"],
      ["#f0b428", "#b0771a"],
      ["#8c4a1e", "#55290f"],
      ["#b8661c", "#6e3a10"],
      ["#a3281e", "#66140f"],
    ]);
    const size = 0.5 + (index / 430) * 0.9 + random() * 0.3;
    const turn = Math.floor(random() * 360);
    const shade = `<g transform="translate(5 8)" opacity="0.35" fill="#1e0c04"><ellipse rx="36" ry="36"/></g>`;
    return `<g transform="translate(${round(between(random, -20, width + 20))} ${round(between(random, -20, height + 20))}) rotate(${turn}) scale(${round(size)})">${index % 2 ? shade : ""}${leaf(tone, vein)}</g>`;
  });
  return svg("", full('fill="#4a2812"') + leaves);
}

export function drawReef(): string {
  const random = seededRandom(101);
  const rays = repeat(8, (index) => {
    const x = 60 + index * 160;
    return path(
      [
        [x, -10],
        [x + 60, -10],
        [x + between(random, 60, 180), 620],
        [x - between(random, 40, 130), 620],
      ],
      'fill="#c8fff4" opacity="0.14"',
    );
  });
  const branch = (x: number, y: number, length: number, angle: number, thick: number): string => {
    if (length < 12) return "";
    const [tx, ty] = [x + Math.cos(angle) * length, y + Math.sin(angle) * length];
    const twig = `<path d="M${round(x)} ${round(y)}L${round(tx)} ${round(ty)}" stroke-width="${round(thick)}"/>`;
    const fork = between(random, 0.3, 0.6);
    return (
      twig +
      branch(tx, ty, length * 0.74, angle - fork, thick * 0.75) +
      branch(tx, ty, length * 0.7, angle + fork, thick * 0.75)
    );
  };
  const corals = repeat(15, (index) => {
    const tone = pickOne(random, ["#ff6f5a", "#ff9a4a", "#f0508c", "#d84fc0", "#ffc04a", "#ff5a48"]);
    const x = 30 + index * 82 + between(random, -25, 25);
    return `<g stroke="${tone}" stroke-linecap="round" fill="none">${branch(x, 800, between(random, 55, 92), -Math.PI / 2, 17)}</g>`;
  });
  const domes = repeat(26, () => {
    const [x, y, size] = [between(random, 0, width), between(random, 735, 810), between(random, 26, 74)];
    const tone = pickOne(random, ["#b04a86", "#e0704a", "#7a3f9a", "#d8943c", "#2f8f86", "#c8506a"]);
    const dots = repeat(10, () =>
      ellipse(
        x + between(random, -size, size) * 0.7,
        y - random() * size * 0.6,
        3,
        3,
        'fill="#ffe8d0" opacity="0.5"',
      ),
    );
    return ellipse(x, y, size, size * 0.8, `fill="${tone}"`) + dots;
  });
  const fish = repeat(34, () => {
    const side = random() < 0.5 ? -1 : 1;
    const [body, stripe] = pickOne<readonly [string, string]>(random, [
      ["#ffb020", "#ffffff"],
      ["#ffe04a", "#2a4a8a"],
      ["#ff7a3c", "#ffffff"],
      ["#4ad0ff", "#0a3a6a"],
    ]);
    const at = `translate(${round(between(random, 40, width - 40))} ${round(between(random, 90, 560))}) scale(${round(side * between(random, 0.6, 1.5) * 10) / 10} ${round(between(random, 0.7, 1.3))})`;
    return `<g transform="${at}"><path d="M-26 0L-44 -14V14Z" fill="${body}"/><ellipse rx="28" ry="15" fill="${body}"/><path d="M-4 -14q8 14 0 28h8q6 -14 0 -28z" fill="${stripe}"/><circle cx="17" cy="-3" r="3" fill="#101820"/></g>`;
  });
  const bubbles = repeat(40, () =>
    ellipse(
      between(random, 0, width),
      between(random, 60, 700),
      between(random, 2, 7),
      between(random, 2, 7),
      'fill="none" stroke="#e0fffa" stroke-width="1.5" opacity="0.6"',
    ),
  );
  return svg(
    gradient("sea", "down", "#5fe0dc 0, #1fb0c4 0.25, #0f7fa6 0.6, #0a4a78 1"),
    full('fill="url(#sea)"') + blurred(8, rays) + bubbles + fish + domes + corals,
  );
}

export function drawBlossom(): string {
  const random = seededRandom(113);
  const lights = repeat(70, () =>
    ellipse(
      between(random, 0, width),
      between(random, 0, height),
      between(random, 30, 110),
      between(random, 30, 110),
      `fill="${pickOne(random, ["#d8efc4", "#c4e6b0", "#e8f6dc", "#b4dca0", "#f4fbee"])}" opacity="0.5"`,
    ),
  );
  const leaves = repeat(90, () => {
    const turn = Math.floor(random() * 360);
    const tone = pickOne(random, ["#b2dc9a", "#a4d08c", "#c6e8b2", "#98c882"]);
    return `<g transform="translate(${round(between(random, 0, width))} ${round(between(random, 0, height))}) rotate(${turn}) scale(${round(between(random, 0.7, 1.5))})"><path d="M0 0C26 -26 60 -24 92 0C60 24 26 26 0 0Z" fill="${tone}"/><path d="M4 0H86" stroke="#e6f6da" stroke-width="2.5"/></g>`;
  });
  const blossoms = repeat(62, (index) => {
    const petals = repeat(
      5,
      (petal) =>
        `<ellipse cx="0" cy="-25" rx="19" ry="26" transform="rotate(${petal * 72})" fill="${petal % 2 ? "#ffffff" : "#f8fbf5"}"/>`,
    );
    const dots = repeat(
      8,
      (dot) =>
        `<circle cx="${round(8 * Math.cos(dot * 0.79))}" cy="${round(8 * Math.sin(dot * 0.79))}" r="2" fill="#d8d87a"/>`,
    );
    const at = `translate(${round(between(random, 0, width))} ${round(between(random, 0, height))}) rotate(${index * 37}) scale(${round(between(random, 0.9, 1.9))})`;
    return `<g transform="${at}"><g transform="translate(3 5)" opacity="0.25" fill="#7ca868"><circle r="40"/></g>${petals}<circle r="7" fill="#dcebb0"/>${dots}</g>`;
  });
  return svg(
    gradient("air", "down", "#e4f5d6 0, #cdeabb 1"),
    full('fill="url(#air)"') + blurred(8, lights) + leaves + blossoms,
  );
}

export function drawFire(): string {
  const random = seededRandom(127);
  const flame = (x: number, foot: number, tall: number, broad: number, tone: string, opacity: number) => {
    const lean = between(random, -40, 40);
    const d = `M${round(x - broad)} ${foot}C${round(x - broad * 1.3)} ${round(foot - tall * 0.4)} ${round(x + lean - broad * 0.2)} ${round(foot - tall * 0.55)} ${round(x + lean)} ${round(foot - tall)}C${round(x + lean + broad * 0.5)} ${round(foot - tall * 0.6)} ${round(x + broad * 1.3)} ${round(foot - tall * 0.4)} ${round(x + broad)} ${foot}Z`;
    return `<path d="${d}" fill="${tone}" opacity="${opacity}"/>`;
  };
  const tongues = (
    count: number,
    spread: number,
    tall: number,
    broad: number,
    tone: string,
    opacity: number,
  ) =>
    repeat(count, () => {
      const off = (random() + random() - 1) * spread;
      const share = 1 - Math.abs(off) / (spread * 1.3);
      return flame(
        600 + off,
        690,
        tall * share * between(random, 0.7, 1.1),
        broad * between(random, 0.6, 1.1),
        tone,
        opacity,
      );
    });
  const sparks = repeat(120, () => {
    const y = between(random, 20, 640);
    const size = between(random, 0.8, 3);
    return ellipse(
      600 + (random() - 0.5) * (340 + (640 - y)),
      y,
      size,
      size * 1.5,
      `fill="${pickOne(random, ["#ffb040", "#ff7a20", "#ffe08a"])}" opacity="${round(between(random, 0.4, 1))}"`,
    );
  });
  return svg(
    gradient("heat", "round", "#ff8a2c/0.75 0, #c03a10/0.4 0.45, #300a04/0 1"),
    full('fill="#0d0504"') +
      ellipse(600, 540, 620, 460, 'fill="url(#heat)"') +
      blurred(8, tongues(26, 330, 560, 70, "#d8300c", 0.75)) +
      blurred(3, tongues(26, 260, 480, 56, "#f5680f", 0.75)) +
      blurred(3, tongues(20, 190, 380, 44, "#ffa51e", 0.8)) +
      blurred(3, tongues(14, 120, 270, 34, "#ffdf5c", 0.8)) +
      blurred(8, tongues(6, 70, 160, 26, "#fff6c8", 0.85)) +
      logs(random) +
      sparks,
  );
}

function logs(random: Random): string {
  return repeat(5, (index) => {
    const turn = -24 + index * 12;
    const shift = between(random, -14, 14);
    return `<g transform="translate(${600 + shift} ${716 + (index % 2) * 14}) rotate(${turn})"><rect x="-270" y="-24" width="540" height="46" rx="22" fill="#20100a"/><path d="M-250 -14H240M-220 4H200" stroke="#e0501a" stroke-width="3" opacity="0.7"/></g>`;
  });
}
