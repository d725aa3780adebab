/** Refuses nodes from which the pod's claims cannot be used, and every node when a claim cannot be used at all. */

import type { ClaimState, Volume } from "../claims.ts";
import type { Obstacle } from "../obstacle.ts";
import { matchesTerm, selects } from "../../kubernetes/selector.ts";
import { disksConflict } from "../disks.ts";
import type { Node } from "../node.ts";
import type { Pod } from "../pod.ts";
import { type Filter, nothing, type Situation } from "./filter.ts";

/** Claims that only one pod may use and another uses, and disks that are mounted by others on the node. */
export const volumeRestrictions: Filter = {
  plugin: "VolumeRestrictions",
  judge(situation) {
    const { claims, disks } = situation.pod;
    if (claims.length + disks.length === 0) return nothing;
    return [
      ...diskObstacles(situation),
      ...perClaim(situation, (state, claim, name): Obstacle | undefined => {
        if (state.kind !== "in-use" || isGone(state.holder, situation)) return undefined;
        const holder = `${state.holder.namespace}/${state.holder.name}`;
        return { kind: "claim-in-use", claim, name, holder };
      }),
    ];
  },
  unknown: () => nothing,
};

/** A holder that a change has taken from its node holds nothing any more. */
function isGone(holder: Pod, { node, original, stopped }: Situation): boolean {
  if (stopped.includes(holder)) return true;
  return original !== undefined && original.pods.includes(holder) && !node.pods.includes(holder);
}

function diskObstacles({ pod, node }: Situation): Obstacle[] {
  return pod.disks.flatMap((disk): Obstacle[] => {
    const holder = node.pods.find((other) => other.disks.some((held) => disksConflict(disk, held)));
    if (holder === undefined) return [];
    return [{ kind: "disk", holder: `${holder.namespace}/${holder.name}`, disk: disk.id }];
  });
}

/** Claims that are missing or unbound, and volumes that this node cannot reach. */
export const volumeBinding: Filter = {
  plugin: "VolumeBinding",
  judge(situation) {
    if (situation.claims.length === 0) return nothing;
    const placed = placeDelayed(situation);
    return perClaim(situation, (state, claim, name) =>
      bindingObstacle(ownState(state), {
        claim,
        name,
        node: situation.node,
        placement: placed.get(claim),
      }),
    );
  },
  unknown: ({ pod, claims }) =>
    claims.length === 0
      ? nothing
      : claims.flatMap((state, claim) =>
          untold(ownState(state), pod.claims[claim]?.claimName ?? ""),
        ),
};

/** Volumes whose zone is not the node's, and volumes that do not exist: this filter looks them up before any node. */
export const volumeZone: Filter = {
  plugin: "VolumeZone",
  judge: (situation) =>
    situation.claims.length === 0
      ? nothing
      : perClaim(situation, (state, claim, name) =>
          zoneObstacle(ownState(state), { claim, name, node: situation.node }),
        ),
  unknown: () => nothing,
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

/** Without the volume of a claim nobody knows from which nodes it can be reached. */
function untold(state: ClaimState, name: string): string[] {
  if (state.kind === "unknown") return [state.what];
  return state.kind === "bound" && state.volume === undefined
    ? [`the volume to which the claim ${name} is bound`]
    : [];
}

/** What stands with the claim itself, whoever else uses it. */
function ownState(state: ClaimState): ClaimState {
  return state.kind === "in-use" ? state.afterwards : state;
}

interface BindingContext {
  readonly claim: number;
  readonly name: string;
  readonly node: Node;
  readonly placement: Placement | undefined;
}

function bindingObstacle(
  state: ClaimState,
  { claim, name, node, placement }: BindingContext,
): Obstacle | undefined {
  switch (state.kind) {
    case "missing":
      return { kind: "claim-missing", claim, name, isEphemeral: state.isEphemeral };
    case "lost":
      return { kind: "claim-lost", claim, name, volume: state.volume };
    case "deleting":
      return { kind: "claim-deleting", claim, name };
    case "foreign":
      return { kind: "claim-foreign", claim, name, reason: state.reason };
    case "unbound":
      return { kind: "claim-unbound", claim, name, why: state.why };
    case "bound": {
      const { volume } = state;
      const isReachable = volume === undefined || isUsableFrom(volume, node);
      return isReachable
        ? undefined
        : { kind: "volume-elsewhere", claim, name, volume: volume.name };
    }
    case "delayed":
      if (placement === "full")
        return { kind: "volume-space", claim, name, className: state.className };
      return placement === "none"
        ? { kind: "volume-unavailable", claim, name, why: state.why }
        : undefined;
    case "in-use":
    case "usable":
    case "unknown":
    case "volume-gone":
      return undefined;
  }
}

/** What a claim that waits for its pod finds on a node. */
type Placement = "volume" | "made" | "full" | "none";

/**
 * Claims that wait for their pod take free volumes that the node reaches, the smallest claim first and each the
 * smallest volume; for those that find none a volume is made, where that can be.
 */
function placeDelayed({ claims, node }: Situation): ReadonlyMap<number, Placement> {
  const delayed = claims.flatMap((item, claim) => {
    const state = ownState(item);
    return state.kind === "delayed" ? [{ state, claim }] : [];
  });
  const taken = new Set<string>();
  const placed = new Map<number, Placement>();
  for (const { state, claim } of delayed.sort(bySize)) {
    const volume = state.volumes.find((item) => !taken.has(item.name) && isUsableFrom(item, node));
    if (volume !== undefined) taken.add(volume.name);
    placed.set(claim, volume === undefined ? makeOn(state, node) : "volume");
  }
  return placed;
}

type Delayed = Extract<ClaimState, { kind: "delayed" }>;

function bySize(left: { state: Delayed }, right: { state: Delayed }): number {
  return left.state.size < right.state.size ? -1 : Number(left.state.size > right.state.size);
}

function makeOn(state: Delayed, node: Node): Placement {
  if (state.provisionedIn === undefined) return "none";
  if (state.selectedNode !== undefined && state.selectedNode !== node.name) return "none";
  const isAllowed =
    state.provisionedIn.length === 0 || state.provisionedIn.some((term) => matchesTerm(term, node));
  if (!isAllowed) return "none";
  const hasRoom =
    state.capacities === undefined ||
    state.capacities.some(
      ({ topology, sizeMax }) => sizeMax >= state.size && selects(topology, node),
    );
  return hasRoom ? "made" : "full";
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
  if (state.kind === "volume-gone")
    return { kind: "volume-gone", claim, name, volume: state.volume };
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
