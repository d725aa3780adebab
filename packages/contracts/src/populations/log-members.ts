/** The members of two populations by what was logged: the lines of each trace are one request. */

import type { LogLine } from "../model/evidence.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { textHash } from "../text/text-hash.ts";
import { ContrastTally } from "./contrast.ts";
import { type Example, exampleCountMax, isExplaining, type Populations } from "./members.ts";
import { type Sample, sampleOf } from "./sample.ts";

/** Lines of one request that are looked at. */
const lineCountMax = 256;

/** The lines of each trace are one member, which is bad when one of them tells of an error. */
export function logMembers(snapshot: Snapshot): Populations | undefined {
  const logs = evidenceOfKind(snapshot, "logs");
  const examples: Example[] = [];
  const hashes = logs.map((evidence) => hashesOf(evidence, examples));
  const all = joined(hashes, (hash) => hash !== 0);
  if (all.length === 0) return undefined;
  const sample = sampleOf(all.map(Math.abs), joined(hashes, isBadHash).map(Math.abs));
  return {
    division: "logged",
    badCount: sample.badCount,
    goodCount: sample.goodCount,
    examples,
    compare: () => tallyOf(logs, hashes, sample),
    slowness: undefined,
  };
}

/**
 * The hash of the trace of each line, below zero where the line tells of an error, and zero where it belongs to no trace:
 * that is no request, and is compared with nothing. Lines themselves may lie packed, and are too many to keep.
 */
function hashesOf(evidence: EvidenceOf<"logs">, examples: Example[]): Float64Array {
  const { lines } = evidence.content;
  const hashes = new Float64Array(lines.length);
  for (const [index, { severity, traceId }] of lines.entries()) {
    if (severity === undefined || traceId === undefined) continue;
    const isBad = severity === "error" || severity === "fatal";
    if (isBad && examples.length < exampleCountMax) {
      examples.push({ evidence, locator: `/lines/${index}` });
    }
    hashes[index] = isBad ? -textHash(traceId) : textHash(traceId);
  }
  return hashes;
}

function isBadHash(hash: number): boolean {
  return hash < 0;
}

function joined(lists: readonly Float64Array[], isMeant: (hash: number) => boolean): Float64Array {
  const meant = lists.map((list) => list.filter(isMeant));
  const whole = new Float64Array(meant.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const list of meant) {
    whole.set(list, at);
    at += list.length;
  }
  return whole;
}

function tallyOf(
  logs: readonly EvidenceOf<"logs">[],
  hashes: readonly Float64Array[],
  { isBad }: Sample,
): ContrastTally {
  const linesOf = new Map<number, LogLine[]>();
  for (const [at, { content }] of logs.entries()) {
    for (const [index, signed] of (hashes[at] ?? new Float64Array()).entries()) {
      const hash = Math.abs(signed);
      if (hash === 0 || !isBad.has(hash)) continue;
      const known = linesOf.get(hash) ?? [];
      linesOf.set(hash, known);
      const line = known.length < lineCountMax ? content.lines[index] : undefined;
      if (line !== undefined) known.push(line);
    }
  }
  const tally = new ContrastTally("of different forms");
  for (const [hash, lines] of linesOf) {
    tally.begin(isBad.get(hash) === true);
    for (const { service, attributes } of lines) {
      if (service !== undefined) tally.add("service", service);
      if (attributes !== undefined) tally.addAll(attributes, isExplaining);
    }
  }
  return tally;
}
