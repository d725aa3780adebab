/** Values of expressions: kinds, keys, equality and words, each counted or bounded, because values can share parts. */

import { Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";

import type { Steps } from "./steps.ts";

/** How deep words go into a value. */
const shownDepthMax = 8;

/** A map of an expression, or an object of the evidence. */
type MapValue = ReadonlyMap<unknown, unknown> | Readonly<Record<string, unknown>>;

/** Whether it is a map: one that an expression made, or an object of the evidence whatever its names are. */
export function isMap(value: unknown): value is MapValue {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Map) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The keys of a map, after the steps for listing them were taken. */
export function keysOf(map: MapValue, steps: Steps): readonly unknown[] {
  const keys = map instanceof Map ? [...map.keys()] : Object.keys(map);
  steps.takeFor(keys.length);
  return keys;
}

/** A key as maps hold it, so that 200, 200u and 200.0 are one; `undefined` for what is never a key. */
export function keyOf(value: unknown): string | boolean | bigint | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
      return value;
    case "number":
      return Number.isInteger(value) ? BigInt(value) : undefined;
    default:
      return value instanceof UnsignedInt ? value.valueOf() : undefined;
  }
}

/** What stands in a container under a key; `undefined` where nothing does. */
export function itemOf(container: unknown, key: unknown): unknown {
  const name = keyOf(key);
  if (Array.isArray(container)) {
    return typeof name === "bigint" && name >= 0n ? container[Number(name)] : undefined;
  }
  if (container instanceof Map) return container.get(name);
  if (typeof container !== "object" || container === null || typeof name !== "string") {
    return undefined;
  }
  // What an object inherits is no part of the evidence.
  return Object.hasOwn(container, name) ? Reflect.get(container, name) : undefined;
}

/** Whether two values are equal, as CEL has it: of different types they are not, and numbers are by their value. */
export function equalValues(left: unknown, right: unknown, steps: Steps): boolean {
  steps.take();
  if (typeof left === "string" && typeof right === "string") {
    steps.takeFor(Math.min(left.length, right.length));
  }
  if (left === right) return true;
  // A whole number and a double are compared by value; nothing else of two types is equal.
  const [one, other] = [numberOf(left), numberOf(right)];
  if (one !== undefined && other !== undefined) {
    return typeof one === typeof other ? one === other : wholeOf(one) === wholeOf(other);
  }
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (Array.isArray(left)) return Array.isArray(right) && equalLists(left, right, steps);
  if (isMap(left)) return isMap(right) && equalMaps(left, right, steps);
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    steps.takeFor(left.length);
    return left.length === right.length && left.every((byte, index) => byte === right[index]);
  }
  if (left instanceof Date) return right instanceof Date && left.getTime() === right.getTime();
  if (!(left instanceof Duration && right instanceof Duration)) return false;
  return left.seconds === right.seconds && left.nanos === right.nanos;
}

/** A number of either type as a whole number, which is what two types can have in common. */
function wholeOf(value: number | bigint): number | bigint {
  return Number.isInteger(value) ? BigInt(value) : value;
}

function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === "number" || typeof value === "bigint") return value;
  return value instanceof UnsignedInt ? value.valueOf() : undefined;
}

function equalLists(left: readonly unknown[], right: readonly unknown[], steps: Steps): boolean {
  return (
    left.length === right.length &&
    left.every((item, index) => equalValues(item, right[index], steps))
  );
}

function equalMaps(left: MapValue, right: MapValue, steps: Steps): boolean {
  const keys = keysOf(left, steps);
  if (keys.length !== keysOf(right, steps).length) return false;
  return keys.every((key) => {
    const other = itemOf(right, key);
    return other !== undefined && equalValues(itemOf(left, key), other, steps);
  });
}

/** A value in words of at most so many characters, and a few more; never walks further than these need. */
export function wordsOf(value: unknown, lengthMax: number): string {
  const words = new Words(lengthMax);
  words.add(value, 0);
  return words.text;
}

class Words {
  text = "";
  readonly #lengthMax: number;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  add(value: unknown, depth: number): void {
    if (this.text.length > this.#lengthMax) return;
    if (typeof value === "string") {
      const cut = value.slice(0, this.#lengthMax + 1);
      this.text += depth === 0 ? cut : JSON.stringify(cut);
    } else if (typeof value === "number") {
      this.text += numberWords(value);
    } else if (typeof value !== "object" || value === null) {
      this.text += String(value);
    } else if (depth >= shownDepthMax) {
      this.text += "…";
    } else if (Array.isArray(value)) {
      this.#addAll(value, ["[", "]"], (item) => this.add(item, depth + 1));
    } else if (isMap(value)) {
      const keys = value instanceof Map ? value.keys() : Object.keys(value);
      this.#addAll(keys, ["{", "}"], (key) => {
        this.add(key, depth + 1);
        this.text += ":";
        this.add(itemOf(value, key), depth + 1);
      });
    } else if (value instanceof Date) {
      this.text += value.toISOString();
    } else if (value instanceof Uint8Array) {
      this.text += `${value.length} bytes`;
    } else {
      const isWritten = value instanceof Duration || value instanceof UnsignedInt;
      this.text += isWritten ? value.toString() : "?";
    }
  }

  #addAll(
    items: Iterable<unknown>,
    [open, close]: readonly [string, string],
    add: (item: unknown) => void,
  ): void {
    this.text += open;
    let isFirst = true;
    for (const item of items) {
      if (!isFirst) this.text += ",";
      if (this.text.length > this.#lengthMax) break;
      isFirst = false;
      add(item);
    }
    this.text += close;
  }
}

/** Three places after the point, or three digits where it is smaller than these show. */
function numberWords(value: number): string {
  const rounded = Math.round(value * 1_000) / 1_000;
  if (Number.isFinite(rounded) && rounded !== 0) return String(rounded);
  return value === 0 || !Number.isFinite(value)
    ? String(value)
    : String(Number(value.toPrecision(3)));
}
