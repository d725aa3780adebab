/** The methods of texts, dictionaries and lists that chat templates call. */

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
      return () => text.split(/\r?\n/);
    case "replace":
      return ({ positional: [from, to] }) => text.replaceAll(printed(from), () => printed(to));
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
    case "count":
      return ({ positional: [part] }) => text.split(printed(part)).length - 1;
    case "join":
      return ({ positional: [items] }) => (isList(items ?? null) ? textsOf(items).join(text) : "");
    default:
      return undefined;
  }
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
