/** Which boundary a judgement is about: the one that its calls cross. */

import type { Boundary } from "../../model/finding.ts";
import type { Judgement } from "./judgement.ts";
import type { Observation } from "./observation.ts";
import type { UnitCall } from "../../traces/unit.ts";

/** Calls of databases cross `resolver-database`, calls by HTTP or RPC `service-service`. */
export function boundaryOf(judgement: Judgement): Boundary {
  const calls = callsBehind(judgement);
  const crossesServices = calls.length > 0 && calls.every(({ call }) => call.kind !== "database");
  return crossesServices ? "service-service" : "resolver-database";
}

function callsBehind(judgement: Judgement): readonly UnitCall[] {
  switch (judgement.kind) {
    case "repeated":
    case "doubtful":
      return judgement.worst.calls;
    case "batched":
    case "unclear-list":
      return callsForList(judgement.widest);
  }
}

/** A batch speaks before the calls around it; a resolver without calls of its own lives on those of its handler. */
function callsForList({ ownCalls, unit }: Observation): readonly UnitCall[] {
  const near =
    ownCalls.length > 0 ? ownCalls : unit.calls.filter(({ resolver }) => resolver === undefined);
  const batches = near.filter(({ call }) => call.batch.isBatch || call.batch.isHidden === true);
  return batches.length > 0 ? batches : near;
}
