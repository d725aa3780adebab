/** Reduces SQL to its shape: literals and placeholders become `?`, lists of them one, comments go. */

import { fanOutLimits } from "./options.ts";

export interface SqlShape {
  /** The statement in one line, lower-cased, with `?` for each value. */
  readonly fingerprint: string;
  /** First keyword: `select`, `insert`, … */
  readonly verb: string;
  /** Values in the longest list of values (`IN (…)`), 0 when there is none. */
  readonly listValueCount: number;
  /** `= ANY(?)`, `unnest(?)`, `json_each(?)` and the like: one parameter that carries a list. */
  readonly takesArray: boolean;
  /** Whether the recorded statement ends in an ellipsis, so that its end is unknown. */
  readonly truncated: boolean;
}

const tokenPattern =
  /\s+|--[^\n]*|#(?![>-])[^\n]*|\/\*|\$([A-Za-z_][A-Za-z_0-9]*)?\$|[nNxXbBeEuU]?'|"|`|\[[A-Za-z_][^\]\n]{0,127}\]|[$:@%][A-Za-z_0-9]+|%\([A-Za-z_0-9]+\)s|\?+|::\s*[A-Za-z_][A-Za-z_0-9]*(?:\s*\(\s*[0-9, ]+\))?(?:\[\])*|(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)|[A-Za-z_\u0080-\uffff][A-Za-z_0-9$\u0080-\uffff]*|[<>=!|&~^@#?*+/%-]{1,3}|./gsy;

/** Reduces one statement. Never throws: what is no SQL comes back in a reduced form of its own. */
export function sqlShape(statement: string): SqlShape {
  const text = statement.slice(0, fanOutLimits.statementLengthMax);
  const tokens = tokenise(text);
  const { words, listValueCount } = collapseLists(tokens);
  const fingerprint = joinTokens(words);
  return {
    fingerprint,
    verb: verbOf(words),
    listValueCount,
    takesArray:
      /\b(?:any|some|all) ?\( ?\? ?\)|\b(?:unnest|json_each|jsonb_each|openjson|string_split|jsonb_array_elements|json_array_elements|jsonb_array_elements_text|json_table|has) ?\([^)]*\?/.test(
        fingerprint,
      ),
    truncated: /(?:\.\.\.|…)\s*$/.test(statement),
  };
}

function tokenise(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(tokenPattern.source, tokenPattern.flags);
  let offset = 0;
  while (offset < text.length) {
    pattern.lastIndex = offset;
    const found = pattern.exec(text);
    // The last alternative takes any character, so there is always a match.
    const token = found?.[0] ?? text.charAt(offset);
    offset += token.length;
    const first = token.charAt(0);
    if (/\s/.test(first) || token.startsWith("--")) continue;
    if (first === "#" && token.length > 1 && !/^[#>-]+$/.test(token)) continue;
    if (token === "/*") {
      offset = endOfComment(text, offset);
    } else if (token.startsWith("::")) {
      continue;
    } else if (token.endsWith("'")) {
      offset = endOfQuoted(text, offset, "'");
      tokens.push("?");
    } else if (token === '"' || token === "`") {
      const end = endOfQuoted(text, offset, token);
      tokens.push(text.slice(offset, Math.max(offset, end - 1)).toLowerCase());
      offset = end;
    } else if (first === "$" && token.endsWith("$")) {
      const end = text.indexOf(token, offset);
      offset = end === -1 ? text.length : end + token.length;
      tokens.push("?");
    } else {
      tokens.push(reduceToken(token));
    }
  }
  return tokens;
}

function reduceToken(token: string): string {
  if (/^(?:[0-9]|\.[0-9])/.test(token)) return "?";
  if (/^[$:@%]\w+$|^%\(\w+\)s$|^\?+$/.test(token)) return "?";
  if (token.startsWith("[") && token.endsWith("]") && token.length > 2) {
    return token.slice(1, -1).toLowerCase();
  }
  const word = token.toLowerCase();
  return word === "true" || word === "false" || word === "null" ? word : word;
}

function endOfComment(text: string, offset: number): number {
  const end = text.indexOf("*/", offset);
  return end === -1 ? text.length : end + 2;
}

/** The offset after the closing quote; a doubled quote or a backslash keeps the text going. */
function endOfQuoted(text: string, offset: number, quote: string): number {
  let index = offset;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === "\\" && quote === "'") index += 2;
    else if (character !== quote) index += 1;
    else if (text.charAt(index + 1) === quote) index += 2;
    else return index + 1;
  }
  return text.length;
}

interface CollapsedTokens {
  readonly words: readonly string[];
  readonly listValueCount: number;
}

/** `( ? , ? , ? )` becomes `( ? )`, and repeated rows `( ? ) , ( ? )` become one. */
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
    const isIn = words.at(-1) === "in";
    const rows = words.at(-1) === "," && endsWithValueList(words, words.length - 2);
    const valueCount = (end - index) / 2;
    if (isIn) listValueCount = Math.max(listValueCount, valueCount);
    if (rows) {
      words.pop();
      listValueCount = Math.max(2, listValueCount + 1);
    } else {
      words.push("(", "?", ")");
    }
    index = end + 1;
  }
  return { words, listValueCount };
}

/** The index of the closing parenthesis of a list of values that starts here; signs are part of a value. */
function endOfValueList(tokens: readonly string[], start: number): number | undefined {
  if (tokens[start] !== "(" || tokens[start + 1] !== "?") return undefined;
  let index = start + 2;
  while (tokens[index] === "," && tokens[index + 1] === "?") index += 2;
  return tokens[index] === ")" ? index : undefined;
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
