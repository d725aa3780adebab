/** The methods of texts, dictionaries and lists that chat templates call. */

import { filledIn } from "./format-text.ts";
import { TemplateError } from "./template-error.ts";
import { type Callable, type CallArguments, isList, printed, type Value } from "./value.ts";

/** The method of a value, when it has one of this name. */
export function methodOf(value: Value, name: string): Callable | undefined {
  const method = methodCall(value, name);
  return method === undefined ? undefined : { call: method };
}

type Method = (given: CallArguments) => Value;

function methodCall(value: Value, name: string): Method | undefined {
  if (typeof value === "string") return textMethod(value, name);
  if (value instanceof Map) return dictionaryMethod(value, name);
  if (isList(value) && name === "index") {
    return ({ positional: [item] }) => value.indexOf(item);
  }
  return undefined;
}

function dictionaryMethod(value: Map<string, Value>, name: string): Method | undefined {
  switch (name) {
    case "items":
      return () => [...value];
    case "keys":
      return () => [...value.keys()];
    case "values":
      return () => [...value.values()];
    case "get":
      return ({ positional: [key, otherwise] }) => value.get(printed(key)) ?? otherwise ?? null;
    default:
      return undefined;
  }
}

function textMethod(text: string, name: string): Method | undefined {
  switch (name) {
    case "strip":
    case "lstrip":
    case "rstrip":
      return ({ positional: [characters] }) => stripped(text, name, characters);
    case "startswith":
      return ({ positional: [start] }) => textsOf(start).some((item) => text.startsWith(item));
    case "endswith":
      return ({ positional: [end] }) => textsOf(end).some((item) => text.endsWith(item));
    case "split":
      return ({ positional: [separator, countMax] }) => split(text, separator, countMax);
    case "splitlines":
      return () => (text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/));
    case "replace":
      return ({ positional: [from, to, countMax] }) =>
        replaced(text, { from: printed(from), to: printed(to), countMax });
    case "upper":
      return () => text.toUpperCase();
    case "lower":
      return () => text.toLowerCase();
    case "capitalize":
      return () => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
    case "title":
      return () =>
        text
          .toLowerCase()
          .replaceAll(/[a-z]+/g, (word) => word.slice(0, 1).toUpperCase() + word.slice(1));
    case "find":
      return ({ positional: [part] }) => text.indexOf(printed(part));
    case "rfind":
      return ({ positional: [part] }) => text.lastIndexOf(printed(part));
    case "count":
      return ({ positional: [part] }) => text.split(printed(part)).length - 1;
    case "join":
      return ({ positional: [items] }) => (isList(items ?? null) ? textsOf(items).join(text) : "");
    default:
      return rarerMethod(text, name);
  }
}

const classes: Readonly<Record<string, RegExp>> = {
  isdigit: /^\p{Nd}+$/u,
  isnumeric: /^\p{N}+$/u,
  isalpha: /^\p{L}+$/u,
  isalnum: /^[\p{L}\p{N}]+$/u,
  isspace: /^\s+$/u,
  isupper: /^(?=.*\p{Lu})\P{Ll}+$/su,
  islower: /^(?=.*\p{Ll})\P{Lu}+$/su,
};

function rarerMethod(text: string, name: string): Method | undefined {
  const pattern = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (pattern !== undefined) return () => pattern.test(text);
  switch (name) {
    case "format":
      return (given) => filledIn(text, given);
    case "rsplit":
      return ({ positional: [separator, countMax] }) => splitFromEnd(text, separator, countMax);
    case "partition":
    case "rpartition":
      return ({ positional: [separator] }) => partitioned(text, name, printed(separator));
    case "removeprefix":
      return ({ positional: [start] }) =>
        text.startsWith(printed(start)) ? text.slice(printed(start).length) : text;
    case "removesuffix":
      return ({ positional: [end] }) =>
        printed(end) !== "" && text.endsWith(printed(end))
          ? text.slice(0, -printed(end).length)
          : text;
    case "zfill":
      return ({ positional: [width] }) => text.padStart(Math.min(Number(width), 1_000), "0");
    default:
      return undefined;
  }
}

function splitFromEnd(text: string, separator: Value, countMax: Value): readonly string[] {
  const pieces = split(text, separator, undefined);
  if (typeof countMax !== "number" || countMax < 0 || pieces.length <= countMax + 1) return pieces;
  if (typeof separator !== "string")
    throw new TemplateError(
      "unsupported",
      "'rsplit' at white space with a bound is not known here.",
    );
  const kept = pieces.length - countMax;
  return [pieces.slice(0, kept).join(separator), ...pieces.slice(kept)];
}

function partitioned(text: string, name: string, separator: string): readonly string[] {
  const at = name === "partition" ? text.indexOf(separator) : text.lastIndexOf(separator);
  if (at < 0) return name === "partition" ? [text, "", ""] : ["", "", text];
  return [text.slice(0, at), separator, text.slice(at + separator.length)];
}

function replaced(
  text: string,
  { from, to, countMax }: { readonly from: string; readonly to: string; readonly countMax: Value },
): string {
  let left = typeof countMax === "number" && countMax >= 0 ? countMax : Number.POSITIVE_INFINITY;
  return text.replaceAll(from, () => {
    left -= 1;
    return left >= 0 ? to : from;
  });
}

function textsOf(value: Value): readonly string[] {
  return isList(value) ? value.map(printed) : [printed(value)];
}

function stripped(text: string, name: string, characters: Value): string {
  const isStripped = (character: string): boolean =>
    typeof characters === "string" ? characters.includes(character) : /\s/.test(character);
  let from = 0;
  let end = text.length;
  if (name !== "rstrip") while (from < end && isStripped(text.charAt(from))) from += 1;
  if (name !== "lstrip") while (end > from && isStripped(text.charAt(end - 1))) end -= 1;
  return text.slice(from, end);
}

function split(text: string, separator: Value, countMax: Value): readonly string[] {
  if (typeof separator !== "string" || separator === "")
    return text.split(/\s+/).filter((item) => item !== "");
  const pieces = text.split(separator);
  if (typeof countMax !== "number" || countMax < 0 || pieces.length <= countMax + 1) return pieces;
  return [...pieces.slice(0, countMax), pieces.slice(countMax).join(separator)];
}
