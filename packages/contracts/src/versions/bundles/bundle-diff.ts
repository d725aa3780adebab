/** What differs between two versions of a bundle, component by component. */

import type { BundleContent } from "../../model/bundle.ts";
import { isFields } from "../../model/fields.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";

/** One field that differs. */
export interface BundleChange {
  /** For example `/deadlines/totalMs`; items of lists by their names. */
  readonly pointer: string;
  readonly before: unknown;
  readonly after: unknown;
}

const changeCountMax = 200;
const textLengthMax = 80;

/** The changes from one document to another, in the order of their fields. */
export function bundleChanges(
  before: BundleContent["document"],
  after: BundleContent["document"],
): readonly BundleChange[] {
  const changes: BundleChange[] = [];
  compare({ pointer: "", before, after }, changes);
  return changes.slice(0, changeCountMax);
}

/** `/deadlines/totalMs (60000 → 800)`. */
export function changeWords({ pointer, before, after }: BundleChange): string {
  if (before === undefined) return `${pointer} (new: ${short(after)})`;
  if (after === undefined) return `${pointer} (gone: ${short(before)})`;
  return `${pointer} (${short(before)} → ${short(after)})`;
}

function short(value: unknown): string {
  const text = typeof value === "string" ? value : canonicalJson(value);
  return text.length > textLengthMax
    ? `${text.slice(0, textLengthMax)}… (${text.length} characters)`
    : text;
}

function compare(change: BundleChange, into: BundleChange[]): void {
  const { pointer, before, after } = change;
  const [own, others] = [partsOf(before), partsOf(after)];
  if (own === undefined || others === undefined) {
    if (textOf(before) !== textOf(after)) into.push(change);
    return;
  }
  for (const name of new Set([...own.keys(), ...others.keys()])) {
    // A schema is one thing: what changes in it is told where calls are held against it.
    if (/^\/tools\/[^/]+$/.test(pointer) && name === "parameters") {
      const inner = {
        pointer: `${pointer}/parameters`,
        before: own.get(name),
        after: others.get(name),
      };
      if (textOf(inner.before) !== textOf(inner.after)) into.push(inner);
    } else
      compare(
        { pointer: `${pointer}/${name}`, before: own.get(name), after: others.get(name) },
        into,
      );
  }
}

function textOf(value: unknown): string {
  return value === undefined ? "" : canonicalJson(value);
}

/** Parts by name; of a list whose items have names or ids, by these. Targets have an order, and models may be there twice. */
function partsOf(value: unknown): ReadonlyMap<string, unknown> | undefined {
  if (isFields(value)) return new Map(Object.entries(value));
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  const names = items.map((item) => (isFields(item) ? (item["name"] ?? item["id"]) : undefined));
  const isNamed =
    names.every((name) => typeof name === "string") && new Set(names).size === names.length;
  return new Map(
    items.map((item, at): [string, unknown] => [isNamed ? String(names[at]) : String(at), item]),
  );
}
