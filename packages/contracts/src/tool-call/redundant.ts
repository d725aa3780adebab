/** The contract tool-call/redundant: nothing is asked again that was answered already. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { compareText } from "../text/compare-text.ts";
import { plural } from "../text/plural.ts";
import type { Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { stretchesOf } from "./conversation/user-turns.ts";
import { leavesOf } from "./leaves.ts";
import { resultText, saysPending, stateOf } from "./result-state.ts";
import { likeness, tokensOf, wordPairsOf } from "./token-likeness.ts";
import { traitsOf } from "./tool-traits.ts";
import { isUninformative } from "./uninformative.ts";
import { keyOf } from "./value-key.ts";
import { type Doubt, Verdicts } from "./verdicts.ts";

interface Options {
  readonly equalCallCountMin: number;
  readonly similarCallCountMin: number;
  readonly argumentLikenessMin: number;
  readonly resultLikenessMin: number;
  readonly gapSecondsMax: number;
}

/** Work limits for each stretch. */
const callCountMax = 200;
const clusterCountMax = 20;
/** A word that is another, as in a time, changes two pairs of words; another list changes most of them. */
const pairLikenessMin = 0.7;
/** A shorter answer of a tool whose kind is unknown may be all that a change says. */
const answerLengthMin = 20;

export const redundant: Contract = defineContract<Options>({
  id: "tool-call/redundant",
  version: 2,
  boundary: "model-tool",
  promise: "A tool is not asked again for what it answered already and nothing has changed since.",
  reads: ["transcript", "trace"],
  options: {
    equalCallCountMin: {
      default: 2,
      description: "Calls with equal arguments and equal results that count as redundant.",
    },
    similarCallCountMin: {
      default: 3,
      description: "Calls with similar arguments and similar results that count as redundant.",
    },
    argumentLikenessMin: {
      default: 0.8,
      description: "Share of words (0 to 1) that similar arguments have in common.",
    },
    resultLikenessMin: {
      default: 0.9,
      description: "Share of words (0 to 1) that similar results have in common.",
    },
    gapSecondsMax: {
      default: 60,
      description:
        "Seconds between two calls beyond which the second is a look at what may have changed.",
    },
  },
  check(snapshot, options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      for (const { exchanges } of stretchesOf(conversation)) {
        judge(exchanges, { options, verdicts, changeMicros: conversation.changeMicros });
      }
    }
    return verdicts.findings(found, {
      holds: "asked for something new, or for what may have changed",
      nextCheck: "Record the results of the calls.",
    });
  },
});

interface Cluster {
  readonly tool: string;
  readonly key: string | undefined;
  readonly tokens: ReadonlySet<string>;
  readonly members: Exchange[];
}

function judge(
  all: readonly Exchange[],
  {
    options,
    verdicts,
    changeMicros,
  }: { options: Options; verdicts: Verdicts; changeMicros: readonly number[] },
): void {
  const open = new Map<string, Cluster[]>();
  const close = (kept?: string): void => {
    for (const [tool, clusters] of open) {
      if (tool === kept) continue;
      for (const cluster of clusters) report(cluster, options, verdicts);
      open.delete(tool);
    }
  };
  const judged = all.slice(0, callCountMax);
  for (const [index, exchange] of judged.entries()) {
    // Other work of the trace may have changed what the tool reads.
    if (isChangedBetween(judged[index - 1], exchange, changeMicros)) close();
    const { tool, definition, result, given } = exchange;
    const traits = traitsOf(tool, definition);
    // What was read before a change may be read again after it.
    if (traits.isChanging === true) {
      close();
      continue;
    }
    // A tool of which nothing tells may have changed what others read.
    if (traits.isChanging === undefined) close(tool);
    if (traits.isWaiting || result === undefined || given === undefined) continue;
    const state = stateOf(result);
    if (state === "error" || state === "denied" || saysPending(result)) continue;
    const text = resultText(result);
    if (isUninformative(result)) continue;
    if (traits.isChanging === undefined && text.length < answerLengthMin) continue;
    place(exchange, { open, options });
  }
  close();
}

/** Whether something changed between two calls, as far as their times tell. */
function isChangedBetween(
  before: Exchange | undefined,
  after: Exchange,
  changeMicros: readonly number[],
): boolean {
  const [from, to] = [before?.timeMicros, after.timeMicros];
  if (from === undefined || to === undefined) return false;
  return changeMicros.some((moment) => moment > from && moment <= to);
}

function place(
  exchange: Exchange,
  { open, options }: { open: Map<string, Cluster[]>; options: Options },
): void {
  const { tool, given } = exchange;
  const clusters = open.get(tool) ?? [];
  open.set(tool, clusters);
  const key = keyOf(given);
  const tokens = tokensOf(key ?? "");
  const home =
    clusters.find((cluster) => cluster.key === key) ??
    clusters.find((cluster) => likeness(cluster.tokens, tokens) >= options.argumentLikenessMin);
  if (home !== undefined) home.members.push(exchange);
  else if (clusters.length < clusterCountMax)
    clusters.push({ tool, key, tokens, members: [exchange] });
}

function report({ tool, key, members }: Cluster, options: Options, verdicts: Verdicts): void {
  const [first] = members;
  if (first === undefined) return;
  const among = { first, members, options };
  const equal = repeatsOf(
    among,
    (other) => keyOf(other.given) === key && resultKey(other) === resultKey(first),
  );
  const firstTokens = tokensOf(resultKey(first));
  const firstPairs = wordPairsOf(resultKey(first));
  const similar = repeatsOf(
    among,
    (other) =>
      likeness(firstTokens, tokensOf(resultKey(other))) >= options.resultLikenessMin &&
      likeness(firstPairs, wordPairsOf(resultKey(other))) >= pairLikenessMin,
  );
  const isSimilar =
    // Calls of one turn were all made before any was answered.
    new Set(similar.map(({ turn }) => turn)).size >= options.similarCallCountMin &&
    !isPaging(similar) &&
    !isLookingForEach(similar);
  const isCertain = isSimilar && similar.every((other) => asksTheSame(first.given, other.given));
  const repeats = equal.length >= options.equalCallCountMin ? equal : isCertain ? similar : [];
  if (repeats.length === 0) {
    if (isSimilar) verdicts.open(doubtAbout(tool, similar));
    else for (const member of members) verdicts.fits(tool, member.reference);
    return;
  }
  const areEqual = repeats === equal;
  verdicts.violated({
    tool,
    fault: areEqual ? "equal-calls" : "similar-calls",
    what: `was called ${plural(repeats.length, "time")} with ${areEqual ? "equal" : "similar"} arguments, got ${areEqual ? "the same answer" : "much the same answer"} each time, and nothing changed in between`,
    expected: "one call, whose answer is used again",
    actual: plural(repeats.length, "call"),
    causeKind: "configuration",
    fix: areEqual
      ? `Keep the answer of ${tool} for the rest of the turn, or tell the model that it has it already.`
      : `Describe in ${tool} what one call can ask for, so that one call is enough.`,
    nextCheck:
      "Look at whether the earlier answer was still in the context when the call was repeated.",
    evidence: repeats.map((exchange) => exchange.reference),
    measures: { callCount: repeats.length, redundantCallCount: repeats.length - 1 },
  });
}

function doubtAbout(tool: string, similar: readonly Exchange[]): Doubt {
  return {
    tool,
    what: `was called ${plural(similar.length, "time")} with similar arguments and got much the same answer each time, and whether they ask for the same thing is not plain`,
    missing: "whether the values in which the arguments differ mean the same",
    evidence: similar.map((exchange) => exchange.reference),
  };
}

/** Words without which a text asks for the same. English only. */
const fillingWords = new Set(
  "a an and are at by can for from how i in is me my of on or please the to what with".split(" "),
);
/** Words of a text that is a question or a search and not the name of a thing. */
const wordCountMin = 3;

/** Whether arguments differ in nothing but how a longer text is worded: the same words in another order or dress. */
function asksTheSame(left: unknown, right: unknown): boolean {
  const [ones, others] = [sortedLeavesOf(left), sortedLeavesOf(right)];
  return (
    ones.length === others.length &&
    ones.every(({ pointer, value }, index) => {
      const other = others[index];
      if (other?.pointer !== pointer) return false;
      if (other.value === value) return true;
      if (typeof value !== "string" || typeof other.value !== "string") return false;
      // One word may be a name, and names may differ in case.
      if (/\S\s+\S/.test(value) && plain(value) === plain(other.value)) return true;
      const [words, otherWords] = [contentWords(value), contentWords(other.value)];
      return words.length >= wordCountMin && words.join(" ") === otherWords.join(" ");
    })
  );
}

function sortedLeavesOf(value: unknown): ReturnType<typeof leavesOf> {
  return [...leavesOf(value)].sort((left, right) => compareText(left.pointer, right.pointer));
}

/** A text without what differs in its looks alone. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, " ").trim();
}

function contentWords(text: string): string[] {
  return [...tokensOf(text)].filter((word) => !fillingWords.has(word)).sort(compareText);
}

/** The calls that repeat the first, when the last of all is none with news and no gap is long. */
function repeatsOf(
  {
    first,
    members,
    options: { gapSecondsMax },
  }: { first: Exchange; members: readonly Exchange[]; options: Options },
  isRepeat: (other: Exchange) => boolean,
): Exchange[] {
  const last = members.at(-1);
  // Who polls stops when there is news; then the calls before were not in vain.
  if (
    last === undefined ||
    (last !== first && !isRepeat(last) && keyOf(last.given) === keyOf(first.given))
  )
    return [];
  const repeats = members.filter((member) => member === first || isRepeat(member));
  const times = repeats.map((member) => member.timeMicros);
  const isSlow = times.some((time, index) => {
    const before = index === 0 ? undefined : times[index - 1];
    return time !== undefined && before !== undefined && time - before > gapSecondsMax * 1e6;
  });
  return isSlow ? [] : repeats;
}

/** Arguments that differ in a number or a cursor turn pages. */
function isPaging(exchanges: readonly Exchange[]): boolean {
  const texts = exchanges.map(({ given }) => plain(keyOf(given) ?? ""));
  return (
    new Set(texts).size === texts.length &&
    texts.some((text) => /page|offset|cursor|start|skip|token|limit|after|before/i.test(text))
  );
}

/** One value that is another in every call: the calls are about different things. */
function isLookingForEach(exchanges: readonly Exchange[]): boolean {
  const keys = exchanges.map(({ given }) => keyOf(given) ?? "").sort(compareText);
  const ids = keys.map((key) => (key.match(/\d[\w-]*/g) ?? []).join(","));
  return new Set(ids).size > 1;
}

function resultKey({ result }: Exchange): string {
  return result === undefined ? "" : resultText(result);
}
