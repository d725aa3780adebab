/** Splits SQL of any dialect into tokens, far enough to tell values from the rest. Linear in the text. */

export interface SqlToken {
  /** `value` is a literal, `placeholder` stands for one, `name` is a keyword or an identifier. */
  readonly kind: "value" | "placeholder" | "name" | "symbol" | "cast";
  /** As written for a value; lower-cased and without quotes for a name. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const tokenPattern =
  /\s+|--[^\n]*|#(?![>-])[^\n]*|\/\*|\$(?:[A-Za-z_][A-Za-z_0-9]*)?\$|(?:[nNxXbBeEuU]&?)?'|"|`|\[[A-Za-z_][^\]\n]{0,127}\]|[$:@%][A-Za-z_0-9]+|%\([A-Za-z_0-9]+\)s|\?+|::\s*[A-Za-z_][A-Za-z_0-9]*(?:\s*\(\s*[0-9, ]+\))?(?:\[\])*|0[xX][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[A-Za-z_\u0080-\uffff][A-Za-z_0-9$\u0080-\uffff]*|<=>|->>?|#>>?|@>|<@|[<>=!|&~^]{1,3}|[^]/y;

/** Whether `"…"` is text, as in MySQL, or a name, as the standard has it. */
export type DoubleQuotes = "names" | "text";

/** What double quotes mean in a statement for a database of this system; a query in JSON has text in them. */
export function doubleQuotesOf(system: string, statement: string): DoubleQuotes {
  const isText = /mysql|maria|clickhouse|spanner|bigquery/i.test(system) || isDocument(statement);
  return isText ? "text" : "names";
}

/** Whether a statement is JSON, as those of document stores are. */
export function isDocument(statement: string): boolean {
  const first = statement.charCodeAt(0) | 0x20;
  // Nearly all begin with a letter.
  return !(first >= 0x61 && first <= 0x7a) && /^\s*[{[]/.test(statement);
}

/** The tokens of a statement; comments and white space are left out. */
export function sqlTokens(text: string, doubleQuotes: DoubleQuotes = "names"): SqlToken[] {
  const pattern = new RegExp(tokenPattern.source, tokenPattern.flags);
  const tokens: SqlToken[] = [];
  let start = 0;
  while (start < text.length) {
    pattern.lastIndex = start;
    // The last alternative takes any character, so there is always a match.
    const raw = pattern.exec(text)?.[0] ?? text.charAt(start);
    const token =
      raw === '"' && doubleQuotes === "text"
        ? value(text, start, endOfQuoted(text, start + 1, raw))
        : tokenOf(text, start, raw);
    if (token.kind !== undefined) {
      tokens.push({ kind: token.kind, text: token.text, start, end: token.end });
    }
    start = token.end;
  }
  return tokens;
}

/** Whether a value, with or without its quotes, is a mark that some sanitiser wrote in place of values of any kind. */
export function isMask(text: string): boolean {
  return /^(['"]?)(?:\?|\*+|x{3,}|[<[({]?(?:redacted|masked|filtered)[>\])}]?)\1$/i.test(text);
}

interface Reading {
  /** Absent for white space and comments. */
  readonly kind?: SqlToken["kind"];
  readonly text: string;
  readonly end: number;
}

function tokenOf(text: string, start: number, raw: string): Reading {
  const end = start + raw.length;
  const first = raw.charAt(0);
  if (/\s/.test(first) || raw.startsWith("--")) return { text: "", end };
  if (first === "#" && raw.length > 1 && !/^[#>&|=-]+$/.test(raw)) return { text: "", end };
  if (raw === "/*") return { text: "", end: after(text, "*/", end) };
  if (raw.startsWith("::")) return { kind: "cast", text: raw, end };
  if (raw.endsWith("'")) return value(text, start, endOfQuoted(text, end, "'"));
  if (raw === '"' || raw === "`") {
    const closed = endOfQuoted(text, end, raw);
    const name = text.slice(end, text.charAt(closed - 1) === raw ? closed - 1 : closed);
    return { kind: "name", text: name.toLowerCase(), end: closed };
  }
  if (first === "$" && raw.endsWith("$")) return value(text, start, after(text, raw, end));
  if (/^(?:[0-9]|\.[0-9])/.test(raw)) return value(text, start, end);
  if (/^[$:@%]\w+$|^%\(\w+\)s$|^\?+$/.test(raw)) return { kind: "placeholder", text: "?", end };
  if (first === "[" && raw.length > 2) {
    return { kind: "name", text: raw.slice(1, -1).toLowerCase(), end };
  }
  return {
    kind: /^[A-Za-z_\u0080-\uffff]/.test(raw) ? "name" : "symbol",
    text: raw.toLowerCase(),
    end,
  };
}

function value(text: string, start: number, end: number): Reading {
  return { kind: "value", text: text.slice(start, end), end };
}

function after(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found + mark.length;
}

/** The offset after the closing quote; a doubled quote or a backslash keeps the text going. */
function endOfQuoted(text: string, from: number, quote: string): number {
  let index = from;
  while (index < text.length) {
    const character = text.charAt(index);
    if (character === "\\" && quote !== "`") index += 2;
    else if (character !== quote) index += 1;
    else if (text.charAt(index + 1) === quote) index += 2;
    else return index + 1;
  }
  return text.length;
}
