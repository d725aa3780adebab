/** The contract `fan-out/repeated-query`: a list is loaded with a fixed number of calls, not one per item. */

import type { Contract } from "../model/contract.ts";
import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { findingOf } from "./describe-judgement.ts";
import { judgeSubject } from "./judge-subject.ts";
import { observeCalls } from "./observe-calls.ts";
import { repeatedQueryDefaults, type RepeatedQueryOptions } from "./options.ts";
import { unitsOf } from "../traces/trace-units.ts";

/** Makes the contract with other thresholds. */
export function createRepeatedQuery(options: Partial<RepeatedQueryOptions> = {}): Contract {
  const settings = { ...repeatedQueryDefaults, ...options };
  return {
    id: "fan-out/repeated-query",
    version: 1,
    boundary: "resolver-database",
    promise:
      "The number of calls that an operation makes does not grow with the list that it loads.",
    reads: ["trace"],
    check: (snapshot) => check(snapshot, settings),
  };
}

/** The contract with its documented defaults. */
export const repeatedQuery: Contract = createRepeatedQuery();

function check(snapshot: Snapshot, options: RepeatedQueryOptions): Finding[] {
  return observeCalls(unitsOf(snapshot)).flatMap((observed) =>
    judgeSubject(observed, options).map((judgement) => findingOf(observed, judgement, options)),
  );
}
