/** Kubernetes evidence changed in ways that must change no finding: for the metamorphic tests of contracts. */

import { expect } from "vitest";

import type { Contract } from "../src/model/contract.ts";
import type { KubernetesObject } from "../src/model/evidence.ts";
import type { Finding } from "../src/model/finding.ts";
import type { Snapshot } from "../src/model/snapshot.ts";
import { createSnapshot } from "../src/snapshot/create-snapshot.ts";

/** The same cluster, told in another way. */
export interface Variant {
  readonly name: string;
  readonly snapshot: Snapshot;
}

/** A namespace that no test uses otherwise. */
const otherNamespace = "elsewhere-unrelated";

/** One piece of evidence for each list of objects. */
export function snapshotOfObjects(...pieces: readonly (readonly KubernetesObject[])[]): Snapshot {
  return createSnapshot(
    pieces.map((objects, index) => ({
      source: { name: `piece-${index}`, format: "kubernetes", notes: [] },
      content: { kind: "kubernetes", objects: [...objects] },
    })),
  );
}

/** Shuffled, duplicated, split over several pieces, and with unrelated objects of another namespace. */
export function variantsOf(objects: readonly KubernetesObject[]): Variant[] {
  const shuffled = shuffle(objects);
  const [first, second, third] = [0, 1, 2].map((rest) =>
    shuffled.filter((_object, index) => index % 3 === rest),
  );
  return [
    { name: "reversed", snapshot: snapshotOfObjects(objects.toReversed()) },
    { name: "shuffled", snapshot: snapshotOfObjects(shuffled) },
    { name: "duplicated", snapshot: snapshotOfObjects([...objects, ...shuffled]) },
    {
      name: "split over several pieces of evidence",
      snapshot: snapshotOfObjects(first ?? [], second ?? [], third ?? [], first ?? []),
    },
    {
      name: "with unrelated objects of another namespace",
      snapshot: snapshotOfObjects([...unrelatedTo(objects), ...objects]),
    },
  ];
}

/**
 * Expects that no variant changes what a contract finds about the subjects of these objects. Give `names` that
 * stand for nothing else (no words of a sentence) to see them renamed as well.
 */
export function expectSameFindings(
  contract: Pick<Contract, "check">,
  objects: readonly KubernetesObject[],
  names: readonly string[] = [],
): void {
  const before = contract.check(snapshotOfObjects(objects));
  const subjects = new Set(before.map((finding) => finding.subject.name));
  for (const { name, snapshot } of variantsOf(objects)) {
    const after = contract.check(snapshot).filter(({ subject }) => subjects.has(subject.name));
    expect(factsOf(after), name).toEqual(factsOf(before));
  }
  if (names.length === 0) return;
  const after = contract.check(snapshotOfObjects(renamed(objects, names)));
  expect(sorted(factsOf(after)), "renamed").toEqual(sorted(renamed(factsOf(before), names)));
}

/** Findings without the ids of the evidence, which depend on how it is cut into pieces. */
export function factsOf(findings: readonly Finding[]): unknown[] {
  return findings.map((finding) => ({
    ...finding,
    evidence: finding.evidence
      .map(({ locator = "", quote = "" }) => `${locator} ${quote}`)
      .filter((text, index, all) => all.indexOf(text) === index),
  }));
}

/** The same value with every name in every text replaced by another that sorts in the same order. */
export function renamed<T>(value: T, names: readonly string[]): T {
  const longestFirst = [...names].sort((left, right) => right.length - left.length);
  const pattern = new RegExp(
    `(?<![\\w.-])(${longestFirst.map((name) => name.replaceAll(/[.\\+*?^$()[\]{}|]/g, String.raw`\$&`)).join("|")})(?![\\w-])`,
    "g",
  );
  const walk = (item: unknown): unknown => {
    if (typeof item === "string") return item.replaceAll(pattern, "$1-renamed");
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== "object" || item === null) return item;
    return Object.fromEntries(
      Object.entries(item).map(([key, part]) => [String(walk(key)), walk(part)]),
    );
  };
  // The walk keeps the shape of what it is given; it only changes texts.
  return walk(value) as T;
}

/** Copies in a namespace of their own; pods among them are over, so that they take nothing from a node. */
function unrelatedTo(objects: readonly KubernetesObject[]): KubernetesObject[] {
  const copies = objects.flatMap((object): KubernetesObject[] => {
    if (object.metadata.namespace === undefined && object.kind !== "Pod") return [];
    if (object.kind === "Event") return [];
    const metadata = { ...object.metadata, namespace: otherNamespace };
    if (object.kind !== "Pod") return [{ ...object, metadata }];
    return [{ ...object, metadata, status: { phase: "Succeeded" } }];
  });
  const custom = {
    apiVersion: "unrelated.example.com/v1",
    kind: "Unrelated",
    metadata: { name: "unrelated", namespace: otherNamespace },
    spec: { value: 1 },
  };
  return [...copies, custom];
}

/** An order that is neither that of the input nor its reverse, and always the same. */
function shuffle<T>(items: readonly T[]): T[] {
  const keyed = items.map((item, index) => ({ item, key: (index * 7_919 + 104_729) % 10_007 }));
  return keyed
    .map(({ item, key }, index) => ({ item, key: (key * (index + 3)) % 1_009 }))
    .sort((left, right) => left.key - right.key)
    .map(({ item }) => item);
}

function sorted(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}
