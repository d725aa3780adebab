/** What a selector almost selects: pods that differ from it in a pair or two. */

import { describeLabels } from "../kubernetes/label-selector.ts";
import type { KnownPod } from "../kubernetes/pods.ts";
import { compareText } from "../text/compare-text.ts";
import { nearestName } from "../text/nearest-name.ts";

/** A pair that the selector wants and the pod does not have. */
export interface MissedPair {
  readonly key: string;
  readonly wanted: string;
  /** The pod's value; nothing where it lacks the key. */
  readonly actual: string | undefined;
  /** A key of the pod that holds the wanted value, or is written almost like the wanted one. */
  readonly otherKey: string | undefined;
}

export interface NearMiss {
  readonly pod: KnownPod;
  readonly missed: readonly MissedPair[];
  /** Pairs of the selector that the pod has. */
  readonly matchedCount: number;
  /** What is missed is so alike that one was meant for the other. */
  readonly isSlip: boolean;
}

/** The pods that come nearest to a selector, one for each workload, the nearest first. */
export function nearMisses(
  selector: ReadonlyMap<string, string>,
  pods: readonly KnownPod[],
  countMax: number,
): NearMiss[] {
  const byWorkload = new Map<string, NearMiss>();
  for (const pod of distinct(pods)) {
    const miss = missOf(selector, pod);
    if (miss === undefined) continue;
    const key = `${pod.namespace} ${pod.workload}`;
    const known = byWorkload.get(key);
    if (known === undefined || isNearer(miss, known) < 0) byWorkload.set(key, miss);
  }
  return [...byWorkload.values()].sort(isNearer).slice(0, countMax);
}

/** Sets of labels that one selector is compared with, letter by letter. */
const comparedMax = 500;

/** One pod for each set of labels: a thousand pods of one application come near in the same way. */
function distinct(pods: readonly KnownPod[]): readonly KnownPod[] {
  const known = distinctByPods.get(pods);
  if (known !== undefined) return known;
  const byLabels = new Map<string, KnownPod>();
  for (const pod of pods) {
    if (pod.labels === undefined || pod.state.kind === "over") continue;
    const key = JSON.stringify([...pod.labels]);
    if (!byLabels.has(key)) byLabels.set(key, pod);
  }
  const kept = [...byLabels.values()].slice(0, comparedMax);
  distinctByPods.set(pods, kept);
  return kept;
}

/** A memory and no state: the same pods always have the same sets of labels. */
const distinctByPods = new WeakMap<readonly KnownPod[], readonly KnownPod[]>();

/**
 * Whether a pod is selected by pairs. The pods of a template get labels of their own beside those that stand in it:
 * what a controller adds is not missing.
 */
export function isSelected(pod: KnownPod, selector: ReadonlyMap<string, string>): boolean {
  const { labels } = pod;
  if (labels === undefined) return false;
  if (!pod.isTemplate) return hasPairs(labels, selector);
  for (const [key, value] of selector) {
    if (labels.get(key) !== value && !isAdded(pod, key, value)) return false;
  }
  return true;
}

const addedLabels =
  /^(?:pod-template-hash|controller-revision-hash|rollouts-pod-template-hash|apps\.kubernetes\.io\/pod-index|(?:batch\.kubernetes\.io\/)?(?:job-name|controller-uid|job-completion-index))$/;

function isAdded({ source }: KnownPod, key: string, value: string): boolean {
  const { kind, metadata } = source.object;
  if (key !== "statefulset.kubernetes.io/pod-name") return addedLabels.test(key);
  const ordinal = value.slice(metadata.name.length + 1);
  return (
    kind === "StatefulSet" && value === `${metadata.name}-${ordinal}` && /^\d{1,6}$/.test(ordinal)
  );
}

/** Whether labels hold every pair of a selector. */
export function hasPairs(
  labels: ReadonlyMap<string, string>,
  selector: ReadonlyMap<string, string>,
): boolean {
  for (const [key, value] of selector) {
    if (labels.get(key) !== value) return false;
  }
  return true;
}

function missOf(selector: ReadonlyMap<string, string>, pod: KnownPod): NearMiss | undefined {
  const { labels } = pod;
  if (labels === undefined || pod.state.kind === "over") return undefined;
  const missed = [...selector].flatMap(([key, wanted]): MissedPair[] => {
    const actual = labels.get(key);
    if (actual === wanted) return [];
    return [{ key, wanted, actual, otherKey: otherKeyOf(key, wanted, labels) }];
  });
  if (missed.length === 0) return undefined;
  const matchedCount = selector.size - missed.length;
  const isSlip = missed.every(isAlike) || isNamedAlike(missed, pod);
  return { pod, missed, matchedCount, isSlip };
}

function otherKeyOf(
  key: string,
  wanted: string,
  labels: ReadonlyMap<string, string>,
): string | undefined {
  const same = [...labels].filter(([, value]) => value === wanted).map(([name]) => name);
  return nearestName(key, same) ?? same.sort(compareText)[0];
}

function isAlike({ key, wanted, actual, otherKey }: MissedPair): boolean {
  if (otherKey !== undefined) return nearestName(key, [otherKey]) !== undefined;
  return actual !== undefined && nearestName(wanted, [actual]) !== undefined;
}

/** A selector `app: web-frontend` for a workload of that name whose pods bear another label. */
function isNamedAlike(missed: readonly MissedPair[], { workload }: KnownPod): boolean {
  const name = workload.slice(workload.indexOf("/") + 1);
  return missed.length === 1 && missed.every(({ wanted }) => wanted === name);
}

function isNearer(left: NearMiss, right: NearMiss): number {
  return (
    Number(right.isSlip) - Number(left.isSlip) ||
    left.missed.length - right.missed.length ||
    sharedKeys(right) - sharedKeys(left) ||
    compareText(left.pod.subject.name, right.pod.subject.name)
  );
}

function sharedKeys({ missed }: NearMiss): number {
  return missed.filter(({ actual }) => actual !== undefined).length;
}

/** `app is web where api is wanted`: what the pods have, next to what the selector asks for. */
export function describeMissed(missed: readonly MissedPair[]): string {
  return missed
    .map(({ key, wanted, actual, otherKey }) => {
      if (actual !== undefined) return `${key} is ${actual}, not ${wanted}`;
      if (otherKey !== undefined) return `${wanted} stands under ${otherKey}, not ${key}`;
      return `${key} is missing (${wanted} is wanted)`;
    })
    .join(" and ");
}

/** The selector as it would have to be for these pods. */
export function correctedSelector(
  selector: ReadonlyMap<string, string>,
  { missed }: NearMiss,
): ReadonlyMap<string, string> {
  const corrected = new Map(selector);
  for (const { key, wanted, actual, otherKey } of missed) {
    if (actual !== undefined) corrected.set(key, actual);
    else corrected.delete(key);
    if (actual === undefined && otherKey !== undefined) corrected.set(otherKey, wanted);
  }
  return corrected;
}

/** The change of a selector in words: which key from what to what. */
export function describeCorrection({ missed }: NearMiss): string {
  return missed
    .map(({ key, wanted, actual, otherKey }) => {
      if (actual !== undefined) return `${key} from ${wanted} to ${actual}`;
      if (otherKey !== undefined) return `the key ${key} to ${otherKey}`;
      return `${key}=${wanted} to nothing (drop it)`;
    })
    .join(" and ");
}

/** The labels of a pod for a quote. */
export function quoteLabels({ labels }: KnownPod): string {
  return labels === undefined ? "labels unknown" : `labels: ${describeLabels(labels)}`;
}
