/** From what a contract finds in a ledger to its findings. */

import type { FindingParts } from "../model/make-finding.ts";
import { type Books, type ListName, placesIn } from "./books.ts";
import { type Difference, entryWords } from "./difference.ts";

/** What a contract found in one ledger. */
export interface Judgement {
  /** In their order. */
  readonly differences: readonly Difference[];
  /** What would have to be there to judge all of it. */
  readonly missing: readonly string[];
  /** The lists that were looked at. */
  readonly lists: readonly ListName[];
  /** One sentence each: what is so when all agrees, and what was looked at. */
  readonly heldTitle: string;
  readonly lookedAt: string;
}

/**
 * A finding for each difference, of one kind no more than so many, and one about the ledger where there is none or something
 * could not be judged.
 */
export function findingsIn(
  books: Books,
  judgement: Judgement | undefined,
  toldCountMax: number,
): FindingParts[] {
  if (judgement === undefined) return [];
  const { differences, missing, lists, heldTitle, lookedAt } = judgement;
  const told = [...Map.groupBy(differences, ({ kind }) => kind).values()].flatMap((group) =>
    group.slice(0, Math.max(1, Math.floor(toldCountMax))),
  );
  const findings = told.map((difference) => findingOf(books, difference));
  if (differences.length > 0 && missing.length === 0) return findings;
  const subject = { kind: "ledger", name: books.name };
  const evidence = lists.flatMap((list) => placesIn(books, list));
  if (missing.length === 0)
    return [{ verdict: "holds", subject, title: heldTitle, actual: lookedAt, evidence }];
  const title = `Of the ledger ${books.name} not everything could be compared`;
  return [
    ...findings,
    { verdict: "inconclusive", subject, title, actual: lookedAt, missing, evidence },
  ];
}

function findingOf(books: Books, difference: Difference): FindingParts {
  const { kind, subject, message, places, causeKind = "data", entry, repair } = difference;
  const { nextCheck, expectedMicros, actualMicros } = difference;
  return {
    verdict: "violated",
    subject,
    title: message,
    actual: `${actualMicros} micros where ${expectedMicros} were expected.`,
    causeKind,
    measures: {
      difference: kind,
      // Exact, which a number of JSON is not.
      expectedMicros: String(expectedMicros),
      actualMicros: String(actualMicros),
      ledger: books.name,
    },
    evidence: places.flatMap(({ list, ids }) => placesIn(books, list, ids)),
    fixes: [
      ...(entry === undefined ? [] : [{ description: entryWords(entry), cost: 1 }]),
      ...(repair === undefined ? [] : [{ description: repair, cost: 2 }]),
    ],
    nextChecks: nextCheck === undefined ? [] : [nextCheck],
  };
}

/** What is missing to a ledger that is not one whole export. */
export const wholeMissing =
  "An export of one moment, as `faultline ledger export` makes it: what lies here was read part by part, or is cut.";
