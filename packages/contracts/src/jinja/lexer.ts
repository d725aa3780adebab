/** Cuts a template into text and tokens, with the white space control of chat templates: blocks are trimmed. */

import { TemplateError } from "./template-error.ts";

export type Token =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "open" | "close"; readonly of: "statement" | "expression" }
  | { readonly kind: "name" | "string" | "number" | "operator"; readonly text: string };

const tokenCountMax = 100_000;
const tag = /\{%[-+]?|\{\{[-+]?|\{#[-+]?/g;
const rawEnd = /\{%([-+]?)\s*endraw\s*([-+]?)%\}/g;
const piece =
  /\s*(?:([A-Za-z_]\w*)|(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)|('(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*")|([-+]?[%}]\}|\/\/|\*\*|==|!=|<=|>=|[-+*/%~<>=|.,:()[\]{}]))/y;

/** The tokens of a template. */
export function tokensOf(source: string): Token[] {
  // As everywhere in Jinja, lines end alike, and one line break at the end is not part of the template.
  const template = source.replaceAll(/\r\n?/g, "\n").replace(/\n$/, "");
  const tokens: Token[] = [];
  let at = 0;
  // What the tag before does to the text behind it.
  let trim: "all" | "line" | undefined;
  while (at < template.length) {
    tag.lastIndex = at;
    const match = tag.exec(template);
    const end = match?.index ?? template.length;
    const whole = template.slice(at, end);
    let text = whole;
    if (trim === "all") text = text.trimStart();
    else if (trim === "line") text = text.replace(/^\n/, "");
    const opening = match?.[0] ?? "";
    if (opening.endsWith("-")) text = text.trimEnd();
    else if (/^\{[%#]$/.test(opening)) {
      // Blanks between the beginning of a line and a statement are not part of the text.
      const isLineStart = at === 0 || (trim === "line" && text.length < whole.length);
      text = text.replace(isLineStart ? /(^|\n)[ \t]+$/ : /(\n)[ \t]+$/, "$1");
    }
    if (text !== "") tokens.push({ kind: "text", text });
    if (match === null) break;
    const after = end + opening.length;
    ({ at, trim } = readBehind({ template, from: after }, opening, tokens));
    if (tokens.length > tokenCountMax)
      throw new TemplateError("bounded", "The template is too long.");
  }
  return tokens;
}

interface Place {
  readonly template: string;
  readonly from: number;
}

interface Opened extends Place {
  readonly of: "statement" | "expression";
}

interface Closed {
  readonly at: number;
  readonly trim: "all" | "line" | undefined;
}

/** Reads what stands behind the beginning of a tag. */
function readBehind({ template, from }: Place, opening: string, tokens: Token[]): Closed {
  if (opening.startsWith("{#")) return skipComment(template, from);
  const of = opening.startsWith("{%") ? "statement" : "expression";
  const closed = readTag({ template, from, of }, tokens);
  const [open, word, close] = tokens.slice(-3);
  const isRaw =
    of === "statement" &&
    open?.kind === "open" &&
    word?.kind === "name" &&
    word.text === "raw" &&
    close?.kind === "close";
  if (!isRaw) return closed;
  tokens.splice(-3);
  return readRaw({ template, from: closed.at }, closed.trim, tokens);
}

/** Everything up to the end of a raw block is text. */
function readRaw({ template, from }: Place, trim: Closed["trim"], tokens: Token[]): Closed {
  rawEnd.lastIndex = from;
  const match = rawEnd.exec(template);
  if (match === null) throw new TemplateError("unclosed", "'endraw' is missing.");
  let text = template.slice(from, match.index);
  if (trim === "all") text = text.trimStart();
  else if (trim === "line") text = text.replace(/^\n/, "");
  if (match[1] === "-") text = text.trimEnd();
  if (text !== "") tokens.push({ kind: "text", text });
  return { at: match.index + match[0].length, trim: trimAt(match[2] ?? "", "statement") };
}

/** What the sign at the end of a tag does to the text behind it. */
function trimAt(sign: string, of: Opened["of"]): Closed["trim"] {
  if (sign === "-") return "all";
  return of === "statement" && sign !== "+" ? "line" : undefined;
}

function skipComment(template: string, from: number): Closed {
  const end = template.indexOf("#}", from);
  if (end < 0) throw new TemplateError("unclosed", "A comment does not end.");
  return { at: end + 2, trim: trimAt(template[end - 1] ?? "", "statement") };
}

function readTag({ template, from, of }: Opened, tokens: Token[]): Closed {
  tokens.push({ kind: "open", of });
  const closing = of === "statement" ? "%}" : "}}";
  let depth = 0;
  let at = from;
  while (at < template.length && tokens.length <= tokenCountMax) {
    piece.lastIndex = at;
    const match = piece.exec(template);
    if (match === null) break;
    const [all, name, number, string, operator] = match;
    // Two braces that end two dictionaries are no end of an expression.
    const isEnd = operator !== undefined && operator.endsWith(closing) && depth === 0;
    if (isEnd) {
      tokens.push({ kind: "close", of });
      return { at: at + all.length, trim: trimAt(operator.slice(0, -2), of) };
    }
    if (operator !== undefined && operator.length > 1 && operator.endsWith("}")) {
      // It is cut, and its first character is read alone.
      const first = operator.slice(0, 1);
      at += all.length - operator.length + 1;
      if (first === "}") depth -= 1;
      tokens.push({ kind: "operator", text: first });
      continue;
    }
    at += all.length;
    if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (string !== undefined)
      tokens.push({ kind: "string", text: unescaped(string.slice(1, -1)) });
    else if (operator !== undefined) {
      if (operator === "{") depth += 1;
      if (operator === "}") depth -= 1;
      tokens.push({ kind: "operator", text: operator });
    }
  }
  throw new TemplateError("syntax", `A tag is not well formed: ${template.slice(at, at + 40)}`);
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

function unescaped(text: string): string {
  return text.replaceAll(/\\(?:u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[^])/g, (all) => {
    if (all.length > 2) return String.fromCharCode(Number.parseInt(all.slice(2), 16));
    const other = all.slice(1);
    if (other === "\n") return "";
    return escapes[other] ?? (/['"\\]/.test(other) ? other : all);
  });
}
