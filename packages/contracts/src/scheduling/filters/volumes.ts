/** Refuses nodes from which the pod's claims cannot be used, and every node when a claim cannot be used at all. */

import type { ClaimState, Volume } from "../claims.ts";
import type { Obstacle } from "../obstacle.ts";
import { matchesTerm } from "../../kubernetes/selector.ts";
import type { Node } from "../node.ts";
import type { Filter, Situation } from "./filter.ts";

/** A claim that only one pod may use, and that another uses. */
export const volumeRestrictions: Filter = {
  plugin: "VolumeRestrictions",
  judge: (situation) =>
    perClaim(situation, (state, claim, name) =>
      state.kind === "in-use"
        ? { kind: "claim-in-use", claim, name, holder: state.holder }
        : undefined,
    ),
  unknown: () => [],
};

/** Claims that are missing or unbound, and volumes that this node cannot reach. */
export const volumeBinding: Filter = {
  plugin: "VolumeBinding",
  judge: (situation) =>
    perClaim(situation, (state, claim, name) => bindingObstacle(state, { claim, name, situation })),
  unknown: ({ claims }) =>
    claims.flatMap((state) => (state.kind === "unknown" ? [state.what] : [])),
};

/** Volumes whose zone is not the node's. */
export const volumeZone: Filter = {
  plugin: "VolumeZone",
  judge: (situation) =>
    perClaim(situation, (state, claim, name) =>
      zoneObstacle(state, { claim, name, node: situation.node }),
    ),
  unknown: () => [],
};

function perClaim(
  { pod, claims }: Situation,
  judge: (state: ClaimState, claim: number, name: string) => Obstacle | undefined,
): Obstacle[] {
  return claims.flatMap((state, claim) => {
    const obstacle = judge(state, claim, pod.claims[claim]?.claimName ?? "");
    return obstacle === undefined ? [] : [obstacle];
  });
}

function bindingObstacle(
  state: ClaimState,
  { claim, name, situation }: { claim: number; name: string; situation: Situation },
): Obstacle | undefined {
  switch (state.kind) {
    case "missing":
      return { kind: "claim-missing", claim, name, isEphemeral: state.isEphemeral };
    case "lost":
      return { kind: "claim-lost", claim, name, volume: state.volume };
    case "deleting":
      return { kind: "claim-deleting", claim, name };
    case "unbound":
      return { kind: "claim-unbound", claim, name, why: state.why };
    case "volume-gone":
      return { kind: "volume-gone", claim, name, volume: state.volume };
    case "bound": {
      const { volume } = state;
      const isReachable = volume === undefined || isUsableFrom(volume, situation.node);
      return isReachable
        ? undefined
        : { kind: "volume-elsewhere", claim, name, volume: volume.name };
    }
    case "delayed":
      return canBindOn(state, situation.node)
        ? undefined
        : { kind: "volume-unavailable", claim, name, why: state.why };
    case "in-use":
    case "usable":
    case "unknown":
      return undefined;
  }
}

/** A claim that waits for its pod takes a free volume that the node reaches, or one that is made for the node. */
function canBindOn(state: Extract<ClaimState, { kind: "delayed" }>, node: Node): boolean {
  if (state.volumes.some((volume) => isUsableFrom(volume, node))) return true;
  if (state.provisionedIn === undefined) return false;
  return (
    state.provisionedIn.length === 0 || state.provisionedIn.some((term) => matchesTerm(term, node))
  );
}

function isUsableFrom(volume: Volume, node: Node): boolean {
  return volume.terms === undefined || volume.terms.some((term) => matchesTerm(term, node));
}

const betaLabels: Readonly<Record<string, string>> = {
  "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
  "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
};
const zoneLabels: readonly string[] = [...Object.keys(betaLabels), ...Object.values(betaLabels)];

function zoneObstacle(
  state: ClaimState,
  { claim, name, node }: { claim: number; name: string; node: Node },
): Obstacle | undefined {
  if (state.kind !== "bound" || state.volume === undefined) return undefined;
  // A node without any zone label lies in a cluster of one zone.
  if (!zoneLabels.some((label) => node.labels.has(label))) return undefined;
  for (const label of zoneLabels) {
    const zones = state.volume.labels.get(label);
    if (zones === undefined) continue;
    const actual = node.labels.get(label) ?? node.labels.get(betaLabels[label] ?? label);
    if (actual === undefined || !zones.split("__").includes(actual)) {
      return {
        kind: "volume-zone",
        claim,
        name,
        volume: state.volume.name,
        label: `${label}=${zones}`,
      };
    }
  }
  return undefined;
}
