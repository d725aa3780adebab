/** The filters that chat templates use. */

import { formatted } from "./format-text.ts";
import { methodOf } from "./methods.ts";
import { TemplateError } from "./template-error.ts";
import { passesTest } from "./tests.ts";
import {
  asJson,
  type CallArguments,
  isList,
  isTrue,
  type JsonForm,
  printed,
  type Value,
} from "./value.ts";

/** Applies a filter. Throws where it is not known. */
export function applyFilter(name: string, value: Value, given: CallArguments): Value {
  const [first, second] = given.positional;
  switch (name) {
    case "trim":
    case "upper":
    case "lower":
    case "capitalize":
    case "replace": {
      const method = methodOf(printed(value), name === "trim" ? "strip" : name);
      return method?.call(given);
    }
    case "title":
      return printed(value)
        .toLowerCase()
        .replaceAll(/(^|[-\s({[<])(\p{L})/gu, (all) => all.toUpperCase());
    case "length":
    case "count":
      return lengthOf(value);
    case "tojson":
      return asJson(value, jsonForm(given));
    case "round":
      return rounded(Number(value), Number(first ?? given.named.get("precision") ?? 0));
    case "format":
      return formatted(printed(value), given.positional);
    case "wordcount":
      return (printed(value).match(/\w+/gu) ?? []).length;
    case "center":
      return centred(printed(value), Number(first ?? 80));
    case "default":
    case "d": {
      const isForced = isTrue(second ?? given.named.get("boolean"));
      return value === undefined || (isForced && !isTrue(value)) ? (first ?? "") : value;
    }
    case "string":
      return printed(value);
    case "safe":
    case "forceescape":
      return value;
    case "int":
      return Math.trunc(Number(value)) || Number(first ?? 0) || 0;
    case "float":
      return Number(value) || 0;
    case "abs":
      return Math.abs(Number(value));
    default:
      return applyListFilter(name, value, given);
  }
}

function jsonForm({ positional: [first], named }: CallArguments): JsonForm {
  const indent = named.get("indent") ?? first;
  const separators = named.get("separators");
  const [item, name] = isList(separators ?? null) ? itemsOf(separators).map(printed) : [];
  return {
    indent: typeof indent === "number" ? indent : undefined,
    areNamesSorted: isTrue(named.get("sort_keys")),
    separators: item === undefined || name === undefined ? undefined : [item, name],
  };
}

/** Halves go to the even neighbour, as in Python. */
function rounded(value: number, digits: number): number {
  const scale = 10 ** Math.max(-20, Math.min(20, digits));
  const scaled = value * scale;
  const below = Math.floor(scaled);
  const isHalf = scaled - below === 0.5;
  return (isHalf ? below + (below % 2 === 0 ? 0 : 1) : Math.round(scaled)) / scale;
}

function centred(text: string, width: number): string {
  const blanks = Math.max(0, Math.min(width, 10_000) - Array.from(text).length);
  return " ".repeat(Math.floor(blanks / 2)) + text + " ".repeat(Math.ceil(blanks / 2));
}

function lengthOf(value: Value): number {
  if (typeof value === "string") return Array.from(value).length;
  if (value instanceof Map) return value.size;
  if (isList(value)) return value.length;
  throw new TemplateError("failed", "What has no items has no length.");
}

/** The items of a list, the names of a dictionary, the characters of a text. */
export function itemsOf(value: Value): readonly Value[] {
  if (isList(value)) return value;
  if (value instanceof Map) return [...value.keys()];
  if (typeof value === "string") return Array.from(value);
  if (value === undefined) return [];
  throw new TemplateError("failed", "What has no items cannot be gone through.");
}

function applyListFilter(name: string, value: Value, given: CallArguments): Value {
  const [first, second] = given.positional;
  switch (name) {
    case "first":
      return itemsOf(value)[0];
    case "last":
      return itemsOf(value).at(-1);
    case "list":
      return itemsOf(value);
    case "reverse": {
      const items = itemsOf(value).toReversed();
      return typeof value === "string" ? items.map(printed).join("") : items;
    }
    case "sort":
      return sorted(itemsOf(value), given);
    case "sum":
      return itemsOf(fieldsOf(value, given)).reduce<number>((sum, item) => sum + Number(item), 0);
    case "min":
    case "max": {
      const items = sorted(itemsOf(value), { positional: [], named: given.named });
      return name === "min" ? items[0] : items.at(-1);
    }
    case "batch":
      return batched(itemsOf(value), Number(first));
    case "groupby":
      return grouped(itemsOf(value), printed(first ?? given.named.get("attribute")));
    case "join":
      return itemsOf(fieldsOf(value, given)).map(printed).join(printed(first));
    case "unique":
      return [...new Set(itemsOf(value))];
    case "items":
      return value instanceof Map ? [...value] : [];
    case "dictsort":
      return value instanceof Map ? [...value].sort(([left], [right]) => byKey(left, right)) : [];
    case "indent": {
      const blanks = " ".repeat(Math.min(typeof first === "number" ? first : 4, 1_000));
      const isFirstToo = isTrue(second ?? given.named.get("first"));
      const text = printed(value).replaceAll(/\n(?=[^\n])/g, `\n${blanks}`);
      return isFirstToo ? blanks + text : text;
    }
    case "map":
      return itemsOf(value).map((item) => mapped(item, given));
    case "select":
    case "reject":
      return itemsOf(value).filter(
        (item) =>
          (first === undefined
            ? isTrue(item)
            : passesTest(printed(first), item, given.positional.slice(1))) ===
          (name === "select"),
      );
    case "selectattr":
    case "rejectattr":
      return itemsOf(value).filter((item) => {
        const field = fieldOf(item, printed(first));
        const isPassed =
          second === undefined
            ? isTrue(field)
            : passesTest(printed(second), field, given.positional.slice(2));
        return isPassed === (name === "selectattr");
      });
    default:
      throw new TemplateError("unsupported", `The filter '${name}' is not known here.`);
  }
}

/** Texts are compared without regard to case, unless it is asked for. */
function byKey(left: Value, right: Value, isCaseSensitive = false): number {
  const folded = (value: Value): Value =>
    typeof value === "string" && !isCaseSensitive ? value.toLowerCase() : value;
  const [a, b] = [folded(left), folded(right)];
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  const [one, other] = [Number(a), Number(b)];
  if (typeof a === "string" || typeof b === "string" || Number.isNaN(one - other))
    throw new TemplateError("failed", "Values of different kinds have no order.");
  return one - other;
}

function sorted(items: readonly Value[], { positional, named }: CallArguments): readonly Value[] {
  const attribute = named.get("attribute") ?? positional[2];
  const isCaseSensitive = isTrue(named.get("case_sensitive") ?? positional[1]);
  const keyOf = (item: Value): Value =>
    attribute === undefined ? item : fieldOf(item, printed(attribute));
  const isReversed = isTrue(named.get("reverse") ?? positional[0]);
  const sign = isReversed ? -1 : 1;
  return [...items].sort((left, right) => sign * byKey(keyOf(left), keyOf(right), isCaseSensitive));
}

function batched(items: readonly Value[], size: number): Value {
  if (!(size >= 1)) throw new TemplateError("failed", "A batch has one item at least.");
  const batches: Value[] = [];
  for (let from = 0; from < items.length; from += Math.trunc(size))
    batches.push(items.slice(from, from + Math.trunc(size)));
  return batches;
}

function grouped(items: readonly Value[], attribute: string): Value {
  const groups = Map.groupBy(items, (item) => printed(fieldOf(item, attribute)));
  return [...groups].sort(([left], [right]) => byKey(left, right));
}

/** The items, or a field of each where `attribute` is given. */
function fieldsOf(value: Value, { named }: CallArguments): Value {
  const attribute = named.get("attribute");
  return attribute === undefined
    ? value
    : itemsOf(value).map((item) => fieldOf(item, printed(attribute)));
}

function mapped(item: Value, { positional, named }: CallArguments): Value {
  const attribute = named.get("attribute");
  if (attribute !== undefined) return fieldOf(item, printed(attribute)) ?? named.get("default");
  return applyFilter(printed(positional[0]), item, {
    positional: positional.slice(1),
    named: new Map(),
  });
}

function fieldOf(item: Value, path: string): Value {
  let value = item;
  for (const name of path.split(".").slice(0, 20))
    value = value instanceof Map ? value.get(name) : undefined;
  return value;
}
