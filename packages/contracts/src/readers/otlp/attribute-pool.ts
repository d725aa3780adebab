/** Attributes of which many spans have equal ones: those are one object, made once. */

import type { Attributes, AttributeValue } from "../../model/span.ts";
import { emptySlots, mixed } from "./text-pool.ts";
import { setAttribute } from "./value.ts";
import { isSameBytes } from "./words.ts";

const slotCountMin = 256;
const slotCountMax = 16_384;
/** Lists of names that are remembered. */
const modelCountMax = 1_024;

interface Known {
  readonly keys: readonly string[];
  readonly values: readonly AttributeValue[];
  readonly attributes: Attributes;
}

/** The attributes of a record while they are read: keys and values by place, of which `count` are in use. */
export class AttributeDraft {
  readonly keys: string[] = [];
  readonly values: AttributeValue[] = [];
  count = 0;
  /** How many were met, with those that were dropped. */
  metCount = 0;
  /** The same for the same keys and values in the same order. */
  hash = 0;
  /** Of the attribute that was added last. */
  lastHash = 0;
  /** An array or an object is among the values: such attributes are not compared. */
  hasNested = false;

  clear(): void {
    this.count = 0;
    this.metCount = 0;
    this.hash = 0;
    this.hasNested = false;
  }

  add(key: string, value: AttributeValue, hash: number): void {
    this.keys[this.count] = key;
    this.values[this.count] = value;
    this.count += 1;
    this.lastHash = hash;
    this.hash = (Math.imul(this.hash, 31) + hash) | 0;
    if (typeof value === "object" && value !== null) this.hasNested = true;
  }
}

/** One attribute with the bytes that it was read from. */
interface Entry {
  readonly raw: DataView;
  /** The length of `raw`: a view is slow to tell it. */
  readonly size: number;
  readonly key: string;
  readonly value: AttributeValue;
  readonly hash: number;
}

/** Where the bytes of an attribute lie, of which there are at least four, and their hash. */
interface EntryPlace {
  view: DataView;
  from: number;
  to: number;
  hash: number;
}

/** An entry of more bytes is not remembered: it seldom comes again. */
export const entryBytesMax = 512;
/** A word. */
export const entryBytesMin = 4;
const entrySlotCountMin = 256;
const entrySlotCountMax = 16_384;

/** A bounded memory of attributes by the bytes that they were read from: what comes again is not read again. */
export class EntryPool {
  /** Of the attribute that is asked for: one object for all, because there are many. */
  readonly place: EntryPlace = { view: new DataView(new ArrayBuffer(0)), from: 0, to: 0, hash: 0 };
  #slots = emptySlots<Entry>(entrySlotCountMin);
  #seen = new Int32Array(entrySlotCountMin);
  /** For each slot the slot of the known attribute that came next the last time. */
  #next = new Int32Array(entrySlotCountMin);
  #lastSlot = 0;
  #missCount = 0;

  /** As `addKnown`, when the attribute is the one that was expected here; needs no hash. */
  addExpected(draft: AttributeDraft): boolean {
    return this.#addAt(this.#next[this.#lastSlot] ?? 0, draft);
  }

  /** Adds the attribute at `place` to the draft, when it is known. */
  addKnown(draft: AttributeDraft): boolean {
    const { hash } = this.place;
    const slot = mixed(hash) & (this.#seen.length - 1);
    const before = this.#lastSlot;
    if (this.#seen[slot] !== hash || !this.#addAt(slot, draft)) return false;
    this.#next[before] = slot;
    return true;
  }

  #addAt(slot: number, draft: AttributeDraft): boolean {
    const { view, from, to } = this.place;
    const entry = this.#slots[slot];
    if (entry === undefined || entry.size !== to - from) return false;
    if (!isSameBytes(entry.raw, view, this.place)) return false;
    draft.add(entry.key, entry.value, entry.hash);
    this.#lastSlot = slot;
    return true;
  }

  /** Remembers the attribute that was added last, which stands at `place`, when its bytes come the second time. */
  remember(draft: AttributeDraft): void {
    const { view, from, to, hash } = this.place;
    const slot = mixed(hash) & (this.#seen.length - 1);
    if (this.#seen[slot] !== hash) {
      this.#seen[slot] = hash;
      this.#grow();
      return;
    }
    const last = draft.count - 1;
    const value = draft.values[last] ?? null;
    if (typeof value === "object" && value !== null) return;
    const start = view.byteOffset + from;
    const raw = new DataView(view.buffer.slice(start, start + to - from));
    const key = draft.keys[last] ?? "";
    this.#slots[slot] = { raw, size: to - from, key, value, hash: draft.lastHash };
  }

  #grow(): void {
    this.#missCount += 1;
    const { length } = this.#slots;
    if (this.#missCount < length || length === entrySlotCountMax) return;
    this.#slots = emptySlots<Entry>(length * 4);
    this.#seen = new Int32Array(length * 4);
    this.#next = new Int32Array(length * 4);
    this.#lastSlot = 0;
    this.#missCount = 0;
  }
}

/** A bounded pool. Attributes are kept when their hash comes a second time, so that unique ones cost nothing. */
export class AttributePool {
  readonly #none: Attributes = Object.freeze({});
  readonly #models = emptySlots<Known>(modelCountMax);
  #known = emptySlots<Known>(slotCountMin);
  #seen = new Int32Array(slotCountMin);
  #missCount = 0;

  /** The attributes of a draft. They may be shared, so nobody changes them. */
  take(draft: AttributeDraft): Attributes {
    const { count, hash } = draft;
    if (count === 0) return this.#none;
    if (draft.hasNested) return attributesOf(draft);
    const slot = mixed(hash) & (this.#seen.length - 1);
    const isSeen = this.#seen[slot] === hash;
    const known = this.#known[slot];
    if (isSeen && known !== undefined && isEqual(known, draft)) return known.attributes;
    const attributes = this.#make(draft);
    if (isSeen) this.#known[slot] = knownOf(draft, attributes);
    else {
      this.#seen[slot] = hash;
      this.#grow();
    }
    return attributes;
  }

  /** New attributes. A copy of others with the same names is made faster than an object to which name after name is added. */
  #make(draft: AttributeDraft): Attributes {
    const slot = mixed(hashOfKeys(draft)) & (modelCountMax - 1);
    const model = this.#models[slot];
    if (model !== undefined && hasSameKeys(model, draft)) return changedCopy(model, draft);
    const attributes = attributesOf(draft);
    if (isModel(attributes, draft)) this.#models[slot] = knownOf(draft, attributes);
    return attributes;
  }

  #grow(): void {
    this.#missCount += 1;
    const { length } = this.#known;
    if (this.#missCount < length || length === slotCountMax) return;
    this.#known = emptySlots<Known>(length * 4);
    this.#seen = new Int32Array(length * 4);
    this.#missCount = 0;
  }
}

function knownOf({ keys, values, count }: AttributeDraft, attributes: Attributes): Known {
  return { keys: keys.slice(0, count), values: values.slice(0, count), attributes };
}

function isEqual(known: Known, draft: AttributeDraft): boolean {
  if (!hasSameKeys(known, draft)) return false;
  for (let at = 0; at < draft.count; at += 1) {
    if (!Object.is(known.values[at], draft.values[at])) return false;
  }
  return true;
}

function hasSameKeys({ keys }: Known, draft: AttributeDraft): boolean {
  if (keys.length !== draft.count) return false;
  for (let at = 0; at < draft.count; at += 1) if (keys[at] !== draft.keys[at]) return false;
  return true;
}

/** By lengths and last letters, which tell most lists of names apart. */
function hashOfKeys({ keys, count }: AttributeDraft): number {
  let hash = 0;
  for (let at = 0; at < count; at += 1) {
    const key = keys[at] ?? "";
    hash = (Math.imul(hash, 31) + key.length * 256 + key.charCodeAt(key.length - 1)) | 0;
  }
  return hash;
}

/** Whether a copy can be changed value by value: each name stands there once, and none means more than a name. */
function isModel(attributes: Attributes, { keys, count }: AttributeDraft): boolean {
  if (Object.keys(attributes).length !== count) return false;
  for (let at = 0; at < count; at += 1) if (keys[at] === "__proto__") return false;
  return true;
}

function changedCopy(model: Known, { keys, values, count }: AttributeDraft): Attributes {
  // Unlike a spread it copies an object of any form at once.
  const attributes = Object.assign({}, model.attributes);
  for (let at = 0; at < count; at += 1) {
    const value = values[at] ?? null;
    if (!Object.is(value, model.values[at])) attributes[keys[at] ?? ""] = value;
  }
  return attributes;
}

function attributesOf({ keys, values, count }: AttributeDraft): Attributes {
  const attributes: Attributes = {};
  for (let at = 0; at < count; at += 1) {
    // Both lists hold `count` entries.
    setAttribute(attributes, keys[at] ?? "", values[at] ?? null);
  }
  return attributes;
}
