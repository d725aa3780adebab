/** The contract `fan-out/repeated-query`: a list is loaded with a fixed number of calls, not one per item. */

import type { Contract } from "../../model/contract.ts";
import { defineContract } from "../../model/define-contract.ts";
import { unitsOf } from "../../traces/trace-units.ts";
import { judgeAgents } from "./agent-loops.ts";
import { findingOf } from "./describe-judgement.ts";
import { judgeSubject } from "./judge-subject.ts";
import { observeCalls } from "./observe-calls.ts";
import { type RepeatedQueryOptions, repeatedQueryOptions } from "./options.ts";

export const repeatedQuery: Contract = defineContract<RepeatedQueryOptions>({
  id: "fan-out/repeated-query",
  version: 1,
  boundary: "resolver-database",
  promise: "The number of calls that an operation makes does not grow with the list that it loads.",
  reads: ["trace"],
  options: repeatedQueryOptions,
  check: (snapshot, options, found) => [
    ...observeCalls(unitsOf(snapshot), options).flatMap((observed) =>
      judgeSubject(observed, options).map((judgement) => findingOf(observed, judgement, options)),
    ),
    ...judgeAgents(snapshot, options).map(found),
  ],
});
