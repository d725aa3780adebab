/** Changes for claims and volumes. */

import type { ClaimRemedy, ClaimState } from "../claims.ts";
import type { Situation } from "../filters/filter.ts";
import type { ClaimObstacle } from "../obstacle.ts";
import { type Change, costs } from "./change.ts";

const remedyCosts: Readonly<Record<ClaimRemedy["kind"], number>> = {
  "near-volume": costs.nearVolume,
  "other-claim": costs.otherClaim,
  "provisioning-class": costs.provisioningClass,
  "create-claim": costs.createClaim,
  "create-volume": costs.createVolume,
  "create-class": costs.createClass,
};

/** The changes that let one claim of the pod be used from the node. */
export function claimChanges(obstacle: ClaimObstacle, situation: Situation): Change[] {
  const { claim, name } = obstacle;
  const usable: ClaimState = { kind: "usable" };
  const single = (verb: string, cost: number, description: string): Change =>
    claimChange(claim, usable, { key: `${verb} ${name}`, cost, description });
  switch (obstacle.kind) {
    case "claim-missing":
    case "claim-unbound":
      return remedies(situation, claim, name);
    case "claim-lost":
    case "volume-gone":
      return [
        single(
          "remake",
          costs.keepClaim,
          `restore the volume ${obstacle.volume} or make the claim ${name} anew`,
        ),
      ];
    case "claim-deleting":
      return [
        single("keep", costs.keepClaim, `make the claim ${name} anew once its deletion is through`),
      ];
    case "claim-foreign":
      return [
        single(
          "remake",
          costs.keepClaim,
          `delete the claim ${name}, so that one is made for this pod`,
        ),
      ];
    case "volume-space":
      return [
        single(
          "space",
          costs.freeCapacity,
          `make room in the storage of class ${obstacle.className} that node ${situation.node.name} reaches, for the claim ${name}`,
        ),
      ];
    case "claim-in-use":
      return [freeClaim(claim, name, obstacle.holder)];
    case "volume-unavailable":
      return [
        single(
          "volume",
          costs.createVolume,
          `create a volume for the claim ${name} that node ${situation.node.name} reaches`,
        ),
      ];
    case "volume-elsewhere":
    case "volume-zone":
      return [
        single(
          "move",
          costs.moveVolume,
          `move the volume ${obstacle.volume} to where node ${situation.node.name} reaches it`,
        ),
      ];
  }
}

/** The claim is free once its holder is gone; what else stands in its way stays. */
function freeClaim(claim: number, name: string, holder: string): Change {
  return {
    key: `claim ${claim} free ${name}`,
    place: `claim ${claim} holder`,
    cost: costs.freeClaim,
    description: `stop ${holder}, which uses the claim ${name} alone`,
    touches: "storage",
    apply: (before) => {
      const state = before.claims[claim];
      if (state?.kind !== "in-use") return before;
      return { ...before, claims: before.claims.with(claim, state.afterwards) };
    },
  };
}

function remedies({ claims }: Situation, claim: number, name: string): Change[] {
  const held = claims[claim];
  const state = held?.kind === "in-use" ? held.afterwards : held;
  if (state === undefined || !("remedies" in state)) return [];
  return state.remedies.map((remedy) =>
    claimChange(claim, remedy.state, {
      key: `${remedy.kind} ${name} ${remedy.detail}`,
      cost: remedyCosts[remedy.kind],
      description: remedy.description,
    }),
  );
}

function claimChange(
  claim: number,
  state: ClaimState,
  { key, cost, description }: { key: string; cost: number; description: string },
): Change {
  return {
    key: `claim ${claim} ${key}`,
    place: `claim ${claim}`,
    cost,
    description,
    touches: "storage",
    apply: (before) => {
      const held = before.claims[claim];
      const next = held?.kind === "in-use" ? { ...held, afterwards: state } : state;
      return { ...before, claims: before.claims.with(claim, next) };
    },
  };
}
