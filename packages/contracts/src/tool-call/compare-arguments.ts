/** Compares the arguments that a model emitted with those that a tool was run with. */

import { isFields } from "../model/fields.ts";
import { parseForeignJson } from "../text/foreign-json.ts";
import { describeValue } from "./json-schema/describe-value.ts";
import { keyOf } from "./value-key.ts";

/** One difference. `pointer` leads to the field as it was emitted, or as it ran when it was not emitted. */
export interface Difference {
  readonly kind: "renamed" | "coerced" | "changed" | "dropped" | "added";
  readonly pointer: string;
  /** What the field is called where it ran. */
  readonly ranAs?: string;
  readonly emitted: string;
  readonly executed: string;
}

/** Differences that are counted, and how deep they are looked for. */
const differenceCountMax = 50;
const depthMax = 30;

/** Values that stand for others: what a recorder hid or cut. */
const hiddenValue =
  /^(?:\*+|x{3,}|\[?<?(?:redacted|masked|hidden|filtered|removed|secret|sensitive)[\w-]*>?\]?|\[redacted-[\w-]+\])$/i;

/** The differences between emitted and executed arguments; what the schema fills in by default is none. */
export function compareArguments(
  emitted: unknown,
  executed: unknown,
  schema: unknown,
): Difference[] {
  const differences: Difference[] = [];
  compare(emitted, executed, { schema, pointer: "", depth: 0, differences });
  return differences.slice(0, differenceCountMax);
}

interface Walk {
  readonly schema: unknown;
  readonly pointer: string;
  readonly depth: number;
  readonly differences: Difference[];
}

function compare(emitted: unknown, executed: unknown, walk: Walk): void {
  const { schema, pointer, depth, differences } = walk;
  if (keyOf(emitted) === keyOf(executed) || isHidden(emitted, executed)) return;
  if (depth > depthMax || differences.length >= differenceCountMax) return;
  if (isFields(emitted) && isFields(executed)) {
    compareFields(emitted, executed, walk);
    return;
  }
  if (Array.isArray(emitted) && Array.isArray(executed) && emitted.length === executed.length) {
    const items = isFields(schema) ? schema["items"] : undefined;
    for (const [index, item] of emitted.entries()) {
      const inner = {
        schema: items,
        pointer: `${pointer}/${index}`,
        depth: depth + 1,
        differences,
      };
      compare(item, executed[index], inner);
    }
    return;
  }
  differences.push({
    kind: meansTheSame(emitted, executed) ? "coerced" : "changed",
    pointer,
    emitted: describeValue(emitted),
    executed: describeValue(executed),
  });
}

function compareFields(
  emitted: Readonly<Record<string, unknown>>,
  executed: Readonly<Record<string, unknown>>,
  walk: Walk,
): void {
  const { pointer, depth, differences } = walk;
  const properties = propertiesOf(walk.schema);
  const added = new Map(Object.entries(executed).filter(([name]) => !Object.hasOwn(emitted, name)));
  for (const [name, value] of Object.entries(emitted)) {
    const place = `${pointer}/${name.slice(0, 64)}`;
    if (Object.hasOwn(executed, name)) {
      compare(value, executed[name], {
        schema: properties?.[name],
        pointer: place,
        depth: depth + 1,
        differences,
      });
      continue;
    }
    const moved = movedTo(value, added);
    if (moved !== undefined) added.delete(moved.name);
    // A field without a value may be left out: it says nothing.
    else if (value === null) continue;
    differences.push({
      kind: moved === undefined ? "dropped" : "renamed",
      pointer: place,
      ...(moved === undefined ? {} : { ranAs: moved.name.slice(0, 64) }),
      emitted: describeValue(value),
      executed: moved === undefined ? "nothing" : describeValue(moved.value),
    });
  }
  for (const [name, value] of added) {
    if (isFilledIn(properties, name, value)) continue;
    differences.push({
      kind: "added",
      pointer: `${pointer}/${name.slice(0, 64)}`,
      emitted: "nothing",
      executed: describeValue(value),
    });
  }
}

/** The field that has the same value under another name, or the one field that is new. */
function movedTo(
  value: unknown,
  added: ReadonlyMap<string, unknown>,
): { readonly name: string; readonly value: unknown } | undefined {
  const key = keyOf(value);
  for (const [name, other] of added) {
    if (keyOf(other) === key || meansTheSame(value, other)) return { name, value: other };
  }
  return undefined;
}

/** Defaults of the schema, empty optional fields, and what the application adds beside what it advertised. */
function isFilledIn(
  properties: Readonly<Record<string, unknown>> | undefined,
  name: string,
  value: unknown,
): boolean {
  if (value === null || value === undefined) return true;
  if (properties === undefined || !Object.hasOwn(properties, name)) return true;
  const property = properties[name];
  return (
    isFields(property) &&
    Object.hasOwn(property, "default") &&
    keyOf(property["default"]) === keyOf(value)
  );
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> | undefined {
  const properties = isFields(schema) ? schema["properties"] : undefined;
  return isFields(properties) ? properties : undefined;
}

/** `"3"` and 3, `"true"` and true, `"a"` and `["a"]`, `" x"` and `"x"`: written in another type or dress. */
function meansTheSame(left: unknown, right: unknown): boolean {
  const plain = (value: unknown): string | undefined => {
    if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : undefined;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    if (typeof value !== "string") return undefined;
    const text = value.trim().toLowerCase();
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? String(number) : text;
  };
  const [one, other] = [plain(left), plain(right)];
  if (one !== undefined && one === other) return true;
  return isTextOf(left, right) || isTextOf(right, left);
}

/** JSON in text against its value. */
function isTextOf(text: unknown, value: unknown): boolean {
  if (typeof text !== "string" || typeof value !== "object" || value === null) return false;
  try {
    return keyOf(parseForeignJson(text)) === keyOf(value);
  } catch {
    // Text that is no JSON is not the value's.
    return false;
  }
}

/** What a recorder hid, or cut at its length limit, is no difference. */
function isHidden(emitted: unknown, executed: unknown): boolean {
  const texts = [emitted, executed].filter((value) => typeof value === "string");
  if (texts.some((text) => hiddenValue.test(text.trim()))) return true;
  if (typeof emitted !== "string" || typeof executed !== "string") return false;
  const cut = (long: string, short: string): boolean =>
    /(?:…|\.\.\.|\[truncated\])$/.test(short) &&
    long.startsWith(short.replace(/(?:…|\.\.\.|\[truncated\])$/, ""));
  return cut(emitted, executed) || cut(executed, emitted);
}
