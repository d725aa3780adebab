/** What differs between two bundles, field by field. */

import { canonicalJson } from "@faultline/contracts/model";
import type { BundleChange, BundleDocument } from "@faultline/protocol";

import { bundleStoreLimits } from "./limits.ts";

export interface BundleChanges {
  readonly changes: BundleChange[];
  readonly leftOutCount: number;
}

/** Compares two documents. Items of lists are matched by their name or id where they have one, else by their place. */
export function diffBundles(before: BundleDocument, after: BundleDocument): BundleChanges {
  const all: BundleChange[] = [];
  compare(before, after, { path: "", into: all });
  const changes = all.slice(0, bundleStoreLimits.changeCountMax);
  return { changes, leftOutCount: all.length - changes.length };
}

interface Place {
  readonly path: string;
  readonly into: BundleChange[];
}

function compare(before: unknown, after: unknown, { path, into }: Place): void {
  if (before === undefined && after === undefined) return;
  if (before === undefined) {
    into.push({ path, after });
    return;
  }
  if (after === undefined) {
    into.push({ path, before });
    return;
  }
  const [left, right] = [fieldsOf(before), fieldsOf(after)];
  if (left !== undefined && right !== undefined) {
    for (const name of new Set([...left.keys(), ...right.keys()])) {
      compare(left.get(name), right.get(name), { path: `${path}/${escaped(name)}`, into });
    }
  } else if (canonicalJson(before) !== canonicalJson(after)) {
    into.push({ path, before, after });
  }
}

/** The parts of a value by what they are called; `undefined` for a scalar. */
function fieldsOf(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const names = value.map((item: unknown) => nameOf(item));
  const isNamed = names.every((name) => name !== undefined) && new Set(names).size === names.length;
  return new Map(
    value.map((item: unknown, index) => [isNamed ? (names[index] ?? "") : String(index), item]),
  );
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== "object" || item === null) return undefined;
  for (const field of ["name", "id", "model"]) {
    const name: unknown = Reflect.get(item, field);
    if (typeof name === "string") return name;
  }
  return undefined;
}

/** A name as RFC 6901 writes it in a pointer. */
function escaped(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
