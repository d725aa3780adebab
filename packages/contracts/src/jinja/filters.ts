/** The filters that chat templates use. */

import { methodOf } from "./methods.ts";
import { TemplateError } from "./template-error.ts";
import { passesTest } from "./tests.ts";
import { asJson, type CallArguments, isList, isTrue, printed, type Value } from "./value.ts";

/** Applies a filter. Throws where it is not known. */
export function applyFilter(name: string, value: Value, given: CallArguments): Value {
  const [first, second] = given.positional;
  switch (name) {
    case "trim":
    case "upper":
    case "lower":
    case "title":
    case "capitalize":
    case "replace": {
      const method = methodOf(printed(value), name === "trim" ? "strip" : name);
      return method?.call(given);
    }
    case "length":
    case "count":
      return lengthOf(value);
    case "tojson": {
      const indent = given.named.get("indent") ?? first;
      return asJson(value, typeof indent === "number" ? indent : undefined);
    }
    case "default":
    case "d": {
      const isForced = isTrue(second ?? given.named.get("boolean"));
      return value === undefined || (isForced && !isTrue(value)) ? (first ?? "") : value;
    }
    case "string":
      return printed(value);
    case "safe":
      return value;
    case "int":
      return Math.trunc(Number(value)) || 0;
    case "float":
      return Number(value) || 0;
    case "abs":
      return Math.abs(Number(value));
    default:
      return applyListFilter(name, value, given);
  }
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
    case "reverse":
      return itemsOf(value).toReversed();
    case "join":
      return itemsOf(value).map(printed).join(printed(first));
    case "unique":
      return [...new Set(itemsOf(value))];
    case "items":
      return value instanceof Map ? [...value] : [];
    case "dictsort":
      return value instanceof Map
        ? [...value].sort(([left], [right]) => (left < right ? -1 : 1))
        : [];
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
