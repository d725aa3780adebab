/** Tells which arguments identify an existing thing, and where a literal was seen before. */

import { nameWords } from "./name-words.ts";

/** Words that end the name of a field that identifies something. */
const identifierEnds = new Set(["id", "ids", "uuid", "guid", "uid", "sku", "iban", "arn", "email"]);
/** The same, when the name of a thing stands before them. */
const numberEnds = new Set(["number", "no", "code", "key", "ref", "reference"]);
/** With these before them, numbers, codes and keys identify something. */
const numberedThings = new Set(
  `account booking card case claim confirmation customer employee flight gift invoice issue member order passenger passport policy
  product purchase reservation serial shipment subscription ticket tracking transaction user`.split(
    /\s+/,
  ),
);
/** Words of identifiers that the caller makes up by design. */
const chosenByCaller = new Set(
  `client correlation dedup deduplication external idempotency nonce request session trace span api public private secret
  access encryption cache sort partition primary foreign language region model timezone`.split(
    /\s+/,
  ),
);
const chosenByDescription =
  /\b(?:idempotency|client[- ]generated|generate[ds]?|unique identifier you|new id|any (?:string|value)|arbitrary|choose|your own|random|optional identifier for the new)\b/i;

/** Whether a field identifies something that must exist already. */
export function identifiesAThing(name: string, description: string): boolean {
  const words = nameWords(name);
  const last = words.at(-1);
  if (last === undefined || words.some((word) => chosenByCaller.has(word))) return false;
  if (chosenByDescription.test(description)) return false;
  if (identifierEnds.has(last)) return true;
  return numberEnds.has(last) && words.slice(0, -1).some((word) => numberedThings.has(word));
}

/** Whether a value has the form of an identifier: nothing that one could know or compute. */
export function looksLikeIdentifier(value: string, digitCountMin: number): boolean {
  const text = value.trim();
  if (text.length < 4 || text.length > 200 || /\s/.test(text)) return false;
  if (isDateOrVersion(text)) return false;
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)) return true;
  if (/^[\w.+-]+@[\w-]+(?:\.[\w-]+)+$/.test(text)) return true;
  const digits = text.replaceAll(/\D/g, "").length;
  if (/^#?\d+$/.test(text)) return digits >= digitCountMin;
  if (/^[0-9a-f]{8,}$/i.test(text)) return digits >= 2;
  // A prefix and what follows it, or letters and digits together.
  return /^#?[\w:.-]+$/.test(text) && digits >= 3;
}

function isDateOrVersion(text: string): boolean {
  return (
    /^\d{4}-\d\d(?:-\d\d(?:[T ].*)?)?$/.test(text) ||
    /^\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}$/.test(text) ||
    /^v?\d+(?:\.\d+){1,3}$/.test(text) ||
    /^\d{1,2}:\d\d/.test(text)
  );
}

/** Characters that are searched for the literals of one conversation; beyond it nothing is said of the others. */
const searchLengthMax = 1_000_000_000;

/** What was said before a call, for looking up whether a literal occurs in it. */
export class SaidBefore {
  readonly #texts: { readonly plain: string; readonly loose: string }[] = [];
  /** The words of all texts: a literal that stands somewhere has its words among them. */
  readonly #words = new Set<string>();
  #length = 0;
  #searched = 0;

  /** Adds text in which literals may occur. */
  add(text: string): void {
    const plain = decoded(text).toLowerCase();
    this.#texts.push({ plain, loose: looseOf(plain) });
    this.#length += plain.length;
    for (const word of wordsOf(plain)) this.#words.add(word);
  }

  /** `literally` as it stands; `loosely` in another dress or in parts; or `never`. */
  find(value: string): "literally" | "loosely" | "never" {
    const needle = decoded(value.trim()).toLowerCase().replace(/^#/, "");
    if (needle === "") return "loosely";
    if (this.#isLiterallySaid(needle)) return "literally";
    const loose = looseOf(needle);
    if (loose.length < 3 || this.#isLooselySaid(loose)) return "loosely";
    // A composed id: each of its parts was said.
    const parts = needle.match(/\d+|\p{L}+/gu) ?? [];
    const telling = parts.filter((part) => /\d/.test(part));
    return telling.length > 0 && telling.every((part) => this.#isLooselySaid(part))
      ? "loosely"
      : "never";
  }

  #isLiterallySaid(needle: string): boolean {
    if (!wordsOf(needle).every((word) => this.#words.has(word))) return false;
    // What a call names was mostly said just before.
    return this.#texts.findLast(({ plain }) => standsIn(plain, needle)) !== undefined;
  }

  #isLooselySaid(text: string): boolean {
    if (this.#searched > searchLengthMax) return true;
    this.#searched += this.#length;
    return this.#texts.some(({ loose }) => loose.includes(text));
  }
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Whether a text stands in another with nothing that goes on at its ends. */
function standsIn(text: string, needle: string): boolean {
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
    const before = text[at - 1] ?? " ";
    const after = text[at + needle.length] ?? " ";
    if (!/[\p{L}\p{N}]/u.test(before) && !/[\p{L}\p{N}]/u.test(after)) return true;
  }
  return false;
}

/** Letters and digits only, so that separators, quotes and spaces make no difference. */
function looseOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, "");
}

function decoded(text: string): string {
  if (!text.includes("%")) return text;
  return text.replaceAll(/%[0-9a-f]{2}/gi, (code) =>
    String.fromCharCode(Number.parseInt(code.slice(1), 16)),
  );
}
