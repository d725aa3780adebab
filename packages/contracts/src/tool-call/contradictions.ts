/** Finds statements of an answer that differ from the results for the same key. Silent wherever it is not plain. */

import type { Leaf } from "./leaves.ts";
import { nameWords } from "./name-words.ts";
import { numbersIn, type StatedNumber, type Support } from "./support.ts";

export interface Contradiction {
  readonly kind: "number" | "status" | "boolean" | "date" | "items-from-nothing";
  /** The key; empty for the result as a whole. */
  readonly name: string;
  readonly stated: string;
  readonly recorded: string;
  /** The value of the result that is contradicted; absent for the result as a whole. */
  readonly leaf: Leaf | undefined;
}

interface Before {
  readonly leaves: readonly Leaf[];
  /** Whether the text before the answer has a text, given in lower case. */
  readonly said: (text: string) => boolean;
  readonly support: Support;
  /** Something was changed in the turn, so that what was read before it may be so no longer. */
  readonly hasChanges: boolean;
  /** Every result is empty. */
  readonly emptyResults: boolean;
}

/** Letters between a key and its value, at most. */
const gapLengthMax = 24;
const textLengthMax = 20_000;
const keyCountMax = 200;

/** Words for states of things, each state with the words that mean it too. */
const states: readonly (readonly string[])[] = [
  [
    "pending",
    "waiting",
    "queued",
    "awaiting",
    "processing",
    "in progress",
    "in_progress",
    "running",
    "ongoing",
  ],
  [
    "shipped",
    "in transit",
    "in_transit",
    "dispatched",
    "on its way",
    "on the way",
    "en route",
    "out for delivery",
  ],
  ["delivered", "received", "arrived"],
  ["cancelled", "canceled", "cancelling", "voided"],
  [
    "failed",
    "failure",
    "declined",
    "rejected",
    "denied",
    "errored",
    "unsuccessful",
    "crashloopbackoff",
  ],
  [
    "completed",
    "complete",
    "done",
    "finished",
    "succeeded",
    "successful",
    "success",
    "closed",
    "resolved",
    "paid",
    "settled",
  ],
  ["returned", "refunded"],
  ["on time", "on_time", "on schedule"],
  ["delayed", "late", "behind schedule"],
  ["confirmed", "approved", "accepted"],
  ["expired", "overdue"],
  ["suspended", "blocked", "disabled", "inactive", "deactivated"],
];

/** The contradictions of an answer, and the values that it repeats rightly. */
export function contradictionsOf(
  answer: string,
  before: Before,
): { readonly contradictions: Contradiction[]; readonly agreeing: Leaf[] } {
  const text = answer.slice(0, textLengthMax);
  const contradictions: Contradiction[] = [];
  const agreeing: Leaf[] = [];
  const byName = Map.groupBy(before.leaves, ({ name }) => name);
  for (const [name, leaves] of [...byName].slice(0, keyCountMax)) {
    const words = nameWords(name);
    const [leaf, ...others] = distinct(leaves);
    if (leaf === undefined || words.length === 0 || words.length > 5) continue;
    if (leaves.some((item) => mentions(text, item))) agreeing.push(leaf);
    // Of several things with the same key the answer may mean any.
    if (others.length > 0) continue;
    const found = judgeKey(text, { name, words, leaf }, before);
    if (found !== undefined) contradictions.push(found);
  }
  const items = before.emptyResults ? itemsFromNothing(text, before) : undefined;
  return {
    contradictions: items === undefined ? contradictions : [...contradictions, items],
    agreeing,
  };
}

function distinct(leaves: readonly Leaf[]): Leaf[] {
  return [...new Map(leaves.map((leaf) => [String(leaf.value), leaf])).values()];
}

function mentions(text: string, { value }: Leaf): boolean {
  if (typeof value === "number") return numbersIn(text).some((stated) => stated.value === value);
  return typeof value === "string" && value.length > 3 && text.includes(value);
}

interface Key {
  readonly name: string;
  readonly words: readonly string[];
  readonly leaf: Leaf;
}

function judgeKey(text: string, key: Key, before: Before): Contradiction | undefined {
  const { value } = key.leaf;
  if (typeof value === "boolean") return booleanContradiction(text, key, before);
  if (typeof value === "number") return numberContradiction(text, key, before);
  if (typeof value !== "string") return undefined;
  if (/^-?\d+(?:\.\d+)?$/.test(value)) return numberContradiction(text, key, before);
  return statusContradiction(text, key, before);
}

/** "total is $42.00", "temperature of 25°C", "Balance: 1,250": the key, a word or two, and the number. */
function numberContradiction(
  text: string,
  { name, words, leaf }: Key,
  { support }: Before,
): Contradiction | undefined {
  const isIdentifier =
    /(?:^|_)(?:id|code|number|no|zip|year|phone|lat|lon|latitude|longitude|index|version)$/i.test(
      name,
    );
  if (isIdentifier) return undefined;
  const recorded = Number(leaf.value);
  for (const { end } of mentionsOfKey(text, words)) {
    const stated = numberAfter(text, end);
    if (stated === undefined) continue;
    if (stated.value === recorded || support.supports(stated)) return undefined;
    return {
      kind: "number",
      name,
      stated: String(stated.value),
      recorded: String(leaf.value),
      leaf,
    };
  }
  return undefined;
}

function numberAfter(text: string, end: number): StatedNumber | undefined {
  const rest = text.slice(end, end + gapLengthMax + 24);
  const gap =
    /^(?:\*\*|["'`])?\s*(?:\([^)\d]{0,12}\)\s*)?(?:is|was|are|were|of|at|=|:|comes to|stands at|will be|is now|is currently|currently)?(?:\*\*)?[\s:]*(?:only|exactly|now|currently|approximately|about|around)?\s*(?:\*\*)?(?:[$€£¥]|USD|EUR|GBP)?\s?(?=-?\d)/i.exec(
      rest,
    );
  if (gap === null || gap[0].trim() === "" || gap[0].length > gapLengthMax) return undefined;
  // Of a number with its magnitude ("2.1 million") the whole is meant.
  const number = numbersIn(rest.slice(gap[0].length)).findLast(({ index }) => index === 0);
  if (number === undefined) return undefined;
  const after = rest.slice(gap[0].length + number.length);
  // "price of 2 tickets": the number counts something else than the key.
  const isCount =
    /\b(?:of|at)\b/i.test(gap[0]) && /^\s+[a-z]{3,}/i.test(after) && !/[$€£¥]/.test(gap[0]);
  return isCount || isNoValue(after) ? undefined : number;
}

/** A date, a time, a duration in parts, an ordinal, a range or the number of a list is no value of a key. */
function isNoValue(after: string): boolean {
  return (
    // A number as it is written where the comma is the decimal mark or a space groups digits was not read whole.
    /^(?:[.,'’]\d|[ \u00a0\u202f]\d{3}(?!\d))/.test(after) ||
    /^(?:[-/:]\d|st\b|nd\b|rd\b|th\b|\s?(?:-|–|to|or|out of|of|x|×)\s?\d|\))/.test(after) ||
    /^\s?(?:h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?|days?|weeks?|months?|years?|ft|feet|foot|lbs?)\b/i.test(
      after,
    ) ||
    /^\s?[a-z'"]{1,8}\s(?:and\s)?\d/i.test(after)
  );
}

/** "the status is shipped", where the result says `pending`. */
function statusContradiction(
  text: string,
  { name, words, leaf }: Key,
  before: Before,
): Contradiction | undefined {
  const { said } = before;
  const last = words.at(-1);
  if (last !== "status" && last !== "state" && last !== "phase") return undefined;
  const recorded = String(leaf.value).toLowerCase();
  if (before.hasChanges) return undefined;
  const own = states.find((state) => state.includes(recorded));
  const lower = text.toLowerCase();
  if (own === undefined || own.some((word) => lower.includes(word.replaceAll("_", " "))))
    return undefined;
  const claim =
    /\b(?:status|state|phase)\b[^.\n]{0,24}?\b(?:is|was|as|:|shows?|shown as|now|currently)\b\s*(?:now|currently|marked as)?\s*["'*`]{0,3}([a-z_ ]{4,24})/i.exec(
      lower,
    );
  const plain =
    /\b(?:order|package|parcel|shipment|delivery|job|task|ticket|payment|invoice|build|deployment|reservation|booking|refund|transfer)\b[^.,;\n]{0,30}?\b(?:is|has been|was|is now|is currently|has already been)\s+["'*`]{0,3}([a-z_ ]{4,24})/.exec(
      lower,
    );
  for (const match of [claim, plain]) {
    const word = match?.[1]?.trim() ?? "";
    const other = states.find((state) =>
      state.some((item) => word === item || word.startsWith(`${item} `)),
    );
    const stated = other?.find((item) => word === item || word.startsWith(`${item} `));
    if (other === undefined || stated === undefined || other === own) continue;
    if (
      /\b(?:not|n't|no|never|once|when|if|until|before|after|will)\b/.test(
        lower.slice(
          Math.max(0, (match?.index ?? 0) - 30),
          (match?.index ?? 0) + (match?.[0].length ?? 0),
        ),
      )
    )
      continue;
    if (other.some((item) => said(item))) continue;
    return { kind: "status", name, stated, recorded, leaf };
  }
  return undefined;
}

/** "it is available", where the result says `available: false`. */
function booleanContradiction(
  text: string,
  { name, words, leaf }: Key,
  { hasChanges }: Before,
): Contradiction | undefined {
  if (hasChanges) return undefined;
  const word = words.filter((item) => item !== "is" && item !== "has" && item !== "in").join(" ");
  const telling = [
    "available",
    "eligible",
    "refundable",
    "approved",
    "valid",
    "active",
    "enabled",
    "stock",
    "verified",
    "cancelled",
    "paid",
    "open",
  ];
  if (!telling.includes(word)) return undefined;
  const sentences = text
    .split(/(?<=[.!?\n])\s+/)
    .filter((sentence) => new RegExp(`\\b${word}\\b`, "i").test(sentence));
  const [only, ...others] = sentences;
  if (only === undefined || others.length > 0) return undefined;
  const isDenied =
    /\b(?:not|no|isn't|isn’t|aren't|wasn't|un\w+|never|out of|cannot|can't|neither|if|whether|other|only|but)\b|\?/i.test(
      only,
    );
  const isAffirmed =
    !isDenied &&
    new RegExp(`\\b(?:is|are|was|has been)\\s+(?:\\w+\\s+)?(?:in\\s+)?${word}\\b`, "i").test(only);
  const isNegated = new RegExp(
    `\\b(?:is|are|was)\\s*(?:not|n't)\\s+(?:\\w+\\s+)?(?:in\\s+)?${word}\\b`,
    "i",
  ).test(only);
  const contradicts = leaf.value === false ? isAffirmed : isNegated;
  if (!contradicts) return undefined;
  return {
    kind: "boolean",
    name,
    stated: isAffirmed ? "that it is so" : "that it is not so",
    recorded: String(leaf.value),
    leaf,
  };
}

/** "I found 3 flights", where every result is an empty list. */
function itemsFromNothing(text: string, { said }: Before): Contradiction | undefined {
  if (
    /\b(?:no|none|not|n't|nothing|any|unable|sorry|unfortunately|couldn|didn|without)\b/i.test(text)
  )
    return undefined;
  const claim =
    /\bfound\s+(?:the\s+)?(\d{1,4}|two|three|four|five|six|seven|eight|nine|ten|several|some|the following|these)\s+(?:\w+\s+){0,3}\w+/i.exec(
      text,
    );
  const count = claim?.[1]?.toLowerCase();
  if (count === undefined || count === "0" || (/^\d+$/.test(count) && said(`${count} `)))
    return undefined;
  return {
    kind: "items-from-nothing",
    name: "",
    stated: `${count} items`,
    recorded: "an empty result",
    leaf: undefined,
  };
}

/** Where the words of a key stand in a text, one after the other. */
function mentionsOfKey(text: string, words: readonly string[]): { readonly end: number }[] {
  const telling = words.filter((word) => word.length > 2 && !isUnit(word));
  if (
    telling.length === 0 ||
    telling.join("").length < 4 ||
    telling.some((word) => !/^[a-z]+$/.test(word))
  )
    return [];
  const pattern = new RegExp(`(?<![\\w-])${telling.join("[\\s_-]+")}(?![\\w-])`, "gi");
  return [...text.matchAll(pattern)]
    .slice(0, 20)
    .map((match) => ({ end: match.index + match[0].length }));
}

/** A unit at the end of a key is mostly not said with it. */
function isUnit(word: string): boolean {
  return /^(?:usd|eur|gbp|celsius|fahrenheit|kmh|mph|percent|pct|seconds|minutes|hours|days|bytes|cents|amount|value|current|kg|km|meters|miles)$/.test(
    word,
  );
}
