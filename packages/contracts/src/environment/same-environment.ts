/** Environments that are meant to be alike: what differs between them, ranked, with the check that settles each. */

import { defineContract } from "../model/define-contract.ts";
import type { Contract } from "../model/contract.ts";
import { environmentGroupsOf } from "./gather.ts";
import { judgePair } from "./judge-pair.ts";
import { pairsOf } from "./pairs.ts";

/** What can be set, with its default. */
const options = {
  alike: {
    default: [] as readonly string[],
    description:
      "Names of environments that are meant to be alike; a fact `sameAs` in the evidence says the same.",
  },
  weightMin: {
    default: 3,
    description:
      "Weight below which a difference is only counted, from 0 to 10 (the page has the table).",
  },
  violationWeightMin: {
    default: 5,
    description: "Weight that a difference must have to violate the contract, from 0 to 10.",
  },
  factCountMin: {
    default: 5,
    description: "Facts that both environments must tell of before the contract holds.",
  },
  failureCountMin: {
    default: 3,
    description: "Failed requests of one operation from which an environment counts as failing.",
  },
  failureShareMin: {
    default: 0.1,
    description: "Share of the requests of that operation that must have failed, from 0 to 1.",
  },
  healthyRequestCountMin: {
    default: 10,
    description:
      "Requests of the operation without a failure from which the other environment counts as healthy.",
  },
};

export const sameEnvironment: Contract = defineContract({
  id: "environment/same-environment",
  version: 1,
  boundary: "release-release",
  promise:
    "Environments that are meant to be alike have the same versions, flags, locale, names and settings, except for what names the place.",
  reads: ["environment", "trace", "kubernetes"],
  options,
  check(snapshot, options, found) {
    return environmentGroupsOf(snapshot)
      .flatMap((group) => pairsOf(group, options))
      .flatMap((pair) => {
        const parts = judgePair(pair, options);
        return parts === undefined ? [] : [found(parts)];
      });
  },
});
