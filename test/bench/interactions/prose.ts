/**
 * Texts such as people ask models and models answer, drawn from a seed: sentences of English, a tenth of German, French and Spanish,
 * with names, numbers, lists, code, links, addresses and quotes among them. Words are common and rare as in a language (Zipf), so
 * that what remembers words it has seen meets others too.
 */
import type { Random } from "../../helpers/pictures.ts";

interface Language {
  readonly patterns: readonly string[];
  /** By the letter that stands for them in the patterns, the most common first. */
  readonly words: Readonly<Record<string, readonly string[]>>;
}

const english: Language = {
  patterns: [
    "D A N V D N P D N",
    "I would like to V D A N because D N V D N",
    "when D N V D A N , D N V P D N",
    "D N and D N V D N , but D A N V D N M",
    "please V D N of D N before D N V M",
    "could you V D A N for X in D N ?",
    "it V M that D N V D A N P D N",
    "X V D N M , and X V D A N",
    "there are # N P D N which V D A N",
    "if you V D N , then D N will V M",
    "to V D N you V D N P D A N",
    "the N of # V D A N in the N of X",
  ],
  words: {
    D: "the a this your our that my every some no its another each their".split(" "),
    N: "order time account customer invoice delivery payment question answer problem product page date address card service team week price report model data file system message list number name code method plan example result value function room table contract website garden recipe letter ticket refund package battery engine lesson exam student teacher doctor medicine city train flight hotel holiday weather river mountain history country language grammar theory market budget salary interview manager project meeting deadline version server database query column key password screen button printer keyboard camera photo picture colour painting music song".split(
      " ",
    ),
    V: "is has gives needs shows takes uses finds helps makes keeps sends checks changes explains contains describes follows returns improves replaces supports costs opens closes writes reads compares measures requires confirms cancels updates reduces protects translates summarizes recommends calculates prepares delivers repairs teaches attracts reflects".split(
      " ",
    ),
    A: "new good large small old important different long short possible simple free ready open early late careful useful expensive broken slow fast public private common strange happy difficult interesting reasonable unusual generous reliable fragile temporary sustainable".split(
      " ",
    ),
    P: "in on with for from about after before under without during against between".split(" "),
    M: "today already carefully again quickly soon usually often really almost perfectly unfortunately immediately eventually gradually".split(
      " ",
    ),
  },
};

const german: Language = {
  patterns: [
    "D N V D A N und D N V M",
    "ich möchte D A N , weil D N D N V",
    "wenn D N V , dann V D N M",
    "können Sie mir sagen , ob D N V ?",
  ],
  words: {
    D: "die eine diese unsere keine jede".split(" "),
    N: "Bestellung Rechnung Frage Antwort Lieferung Zahlung Adresse Woche Aufgabe Lösung Versicherung Wohnung Schule Übung Geschichte".split(
      " ",
    ),
    V: "ist hat braucht zeigt hilft kostet erklärt öffnet bestätigt ändert".split(" "),
    A: "neue gute große kleine alte wichtige schöne schwierige".split(" "),
    P: "mit ohne für über nach".split(" "),
    M: "heute leider schon wieder sofort natürlich".split(" "),
  },
};

const french: Language = {
  patterns: [
    "D N V D N A et D N V M",
    "je voudrais D N A parce que D N V",
    "est-ce que D N V D N P D N ?",
    "si D N V , alors D N V M",
  ],
  words: {
    D: "la une cette notre votre chaque".split(" "),
    N: "commande facture question réponse livraison adresse semaine solution maison école histoire voiture réunion page carte".split(
      " ",
    ),
    V: "est a montre explique demande confirme change coûte donne prépare".split(" "),
    A: "nouvelle grande petite importante différente simple française".split(" "),
    P: "avec sans pour dans sur après".split(" "),
    M: "aujourd'hui déjà bientôt souvent malheureusement".split(" "),
  },
};

const spanish: Language = {
  patterns: [
    "D N V D N A y D N V M",
    "quisiera D N A porque D N V",
    "¿puede decirme si D N V D N ?",
    "cuando D N V , entonces D N V M",
  ],
  words: {
    D: "la una esta nuestra cada".split(" "),
    N: "orden factura pregunta respuesta entrega dirección semana solución casa escuela historia reunión página tarjeta cuenta".split(
      " ",
    ),
    V: "es tiene muestra explica necesita confirma cambia cuesta ofrece".split(" "),
    A: "nueva buena grande pequeña importante diferente sencilla".split(" "),
    P: "con sin para en sobre después".split(" "),
    M: "hoy ya pronto siempre desgraciadamente".split(" "),
  },
};

const rareWords = 50_000;
const syllables =
  "ba co del fin gra hol ix jun kor lam mer nov oth pra quin ros sel tur ven wal yor zim".split(" ");

/** Names, products and terms that few texts have. */
function nameOf(rank: number): string {
  let [rest, name] = [rank + 23, ""];
  for (; rest > 0; rest = Math.floor(rest / syllables.length)) name += syllables[rest % syllables.length];
  return (name[0] ?? "").toUpperCase() + name.slice(1);
}

const pick = <Item>(random: Random, items: readonly Item[]): Item =>
  items[Math.floor(random() * items.length)] as Item;

/** By a density of 1 / rank. */
const drawRank = (random: Random, count: number): number => Math.floor(count ** random()) - 1;

function drawSentence(random: Random, { patterns, words }: Language): string {
  const parts = pick(random, patterns)
    .split(" ")
    .map((part) => {
      const known = words[part];
      // Every fiftieth noun is one that hardly anybody knows.
      if (part === "X" || (part === "N" && random() < 0.02)) return nameOf(drawRank(random, rareWords));
      if (part === "#") return String(Math.floor(10 ** (random() * 5)));
      return known ? (known[drawRank(random, known.length)] ?? part) : part;
    });
  const text = parts.join(" ").replaceAll(" ,", ",").replace(" ?", "?");
  return `${(text[0] ?? "").toUpperCase()}${text.slice(1)}${text.endsWith("?") ? "" : "."}`;
}

/** What is between sentences now and then. */
function drawInsert(random: Random, language: Language): string {
  const name = nameOf(drawRank(random, rareWords)).toLowerCase();
  const inserts = [
    () => `\n\n- ${[1, 2, 3].map(() => drawSentence(random, language)).join("\n- ")}\n`,
    () => `See https://www.${name}.example/${Math.floor(random() * 1e6)} for more.`,
    () => `Write to ${name}@example.com, or call +49 30 ${Math.floor(1e6 + random() * 9e6)}.`,
    () => `"${drawSentence(random, language)}"`,
    () => `\n\`\`\`js\nconst ${name} = read(${Math.floor(random() * 100)});\nreturn ${name} + 1;\n\`\`\`\n`,
    () => `It was ${(random() * 1000).toFixed(2)} EUR on ${1 + Math.floor(random() * 28)}.03.2026.`,
    () => "\n\n",
  ];
  return pick(random, inserts)();
}

const others = [german, french, spanish];

/** About so many characters: the last sentence is whole. */
export function drawText(random: Random, characters: number): string {
  const language = random() < 0.9 ? english : pick(random, others);
  let text = "";
  while (text.length < characters - 30) {
    const next = random() < 0.06 ? drawInsert(random, language) : drawSentence(random, language);
    text += text === "" || text.endsWith("\n") ? next : ` ${next}`;
  }
  return text.trim();
}

export interface DrawnTexts {
  readonly input: string;
  readonly output: string;
}

/** Two hundred characters and eight hundred in the mean, from half as many to one and a half times. */
export function drawTexts(random: Random): DrawnTexts {
  return {
    input: drawText(random, 100 + 200 * random()),
    output: drawText(random, 400 + 800 * random()),
  };
}
