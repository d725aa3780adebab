/**
 * Cuts documents of JSON out of text as it comes in, and the objects out of their lists, so that no more than one of them
 * has to be held as text. Its values and its errors are those of `jsonValuesOf` for the whole text.
 */

import { parseForeignJson } from "../../text/foreign-json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { evidenceLimits } from "../limits.ts";
import { parseJson } from "../text.ts";
import { JsonScan, type TextPlace, wordsOf } from "./json-scan.ts";
import { type JsonFault, JsonSkeleton, refuseLong } from "./json-skeleton.ts";
import { KeyWatch } from "./key-watch.ts";
import { LineShape } from "./line-shape.ts";

/** Makes of a value what is kept of it; `depth` is how deep it stands in its document. */
export type Prepare = (value: unknown, depth: number) => unknown;

/** Characters of the first line that are kept for the case that the text turns out to be one document a line. */
const firstLineLengthMax = 1024 * 1024;

/** A fault as it is where the text is one document, and where each line is one. Which it is the end of the text tells. */
interface Faults {
  readonly single: JsonFault;
  byLine: JsonFault;
  /** The line of the fault has not ended. */
  isLineOpen: boolean;
}

interface OpenDocument {
  readonly skeleton: JsonSkeleton;
  readonly place: TextPlace;
  readonly watch: KeyWatch | undefined;
  /** The nesting within the list whose items are taken out. */
  listDepth: number | undefined;
  /** Within something nested that is not looked at: the nesting outside of it. */
  floor: number | undefined;
  item: { readonly place: TextPlace; readonly pieces: string[]; length: number } | undefined;
}

/** The line with which the first document begins, from there on. */
interface FirstLine {
  readonly place: TextPlace;
  text: string;
  isOpen: boolean;
  isCut: boolean;
}

/** Give text by `push`, then call `end`. */
export class JsonDocuments {
  readonly #prepare: Prepare;
  readonly #shape = new LineShape();
  readonly #scan = new JsonScan();
  readonly #values: unknown[] = [];
  #document: OpenDocument | undefined;
  #faults: Faults | undefined;
  /** What stands where a single document has ended or not begun. */
  #stray: { readonly place: TextPlace; isCut: boolean } | undefined;
  /** Of the present line: a stray character, and whether no document stood on it before. */
  #lineStray: TextPlace | undefined;
  #isFreshLine = true;
  #firstLine: FirstLine | undefined;
  #hasLongFirst = false;

  constructor(prepare: Prepare) {
    this.#prepare = prepare;
  }

  push(text: string): void {
    this.#shape.push(text);
    for (let at = 0; at < text.length;) at = this.#step(text, at);
    this.#document?.skeleton.settle();
    this.#scan.next(text.length);
  }

  /** The values of all documents. Throws an `EvidenceError`. */
  end(): unknown[] {
    this.#shape.end();
    if (this.#faults === undefined) this.#endLine();
    if (this.#faults === undefined && this.#document !== undefined) this.#cut(this.#document);
    const isByLine = this.#shape.isByLine;
    const fault = isByLine ? this.#faultByLine() : this.#faultOfSingle();
    if (fault !== undefined) throw fault;
    return this.#values;
  }

  #step(text: string, at: number): number {
    if (this.#faults !== undefined) return this.#passFaulty(text, at, this.#faults);
    const document = this.#document;
    if (document === undefined) return this.#passBetween(text, at);
    const end = this.#passDocument(text, at, document);
    this.#keepFirstLine(text, at, end);
    return end;
  }

  /** Only nesting is looked at behind a fault, because too deep a nesting is named before it. */
  #passFaulty(text: string, at: number, faults: Faults): number {
    const floor = Number.NEGATIVE_INFINITY;
    const end = this.#scan.pass(text, at, { floor, endsAtLine: faults.isLineOpen });
    this.#keepFirstLine(text, at, end);
    // The line break itself is passed with what follows.
    if (end < text.length) this.#closeLine(faults);
    return end;
  }

  #closeLine(faults: Faults): void {
    if (!faults.isLineOpen) return;
    faults.isLineOpen = false;
    const { deep } = this.#scan;
    if (deep !== undefined) faults.byLine = { place: deep, isCut: false };
  }

  #passBetween(text: string, from: number): number {
    for (let at = from; at < text.length; at += 1) {
      const character = text.charAt(at);
      if (character === "\n") {
        this.#endLine();
        if (this.#faults !== undefined) return at;
        this.#scan.breakLine(at);
        this.#isFreshLine = true;
      } else if (character === "{" || character === "[") {
        return this.#openDocument(character, at);
      } else if (!/[ \t\r]/.test(character)) {
        this.#strayAt(at, /\s/.test(character));
        if (this.#faults !== undefined) return at;
      }
    }
    return text.length;
  }

  /** What stands alone in a line behind a document belongs to neither. */
  #endLine(): void {
    const place = this.#lineStray;
    this.#lineStray = undefined;
    if (place !== undefined && !this.#isFreshLine) this.#fail({ place, isCut: true });
  }

  #strayAt(at: number, isSpace: boolean): void {
    const place = this.#scan.placeAt(at);
    this.#stray ??= { place, isCut: isSpace };
    this.#lineStray ??= place;
    if (isSpace) return;
    this.#stray.isCut = false;
    this.#fail({ place: this.#lineStray, isCut: false });
  }

  #openDocument(opener: "{" | "[", at: number): number {
    const place = this.#scan.placeAt(at);
    if (this.#values.length > 0) this.#stray ??= { place, isCut: false };
    if (this.#stray !== undefined) this.#stray.isCut = false;
    const misplaced = this.#lineStray ?? (this.#isFreshLine ? undefined : place);
    if (misplaced !== undefined) {
      this.#fail({ place: misplaced, isCut: false });
      return at;
    }
    const isList = opener === "[";
    const skeleton = new JsonSkeleton(place);
    skeleton.add(opener);
    this.#scan.depth = 1;
    this.#document = {
      skeleton,
      place,
      watch: isList ? undefined : new KeyWatch("items"),
      listDepth: isList ? 1 : undefined,
      floor: undefined,
      item: undefined,
    };
    this.#firstLine ??= { text: opener, place, isOpen: true, isCut: false };
    return at + 1;
  }

  #passDocument(text: string, at: number, document: OpenDocument): number {
    const { item, floor } = document;
    if (item !== undefined) return this.#passItem(text, at, { document, item });
    if (floor !== undefined) return this.#passNested(text, at, { document, floor });
    return this.#passOutside(text, at, document);
  }

  #passItem(
    text: string,
    at: number,
    { document, item }: { document: OpenDocument; item: NonNullable<OpenDocument["item"]> },
  ): number {
    const scan = this.#scan;
    const floor = document.listDepth ?? 0;
    const end = scan.pass(text, at, { floor, endsAtLine: this.#isBeyondFirst });
    item.pieces.push(text.slice(at, end));
    item.length += end - at;
    refuseLong(item.length);
    if (scan.deep !== undefined) this.#failDeep(scan.deep);
    else if (scan.depth === floor && !scan.inString) this.#closeItem(document, scan.placeAt(end));
    else if (end < text.length) this.#cut(document);
    return end;
  }

  #closeItem(document: OpenDocument, behind: TextPlace): void {
    const { item, skeleton, listDepth } = document;
    if (item === undefined) return;
    const itemText = item.pieces.join("");
    document.item = undefined;
    try {
      const value: unknown = parseForeignJson(itemText);
      skeleton.addItem(this.#prepare(value, listDepth ?? 0), item.place, behind);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.#fail(skeleton.faultAtItem({ text: itemText, place: item.place }));
    }
  }

  #passNested(
    text: string,
    at: number,
    { document, floor }: { document: OpenDocument; floor: number },
  ): number {
    const scan = this.#scan;
    const end = scan.pass(text, at, { floor, endsAtLine: this.#isBeyondFirst });
    document.skeleton.add(text.slice(at, end));
    if (scan.deep !== undefined) this.#failDeep(scan.deep);
    else if (scan.depth === floor && !scan.inString) document.floor = undefined;
    else if (end < text.length) this.#cut(document);
    return end;
  }

  /** What stands in the document itself, and in the list whose items are taken out. */
  #passOutside(text: string, from: number, document: OpenDocument): number {
    const scan = this.#scan;
    const { skeleton, watch } = document;
    for (let at = from; at < text.length; at += 1) {
      const character = text.charAt(at);
      if (character === "\n") {
        if (this.#isBeyondFirst) {
          skeleton.add(text.slice(from, at));
          this.#cut(document);
          return at;
        }
        scan.breakLine(at);
      }
      const isWatched = scan.depth === 1 && watch !== undefined;
      if (scan.inString || character === '"') {
        scan.passCharacter(character);
        if (isWatched) watch.takeOfString(character, !scan.inString);
      } else if (character === "{" || character === "[") {
        skeleton.add(text.slice(from, at));
        return this.#openWithin(character, at, document);
      } else if (character === "}" || character === "]") {
        scan.depth -= 1;
        if (document.listDepth !== undefined && scan.depth < document.listDepth) {
          document.listDepth = undefined;
        }
        if (scan.depth > 0) continue;
        skeleton.add(text.slice(from, at + 1));
        this.#hasLongFirst ||= scan.placeAt(at).line !== document.place.line;
        this.#closeDocument(document);
        return at + 1;
      } else if (isWatched) watch.takeBetween(character);
    }
    skeleton.add(text.slice(from));
    return text.length;
  }

  /** Opens an object or a list within a document. */
  #openWithin(opener: "{" | "[", at: number, document: OpenDocument): number {
    const scan = this.#scan;
    const { skeleton, watch } = document;
    if (opener === "{" && scan.depth === document.listDepth) {
      document.item = { place: scan.placeAt(at), pieces: [], length: 0 };
      return at;
    }
    const isItems = opener === "[" && scan.depth === 1 && watch?.isAtValue === true;
    watch?.reset();
    if (!isItems) {
      document.floor = scan.depth;
      return at;
    }
    scan.depth += 1;
    document.listDepth = scan.depth;
    skeleton.add(opener);
    skeleton.openList();
    return at + 1;
  }

  #closeDocument(document: OpenDocument): void {
    this.#document = undefined;
    this.#isFreshLine = false;
    const read = document.skeleton.value();
    if ("fault" in read) this.#fail(read.fault);
    else this.#values.push(this.#prepare(read.value, 0));
  }

  /** Only the first document may take several lines: behind another one it is a fault that it stands there at all. */
  get #isBeyondFirst(): boolean {
    return this.#values.length > 0;
  }

  /** The document ends with its line, or with the text. */
  #cut({ skeleton, item }: OpenDocument): void {
    this.#fail(
      skeleton.faultAtEnd(
        item === undefined ? undefined : { text: item.pieces.join(""), place: item.place },
      ),
    );
  }

  #failDeep(place: TextPlace): void {
    this.#fail({ place, isCut: false });
  }

  #fail(fault: JsonFault): void {
    this.#document = undefined;
    this.#faults = { single: this.#stray ?? fault, byLine: fault, isLineOpen: true };
  }

  #keepFirstLine(text: string, from: number, end: number): void {
    const line = this.#firstLine;
    if (line?.isOpen !== true) return;
    const next = text.indexOf("\n", from);
    const hasEnded = next >= 0 && next <= end;
    line.text += text.slice(from, hasEnded ? next : end);
    line.isCut = !hasEnded && line.text.length > firstLineLengthMax;
    line.isOpen = !hasEnded && !line.isCut;
  }

  #faultOfSingle(): EvidenceError | undefined {
    const { deep } = this.#scan;
    if (deep !== undefined) return tooDeep(deep);
    const fault = this.#faults?.single ?? this.#stray;
    return fault === undefined ? undefined : notJson(fault);
  }

  #faultByLine(): EvidenceError | undefined {
    const isOfFirstLine = this.#values.length === 0 || this.#hasLongFirst;
    if (isOfFirstLine && this.#firstLine?.isCut === false) {
      const { text, place } = this.#firstLine;
      return errorOf(() => parseJson(" ".repeat(place.column - 1) + text, place.line - 1));
    }
    const faults = this.#faults;
    if (faults === undefined) return undefined;
    this.#closeLine(faults);
    return faults.byLine.place === this.#scan.deep
      ? tooDeep(faults.byLine.place)
      : notJson(faults.byLine);
  }
}

function errorOf(read: () => unknown): EvidenceError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof EvidenceError) return error;
    throw error;
  }
}

function notJson({ place, isCut }: JsonFault): EvidenceError {
  return new EvidenceError(isCut ? "The JSON ends too early." : "The JSON is malformed.", {
    expected: "well-formed JSON",
    where: wordsOf(place),
  });
}

function tooDeep(place: TextPlace): EvidenceError {
  return new EvidenceError("The JSON is nested too deeply.", {
    expected: `at most ${evidenceLimits.depthMax} levels`,
    where: wordsOf(place),
  });
}
