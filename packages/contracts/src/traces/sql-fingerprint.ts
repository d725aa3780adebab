/** Reduces SQL to its shape: literals and placeholders become `?`, lists of them one, comments go. */

import { traceLimits } from "./limits.ts";
import { type DoubleQuotes, sqlTokens } from "./sql-tokens.ts";

export interface SqlShape {
  /** The statement in one line, lower-cased, with `?` for each value. */
  readonly fingerprint: string;
  /** First keyword: `select`, `insert`, … */
  readonly verb: string;
  /** Values in the longest list of values (`IN (…)`), 0 when there is none. */
  readonly listValueCount: number;
  /** `= ANY(?)`, `unnest(?)`, `json_each(?)` and the like: one parameter that carries a list. */
  readonly takesArray: boolean;
  /** `IN (?)` as sanitisers write it for lists of any length. */
  readonly isListHidden: boolean;
  /** Whether the recorded statement ends in an ellipsis, so that its end is unknown. */
  readonly truncated: boolean;
}

const ellipsis = /(?:\.\.\.|…)\s*$/;
/** After these a parenthesis opens a list or a condition; after any other name it opens a call's arguments. */
const wordsBeforeLists =
  /^(?:in|values|and|or|where|from|select|exists|not|as|on|using|over|then|when|else|join|set|union|all|except|intersect|by|having|limit|offset|between|like|with|returning|conflict|[^a-z]+)$/;

/** Reduces one statement. Never throws: what is no SQL comes back in a reduced form of its own. */
export function sqlShape(statement: string, doubleQuotes: DoubleQuotes = "names"): SqlShape {
  const text = statement.slice(0, traceLimits.statementLengthMax).replace(ellipsis, "");
  const { words, listValueCount } = collapseLists(wordsOf(text, doubleQuotes));
  const fingerprint = joinTokens(words);
  return {
    fingerprint,
    verb: verbOf(words),
    listValueCount,
    takesArray:
      /\b(?:any|some|all) ?\( ?\? ?\)|\b(?:unnest|json_each|jsonb_each|openjson|string_split|jsonb_array_elements|json_array_elements|jsonb_array_elements_text|json_table|has) ?\([^)]*\?/.test(
        fingerprint,
      ),
    isListHidden: /\bin\s*\(\s*\?\s*\)/i.test(text),
    truncated: ellipsis.test(statement) || statement.length > traceLimits.statementLengthMax,
  };
}

/** Values and placeholders are alike, casts say nothing about the shape, and a sign is part of its value. */
function wordsOf(text: string, doubleQuotes: DoubleQuotes): string[] {
  const words: string[] = [];
  for (const { kind, text: word } of sqlTokens(text, doubleQuotes)) {
    if (kind === "cast") continue;
    if (kind !== "value" && kind !== "placeholder") words.push(word);
    else {
      if (isSign(words)) words.pop();
      words.push("?");
    }
  }
  return words;
}

/** A minus or plus that follows no operand. */
function isSign(words: readonly string[]): boolean {
  const sign = words.at(-1);
  if (sign !== "-" && sign !== "+") return false;
  const before = words.at(-2) ?? "(";
  return /^(?:[(,<>=!|&~^*/%+-]+|in|and|or|not|like|between|then|else|when|limit|offset|values|select|set|return)$/.test(
    before,
  );
}

interface CollapsedTokens {
  readonly words: readonly string[];
  readonly listValueCount: number;
}

/** `( ? , ? , ? )` becomes `( ? )`, an array in brackets likewise, and repeated rows `( ? ) , ( ? )` become one. */
function collapseLists(tokens: readonly string[]): CollapsedTokens {
  const words: string[] = [];
  let listValueCount = 0;
  let index = 0;
  while (index < tokens.length) {
    const end = endOfValueList(tokens, index);
    if (end === undefined) {
      words.push(tokens[index] ?? "");
      index += 1;
      continue;
    }
    const opener = tokens[index] ?? "(";
    const closer = opener === "[" ? "]" : ")";
    const isIn = opener === "[" || words.at(-1) === "in";
    const rows =
      opener === "(" && words.at(-1) === "," && endsWithValueList(words, words.length - 2);
    const valueCount = (end - index) / 2;
    if (isIn) listValueCount = Math.max(listValueCount, valueCount);
    if (rows) {
      words.pop();
      listValueCount = Math.max(2, listValueCount + 1);
    } else {
      words.push(opener, "?", closer);
    }
    index = end + 1;
  }
  return { words, listValueCount };
}

/** The index of the closing parenthesis of a list of values that starts here; signs are part of a value. */
function endOfValueList(tokens: readonly string[], start: number): number | undefined {
  const opener = tokens[start];
  if ((opener !== "(" && opener !== "[") || tokens[start + 1] !== "?") return undefined;
  let index = start + 2;
  while (tokens[index] === "," && tokens[index + 1] === "?") index += 2;
  return tokens[index] === (opener === "[" ? "]" : ")") ? index : undefined;
}

function endsWithValueList(words: readonly string[], last: number): boolean {
  return words[last] === ")" && words[last - 1] === "?" && words[last - 2] === "(";
}

function joinTokens(words: readonly string[]): string {
  let text = "";
  let previous = "";
  for (const word of words) {
    const glued =
      text === "" ||
      word === "," ||
      word === ")" ||
      word === "." ||
      word === ";" ||
      (word === "(" && !wordsBeforeLists.test(previous)) ||
      previous === "(" ||
      previous === ".";
    text += glued ? word : ` ${word}`;
    previous = word;
  }
  return text.replace(/[; ]+$/, "");
}

function verbOf(words: readonly string[]): string {
  const first = words.find((word) => word !== "(") ?? "";
  if (first !== "with") return first;
  // A common table expression is named for what it ends in, unless it writes on the way.
  const verbs = new Set(words.filter((word) => /^(?:insert|update|delete|merge)$/.test(word)));
  return [...verbs][0] ?? "select";
}
