/** Objects as Node prints them for people: keys without quotes, text in single quotes, `undefined`. */

import { parseForeignJson } from "../../text/foreign-json.ts";

/** Blocks of one text; a console shows no more. */
const blockCountMax = 200_000;

/** The values of the blocks of a text that stand at its margin, from `{` to `}`; what else was printed is left out. */
export function inspectedValuesOf(text: string): { values: unknown[]; skippedCount: number } {
  const values: unknown[] = [];
  let skippedCount = 0;
  for (const block of blocksOf(text)) {
    if (values.length === blockCountMax) break;
    try {
      values.push(parseForeignJson(jsonOf(block)));
    } catch {
      // A block that is no object of Node was printed by something else.
      skippedCount += 1;
    }
  }
  return { values, skippedCount };
}

/** Blocks between a line that is `{` and the next that is `}`. */
function* blocksOf(text: string): Generator<string> {
  let start: number | undefined;
  for (let from = 0; from < text.length;) {
    const next = text.indexOf("\n", from);
    const end = next < 0 ? text.length : next;
    const line = end - from > 4 ? "" : text.slice(from, end).trimEnd();
    if (line === "{") start = from;
    else if (start !== undefined && /^\},?$/.test(line)) {
      yield text.slice(start, from + 1);
      start = undefined;
    }
    from = end + 1;
  }
}

const token =
  /(\s+)|('(?:[^'\\]|\\.){0,65536}'|"(?:[^"\\]|\\.){0,65536}"|`(?:[^`\\]|\\.){0,65536}`)|(-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?))n?|([A-Za-z_$][\w$]*)|(\[(?:Object|Array|Function|Getter|Setter|Circular|class|Symbol)[^\]\n]{0,200}\])|(<[^>\n]{1,40}>)|(\.\.\. \d+ more [a-z]+)|([{}[\],:+])/y;

/** The text as JSON; where it is neither, the result is no JSON. */
function jsonOf(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at = token.lastIndex) {
    token.lastIndex = at;
    const match = token.exec(text);
    if (match === null) return "";
    const [, , quoted, number, word, special, , more, mark] = match;
    if (quoted !== undefined) addText(parts, JSON.stringify(unquoted(quoted)));
    else if (number !== undefined) parts.push(number);
    else if (word !== undefined) {
      parts.push(wordOf(word, text.slice(token.lastIndex, token.lastIndex + 8)));
    } else if (special !== undefined) parts.push(special.includes("null prototype") ? "" : "null");
    else if (more === undefined && mark !== undefined) {
      // What was left out may have stood behind a comma.
      if ((mark === "}" || mark === "]") && parts.at(-1) === ",") parts.pop();
      parts.push(mark);
    }
  }
  return parts.join("");
}

/** Long text is printed in pieces with `+` between. */
function addText(parts: string[], text: string): void {
  if (parts.at(-1) !== "+") {
    parts.push(text);
    return;
  }
  parts.pop();
  parts.push((parts.pop() ?? '"').slice(0, -1), text.slice(1));
}

function wordOf(word: string, next: string): string {
  if (/^\s*:/.test(next)) return JSON.stringify(word);
  if (word === "true" || word === "false" || word === "null") return word;
  // The name of a class stands before its fields; what else is a word has no value in JSON.
  return /^(?:\(\d+\))? ?[{[]/.test(next) ? "" : "null";
}

function unquoted(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|[\s\S])/g, (escape) =>
      escape.length > 2
        ? String.fromCharCode(Number.parseInt(escape.slice(2), 16))
        : (escapes.get(escape.charAt(1)) ?? escape.charAt(1)),
    );
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
]);
