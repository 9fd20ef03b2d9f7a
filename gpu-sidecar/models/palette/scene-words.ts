import type { Meaning } from "./meaning.ts";

/** Things and times that have typical colours: what a person means by "sunset colours" or "forest". */
export const sceneWords: readonly (readonly [words: string, meaning: Meaning])[] = [
  [
    "sunset, sundown, dusk, evening sky, evening glow, afterglow, golden hour",
    {
      colours: "orange 4, amber 2, coral 2, burnt orange 2, crimson 1, pink 1, plum 1, gold 1, dark brown 1",
      warmth: 1,
      saturation: 0.5,
      texture: -0.3,
      lines: { horizontal: 0.5 },
    },
  ],
  [
    "sunrise, dawn, daybreak, morning sky",
    {
      colours: "peach 3, pink 2, amber 2, orange 2, lavender 1, sky blue 1, cream 1",
      warmth: 0.7,
      brightness: 0.3,
      texture: -0.4,
    },
  ],
  [
    "twilight, blue hour",
    { colours: "indigo 3, navy 3, violet 1, plum 1, mauve 1, slate 1", brightness: -0.6, warmth: -0.4 },
  ],
  [
    "night, nighttime, midnight, nocturnal, night sky",
    { colours: "black 4, midnight blue 4, navy 2, charcoal 1", brightness: -1, glow: 0.7, warmth: -0.2 },
  ],
  [
    "city lights, night city, skyline, neon lights, street lights",
    {
      colours: "black 3, midnight blue 3, amber 1, navy 1, magenta 1",
      brightness: -0.9,
      glow: 1,
      texture: 0.4,
    },
  ],
  [
    "star, stars, starry, galaxy, space, cosmos, universe, milky way",
    { colours: "black 6, midnight blue 3, indigo 1, white 1", brightness: -1, glow: 1 },
  ],
  [
    "moon, moonlight, moonlit",
    { colours: "midnight blue 3, black 3, slate 2, silver 1", brightness: -0.8, warmth: -0.4, glow: 0.6 },
  ],
  [
    "aurora, northern lights",
    {
      colours: "emerald 3, midnight blue 3, black 2, violet 1, turquoise 1",
      brightness: -0.6,
      texture: -0.2,
    },
  ],
  [
    "sun, sunlight, sunshine, summer",
    { colours: "yellow 2, amber 2, sky blue 1, cream 1", brightness: 0.7, warmth: 0.6 },
  ],
  [
    "sky, heaven, blue sky, clear sky",
    {
      colours: "sky blue 4, azure 2, ice blue 1, white 1",
      top: "sky blue 4, azure 2",
      brightness: 0.4,
      texture: -0.6,
      warmth: -0.5,
    },
  ],
  [
    "cloud, cloudy, overcast",
    { colours: "silver 3, light grey 3, white 2, slate 1", saturation: -0.7, texture: -0.5, contrast: -0.3 },
  ],
  [
    "storm, stormy, thunder, thunderstorm, rain, rainy",
    {
      colours: "slate 4, charcoal 3, grey 2, midnight blue 1",
      brightness: -0.5,
      saturation: -0.7,
      warmth: -0.4,
    },
  ],
  [
    "fog, foggy, mist, misty, haze, smog, steam",
    { colours: "light grey 4, silver 3, white 1, ash 1", contrast: -1, saturation: -0.8, texture: -0.7 },
  ],
  ["smoke, ash, dust", { colours: "grey 3, ash 3, charcoal 1, silver 1", saturation: -0.8, contrast: -0.4 }],
  [
    "winter, snow, snowfall, blizzard",
    {
      colours: "white 6, ice blue 2, sky blue 1, pale blue 1",
      brightness: 0.7,
      warmth: -0.7,
    },
  ],
  [
    "ice, icy, frost, frosty, glacier, frozen, iceberg",
    { colours: "ice blue 4, white 3, sky blue 2, cyan 1", brightness: 0.6, warmth: -0.8 },
  ],
  [
    "sea, ocean, water, lake, river, underwater, wave, waves, lagoon, pool, marine, aquatic",
    {
      colours: "azure 3, teal 2, denim 2, turquoise 2, navy 1, sky blue 1",
      warmth: -0.9,
      bottom: "azure 3, teal 2, denim 2",
    },
  ],
  [
    "tropical, caribbean, tropical sea",
    {
      colours: "turquoise 4, cyan 2, aquamarine 2, sky blue 1, cream 1, green 1",
      saturation: 0.5,
      brightness: 0.3,
    },
  ],
  [
    "reef, coral reef, aquarium, fish, fishes",
    {
      colours: "teal 3, azure 2, coral 3, turquoise 2, orange 1, magenta 1",
      variety: 0.6,
      saturation: 0.5,
      texture: 0.2,
    },
  ],
  [
    "beach, shore, coast, seaside",
    {
      colours: "beige 3, tan 2, turquoise 2, sky blue 3",
      bottom: "beige 3, tan 2",
      top: "sky blue 3, azure 1",
      brightness: 0.4,
    },
  ],
  [
    "sand, desert, dune, dunes, sahara, savanna, savannah",
    {
      colours: "tan 4, khaki 2, burnt orange 1, apricot 1, beige 2, sky blue 1",
      bottom: "tan 4, honey 2",
      warmth: 0.9,
      texture: -0.2,
    },
  ],
  ["canyon, mars, red rock, mesa", { colours: "terracotta 4, rust 3, brick 2, tan 1", warmth: 1 }],
  [
    "mountain, mountains, alps, peak, peaks, summit",
    {
      colours: "slate 2, taupe 2, sky blue 2, white 2, azure 1, ice blue 1, forest green 1, steel blue 1",
      top: "sky blue 3, azure 2, white 1",
    },
  ],
  [
    "rock, stone, cliff, rocky, gravel",
    { colours: "slate 3, grey 3, taupe 2, charcoal 1, ash 1", saturation: -0.4, texture: 0.4 },
  ],
  [
    "forest, wood, woods, woodland, jungle, rainforest, trees",
    {
      colours: "forest green 4, dark green 3, moss 2, green 1, dark brown 1",
      texture: 0.4,
      brightness: -0.3,
    },
  ],
  [
    "tree, plant, leaf, leaves, foliage, nature, vegetation, fern, ivy",
    { colours: "green 3, moss 3, forest green 2, kelly green 2", texture: 0.3 },
  ],
  [
    "grass, lawn, meadow, field, pasture, park",
    { colours: "kelly green 4, moss 2, lime 1, sky blue 1", bottom: "kelly green 4, moss 2" },
  ],
  [
    "spring, springtime, blossom, blossoms",
    { colours: "blush 3, pink 2, pistachio 2, mint 1, white 1", brightness: 0.5 },
  ],
  [
    "garden, flowers, flower, bouquet, floral, bloom",
    {
      colours: "green 3, pink 2, red 1, yellow 1, magenta 1, lavender 1",
      variety: 0.6,
      saturation: 0.4,
      texture: 0.4,
    },
  ],
  [
    "autumn, fall, autumnal, fall foliage, autumn leaves",
    {
      colours: "burnt orange 3, amber 2, rust 2, gold 2, crimson 1, brown 2",
      warmth: 1,
      texture: 0.5,
      saturation: 0.4,
    },
  ],
  [
    "lavender field, lavender fields, provence",
    { colours: "lavender 3, violet 3, purple 3, dark purple 1, green 1", saturation: 0.3 },
  ],
  ["tulip, tulips", { colours: "red 2, yellow 2, pink 2, green 2", variety: 0.6, saturation: 0.6 }],
  [
    "rapeseed, sunflower, sunflowers, wheat, cornfield, hay",
    { colours: "yellow 3, gold 3, amber 1, sky blue 1, moss 1", warmth: 0.7 },
  ],
  [
    "fire, flame, flames, blaze, burning, campfire, bonfire, fiery, inferno, lava, ember, embers, volcano",
    {
      colours: "black 5, orange 3, vermilion 2, amber 1, maroon 1, yellow 1",
      warmth: 0.9,
      brightness: -0.6,
      glow: 0.9,
      contrast: 0.4,
    },
  ],
  [
    "explosion, fireworks, firework",
    { colours: "black 4, amber 2, hot pink 1, red 1, cyan 1", glow: 1, brightness: -0.5, contrast: 0.5 },
  ],
  [
    "blood, bloody, love, passion, valentine, heart",
    { colours: "red 4, crimson 3, ruby 2, maroon 1", warmth: 0.4, saturation: 0.4 },
  ],
  ["earth, soil, mud, ground, dirt", { colours: "brown 4, dark brown 3, sepia 2, taupe 1", warmth: 0.3 }],
  ["wooden, timber, bark, leather", { colours: "brown 4, sepia 2, tan 2, dark brown 1", warmth: 0.5 }],
  [
    "marble, porcelain",
    { colours: "white 4, pale grey 3, silver 1, charcoal 1", saturation: -0.9, brightness: 0.5 },
  ],
  [
    "steel, iron, machine, industrial, asphalt, road, street",
    { colours: "slate 2, grey 3, charcoal 2, silver 2", saturation: -0.8 },
  ],
  [
    "city, urban, town, building, buildings, architecture",
    {
      colours: "grey 3, slate 2, taupe 2, beige 1",
      lines: { vertical: 0.5, horizontal: 0.4 },
      texture: 0.4,
      saturation: -0.4,
    },
  ],
  ["zebra", { colours: "black 3, white 3", saturation: -0.9, contrast: 1, aligned: 1, texture: 0.3 }],
  ["tiger", { colours: "orange 4, black 2, white 1", contrast: 0.6, aligned: 0.4, warmth: 0.8 }],
  ["leopard, cheetah, giraffe", { colours: "tan 4, mustard 2, dark brown 2", texture: 0.5, warmth: 0.6 }],
  ["skin, face, portrait", { colours: "peach 3, tan 2, dusty rose 1, terracotta 1, brown 1", warmth: 0.5 }],
  [
    "candy, sweets, unicorn, fairy, fairytale, princess",
    { colours: "pink 3, hot pink 2, lavender 2, mint 1, sky blue 1", brightness: 0.4, saturation: 0.3 },
  ],
  ["christmas, xmas", { colours: "red 3, forest green 3, gold 1, white 1" }],
  ["halloween", { colours: "orange 3, black 4, plum 1", brightness: -0.5 }],
  ["easter", { colours: "pale yellow 2, mint 2, blush 2, lavender 2", brightness: 0.7 }],
  [
    "gothic, horror, scary, spooky, ghost, haunted",
    { colours: "black 5, charcoal 3, maroon 1", brightness: -1, saturation: -0.5 },
  ],
  [
    "melancholy, sad, lonely, melancholic",
    { colours: "slate 3, denim 2, grey 2", warmth: -0.6, brightness: -0.4, saturation: -0.4 },
  ],
  [
    "happy, cheerful, joy, joyful, playful, fun",
    {
      colours: "yellow 3, orange 2, hot pink 1, sky blue 1, lime 1",
      brightness: 0.5,
      saturation: 0.7,
      variety: 0.4,
    },
  ],
  [
    "romantic, dreamy, tender",
    { colours: "blush 3, pink 2, lavender 1, peach 2", brightness: 0.3, texture: -0.5, contrast: -0.3 },
  ],
  ["lime fruit, kiwi, apple, lettuce, salad", { colours: "lime 3, kelly green 2, pistachio 2" }],
  ["banana, corn, cheese, butter", { colours: "yellow 3, lemon 2, cream 1" }],
  [
    "strawberry, raspberries, berries, cherries, tomatoes",
    { colours: "red 3, crimson 3, raspberry 1, green 1" },
  ],
  ["blueberry, blueberries, grape, grapes", { colours: "indigo 3, navy 2, plum 2, violet 1" }],
  [
    "rust metal, rusty, weathered, corroded",
    { colours: "rust 4, brown 2, terracotta 1, slate 1", texture: 0.5, warmth: 0.5 },
  ],
];
