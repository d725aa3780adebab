/** A document of JSON whose large list was taken out item by item: what stands around the items, and where. */

import { isFields } from "../../model/fields.ts";
import { parseForeignJson } from "../../text/foreign-json.ts";
import { EvidenceError } from "../evidence-error.ts";
import { jsonFaultOffset } from "../json-fault.ts";
import { placeBehind, type TextPlace } from "./json-scan.ts";
import { kubernetesLimits } from "./limits.ts";

/** Stands for an item: an object like it, and no other object stands directly in the list. */
const placeholder = "{}";

/** Where a text stops being JSON, and whether only because it ends. */
export interface JsonFault {
  readonly place: TextPlace;
  readonly isCut: boolean;
}

/** A part of the skeleton that stands in one piece in the text, too. */
interface Run {
  readonly from: number;
  readonly place: TextPlace;
}

export class JsonSkeleton {
  #parts: string[] = [];
  #fresh: string[] = [];
  #length = 0;
  readonly #runs: Run[];
  #items: unknown[] = [];

  constructor(place: TextPlace) {
    this.#runs = [{ from: 0, place }];
  }

  /** Adds text that stands between items. */
  add(text: string): void {
    if (text === "") return;
    this.#fresh.push(text);
    this.#length += text.length;
    refuseLong(this.#length);
  }

  /** Begins the list whose items are taken out. A field that stands twice counts as it stood last. */
  openList(): void {
    this.#items = [];
  }

  addItem(item: unknown, from: TextPlace, behind: TextPlace): void {
    this.#items.push(item);
    this.#runs.push({ from: this.#length, place: from });
    this.add(placeholder);
    this.#runs.push({ from: this.#length, place: behind });
  }

  /** Copies what came since the last time, so that it does not keep the whole piece in memory from which it was cut. */
  settle(): void {
    if (this.#fresh.length === 0) return;
    this.#parts.push(this.#fresh.length === 1 ? copyOf(this.#fresh[0]) : this.#fresh.join(""));
    this.#fresh = [];
  }

  /** The value with its items, or where the text is at fault. */
  value(): { readonly value: unknown } | { readonly fault: JsonFault } {
    const text = this.#text();
    try {
      return { value: withItems(parseForeignJson(text), this.#items) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { fault: this.#faultOf(text, jsonFaultOffset(text)) };
    }
  }

  /** The fault of a document that ends in this part of an item, or outside of items. */
  faultAtEnd(item?: { readonly text: string; readonly place: TextPlace }): JsonFault {
    if (item !== undefined) return this.faultAtItem(item);
    const text = this.#text();
    return this.#faultOf(text, jsonFaultOffset(text));
  }

  /** The fault of an item that is none, or of what stands before it. */
  faultAtItem({ text, place }: { readonly text: string; readonly place: TextPlace }): JsonFault {
    const before = this.#text();
    const offset = jsonFaultOffset(before + placeholder);
    // What stands before an item is not at the end, whatever kind of space it is.
    if (offset < before.length) return { ...this.#faultOf(before, offset), isCut: false };
    if (offset === before.length) return { place, isCut: false };
    const at = jsonFaultOffset(text);
    const isCut = at >= text.trimEnd().length;
    return { place: placeBehind(place, text.slice(0, at)), isCut };
  }

  #text(): string {
    this.settle();
    const text = this.#parts.join("");
    this.#parts = [text];
    return text;
  }

  #faultOf(text: string, offset: number): JsonFault {
    const run = this.#runs.findLast(({ from }) => from <= offset) ?? this.#runs[0];
    const { from, place } = run ?? { from: 0, place: { line: 1, column: 1 } };
    return {
      place: placeBehind(place, text.slice(from, offset)),
      isCut: offset >= text.trimEnd().length,
    };
  }
}

/** Refuses a part of a document that no string can hold. */
export function refuseLong(length: number): void {
  if (length <= kubernetesLimits.partLengthMax) return;
  throw new EvidenceError("The text is too long.", {
    expected: `at most ${kubernetesLimits.partLengthMax} characters in one object`,
  });
}

function withItems(root: unknown, items: readonly unknown[]): unknown {
  const list = Array.isArray(root) ? root : isFields(root) ? root["items"] : undefined;
  if (items.length === 0 || !Array.isArray(list)) return root;
  let next = 0;
  for (const [index, item] of list.entries()) {
    if (!isFields(item)) continue;
    list[index] = items[next];
    next += 1;
  }
  return root;
}

/** A text of its own: a slice keeps all of what it was cut from. */
function copyOf(text = ""): string {
  return ` ${text}`.slice(1);
}
