/**
 * JSON whose keys somebody else chose. `JSON.parse` of V8 can give an object a key that does not stand in its text:
 * docs/decisions/0019-foreign-json-keeps-its-keys.md says when, and when this can go again.
 */

const quote = 0x22;
const backslash = 0x5c;
const colon = 0x3a;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const space = 0x20;

/** Makes a value of a number and of how it is written. */
export type NumberForm = (value: number, source: string) => unknown;

/**
 * What a healthy `JSON.parse` gives, and its errors: throws a `SyntaxError` that names the position. With `numberForm`,
 * numbers are what it makes of them; that asks for an engine which shows a reviver how a number was written.
 */
export function parseForeignJson(text: string, numberForm?: NumberForm): unknown {
  const value: unknown = numberForm === undefined ? JSON.parse(text) : revived(text, numberForm);
  // Only a key with an escape is ever mistaken for another, and few texts have one.
  return hasEscapedKey(text) ? builtOf(text, numberForm) : value;
}

/** Whether a key of this valid JSON is written with a backslash. Looks only at strings which have one. */
function hasEscapedKey(text: string): boolean {
  let at = text.indexOf("\\");
  while (at !== -1) {
    let next = endOfString(text, at);
    while (isSpace(text.charCodeAt(next))) next += 1;
    if (text.charCodeAt(next) === colon) return true;
    at = text.indexOf("\\", next);
  }
  return false;
}

/** The place behind the closing quote of the string inside of which `from` lies, where no escape has begun. */
function endOfString(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (isEscaped(text, from, at)) at = text.indexOf('"', at + 1);
  return at + 1;
}

/** Whether an odd number of backslashes stands in front of `at`. */
function isEscaped(text: string, from: number, at: number): boolean {
  let before = at - 1;
  while (before >= from && text.charCodeAt(before) === backslash) before -= 1;
  return (at - before) % 2 === 0;
}

/** The value of valid JSON, built without the part of the engine that is at fault. Depth costs memory, not stack. */
function builtOf(text: string, numberForm: NumberForm | undefined): unknown {
  const tree = new Tree();
  let at = 0;
  while (at < text.length) {
    const unit = text.charCodeAt(at);
    let end = at + 1;
    if (unit === quote) {
      end = endOfString(text, end);
      // A string of its own has no keys, and what the engine makes of it does not keep the whole text alive.
      tree.putString(JSON.parse(text.slice(at, end)) as string);
    } else if (unit === openBrace) tree.open({});
    else if (unit === openBracket) tree.open([]);
    else if (unit === closeBrace || unit === closeBracket) tree.close();
    else if (unit !== colon && unit !== comma && !isSpace(unit)) {
      end = endOfWord(text, end);
      tree.put(valueOfWord(text.slice(at, end), numberForm));
    }
    at = end;
  }
  return tree.root;
}

type Fields = Record<string, unknown>;

/** A value that grows in the order of its text. */
class Tree {
  /** What is open around the innermost, outermost first. */
  readonly #around: (Fields | unknown[] | undefined)[] = [];
  #innermost: Fields | unknown[] | undefined;
  /** The key whose value comes next; where an object awaits a key, there is none. */
  #key: string | undefined;
  root: unknown;

  open(holder: Fields | unknown[]): void {
    this.put(holder);
    this.#around.push(this.#innermost);
    this.#innermost = holder;
  }

  close(): void {
    this.#innermost = this.#around.pop();
  }

  putString(text: string): void {
    const isKey = this.#key === undefined && isFields(this.#innermost);
    if (isKey) this.#key = text;
    else this.put(text);
  }

  put(value: unknown): void {
    const holder = this.#innermost;
    if (holder === undefined) this.root = value;
    else if (Array.isArray(holder)) holder.push(value);
    else setField(holder, this.#key ?? "", value);
    this.#key = undefined;
  }
}

function isFields(holder: Fields | unknown[] | undefined): boolean {
  return holder !== undefined && !Array.isArray(holder);
}

function setField(holder: Fields, key: string, value: unknown): void {
  if (key !== "__proto__") holder[key] = value;
  else {
    const field = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(holder, key, field);
  }
}

/** Behind a number, `true`, `false` or `null`. */
function endOfWord(text: string, from: number): number {
  let at = from;
  for (;;) {
    const unit = text.charCodeAt(at);
    // Behind the last character there is no number, which is not more than any.
    const goesOn = unit > space && unit !== comma && unit !== closeBrace && unit !== closeBracket;
    if (!goesOn) return at;
    at += 1;
  }
}

function valueOfWord(word: string, numberForm: NumberForm | undefined): unknown {
  if (word === "true" || word === "false") return word === "true";
  if (word === "null") return null;
  // What is left is a number, and the language reads those of JSON as `JSON.parse` does.
  const value = Number(word);
  return numberForm === undefined ? value : numberForm(value, word);
}

function isSpace(unit: number): boolean {
  return unit === space || unit === 0x0a || unit === 0x0d || unit === 0x09;
}

/** The part of `JSON.parse` that TypeScript's library does not know yet. */
type ParseWithSource = (
  text: string,
  reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
) => unknown;

function revived(text: string, numberForm: NumberForm): unknown {
  return (JSON.parse as ParseWithSource)(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined ? numberForm(value, source) : value,
  );
}
