/** The texts of a request: what people, tools and documents say in it, where each stands in bytes of the body. */

/** A text within a JSON document whose grammar was checked. */
export interface PlacedText {
  /** From the opening quote up to behind the closing one. */
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Fields whose text is said by nobody: names, kinds, ids, and what only a provider can read. */
const silentFields: ReadonlySet<string> = new Set([
  "role",
  "type",
  "id",
  "name",
  "tool_call_id",
  "tool_use_id",
  "call_id",
  "item_id",
  "status",
  "detail",
  "media_type",
  "format",
  "file_id",
  "signature",
  "encrypted_content",
]);
/** What a tool is called with, and what is put into a prompt: their fields have any names, and say what they hold. */
const argumentFields: ReadonlySet<string> = new Set(["input", "variables"]);
const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
/** Brackets become braces by this bit. */
const braceBit = 0x20;
const openBrace = 0x7b;
const closeBrace = 0x7d;
/** Fields that hold a file: encoded, or a text as it stands. */
const fileFields: ReadonlySet<string> = new Set(["data", "file_data"]);
/** What begins so holds a file that is encoded, if nothing but that follows: anybody can begin a text like that. */
const dataUrl = /^data:[a-z0-9.+/-]+(?:;[a-z0-9.+=_-]+)*;base64,/i;
const base64 = /^[A-Za-z0-9+/=_-]*$/;
/** Shorter files may as well be a word, or a secret, as it stands. */
const encodedLengthMin = 256;

/** The texts between two places of a body, in order. The range holds one whole JSON value. */
export function textsWithin(body: Buffer, range: { start: number; end: number }): PlacedText[] {
  const texts: PlacedText[] = [];
  // A value follows its name; what stands in a list has the name of the list.
  let name = "";
  /** Names of the lists and objects that are open, and how many are around arguments, where `at` stands in some. */
  const around: string[] = [];
  let argumentsDepth = Number.POSITIVE_INFINITY;
  for (let at = range.start; at < range.end;) {
    const byte = body[at] ?? 0;
    if (byte !== quote) {
      const brace = byte | braceBit;
      if (brace === openBrace) {
        if (argumentFields.has(name)) argumentsDepth = Math.min(argumentsDepth, around.length);
        around.push(name);
      } else if (brace === closeBrace) {
        name = around.pop() ?? "";
        if (around.length <= argumentsDepth) argumentsDepth = Number.POSITIVE_INFINITY;
      }
      at += 1;
      continue;
    }
    const end = endOfText(body, at);
    if (isName(body, end, range.end)) name = decode(body, at, end);
    else if (argumentsDepth < around.length || !silentFields.has(name)) {
      const text = decode(body, at, end);
      if (!isEncoded(name, text)) texts.push({ start: at, end, text });
    }
    at = end;
  }
  return texts;
}

/** Files that are written out; looking at them as text would find nothing but chance. */
function isEncoded(name: string, text: string): boolean {
  const [head] = dataUrl.exec(text) ?? [];
  if (head !== undefined) return base64.test(text.slice(head.length));
  return fileFields.has(name) && text.length >= encodedLengthMin && base64.test(text);
}

/** Behind the quote that closes the text that begins at `start`. */
function endOfText(body: Buffer, start: number): number {
  let at = start + 1;
  while (at < body.length && body[at] !== quote) at += body[at] === backslash ? 2 : 1;
  return at + 1;
}

function isName(body: Buffer, from: number, end: number): boolean {
  let at = from;
  while (at < end && (body[at] ?? 0) <= 0x20) at += 1;
  return at < end && body[at] === colon;
}

function decode(body: Buffer, start: number, end: number): string {
  const raw = body.toString("utf8", start, end);
  // The grammar was checked before, so that this is a text.
  return raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}
