/** The parts of the time that a request takes, so that the part that drifts can be named. */

import type { EvidenceReference } from "../model/evidence.ts";

/** `total` is all of it; `service` is what is left when the other parts are taken off. */
export const driftParts = [
  "total",
  "queue",
  "connect",
  "first token",
  "inter-token",
  "downstream",
  "service",
] as const;
export type DriftPart = (typeof driftParts)[number];

/** Measurements at moments, in any order: the times, and for each of them the value or `NaN` where nothing was measured. */
export interface DriftSeries {
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** Where something was measured. The id of evidence is read when it is quoted, because it may have to be computed. */
export interface DriftPlace {
  readonly evidence: { readonly id: string };
  readonly locator: string;
}

/** All measurements of one thing, by part. */
export interface DriftSubject {
  readonly kind: "operation" | "metric";
  readonly name: string;
  readonly unit: string;
  /** Of each measurement, in microseconds since 1970. */
  readonly times: readonly number[];
  /** For each of the times a value, `NaN` where it says nothing of the part. */
  readonly parts: ReadonlyMap<DriftPart, readonly number[]>;
  /** How often it was asked, where that is known: requests in each second. */
  readonly load: DriftSeries | undefined;
  readonly places: DriftPlace[];
}

/** Places that one finding quotes. */
const placeCountMax = 8;

/** Adds where it was measured, as long as those are few. */
export function addPlace(subject: DriftSubject, make: () => DriftPlace): void {
  if (subject.places.length < placeCountMax) subject.places.push(make());
}

/** The references of a finding about it. */
export function referencesTo({ places }: DriftSubject): EvidenceReference[] {
  return places.map(({ evidence, locator }) => ({ evidenceId: evidence.id, locator }));
}

/** The part that a name speaks of: of a metric, or of a span below a request. */
export function partOfName(name: string): DriftPart | undefined {
  if (/time[_.-]?to[_.-]?first|ttft|first[_.-]?(?:token|chunk|byte)/i.test(name))
    return "first token";
  if (
    /time[_.-]?per[_.-]?output|inter[_.-]?token|\bitl\b|tpot|per[_.-]output[_.-]chunk/i.test(name)
  ) {
    return "inter-token";
  }
  if (
    /queue(?:[_.-]?(?:time|wait|duration|latency))|(?:time[_.-]in|wait(?:ing)?[_.-](?:for|in))[_.-]queue|\b(?:acquire|checkout)\b|pool[_.-](?:wait|connect)/i.test(
      name,
    )
  ) {
    return "queue";
  }
  if (
    /\b(?:tcp|tls|dns)\b|handshake|(?:^|[_. -])connect(?:ion)?[_.-]?(?:time|duration)?$|getaddrinfo/i.test(
      name,
    )
  ) {
    return "connect";
  }
  return undefined;
}
