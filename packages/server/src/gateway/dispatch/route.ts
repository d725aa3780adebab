/** In which order the targets of a route are tried for one request. */

import { assert } from "#kernel/index.ts";

import { dispatchLimits } from "./limits.ts";
import type { FailureReason } from "./retry-policy.ts";

/** What a target is declared to be able to do. */
export interface Compatibility {
  /** Tokens of input and output together; `undefined` is not declared, and bounds nothing. */
  readonly contextTokenCountMax: number | undefined;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly jsonSchema: boolean;
  /** Safety policies under which it may be used. */
  readonly safetyPolicies: readonly string[];
}

/** What a request asks of its target. */
export interface RequestNeeds {
  /** An upper bound of input and output tokens. */
  readonly contextTokenCount: number;
  readonly tools: boolean;
  readonly vision: boolean;
  readonly jsonSchema: boolean;
  readonly safetyPolicy: string | undefined;
}

export type CandidateHealth =
  | "well"
  /** Taken out because it fails more often than its siblings: better than nothing. */
  | "ejected"
  /** Its breaker lets nothing through. */
  | "shut";

export interface RouteCandidate {
  /** Unique within the route. */
  readonly id: string;
  /** Its share among those of the same order; one of weight 0 is only for fallback. */
  readonly weight: number;
  /** Lower orders are tried first. */
  readonly order: number;
  /** Whether its condition holds for this request. */
  readonly eligible: boolean;
  readonly compatibility: Compatibility;
  readonly health: CandidateHealth;
}

/** Why a candidate is not in the sequence. */
export type Exclusion = "condition" | Incompatibility | "health";

export type Incompatibility =
  | "context-length"
  | "tools"
  | "vision"
  | "json-schema"
  | "safety-policy";

export interface RoutePlan<C extends RouteCandidate> {
  /** The first is the one to call, the others are its fallbacks in their order. */
  readonly sequence: readonly C[];
  readonly excluded: readonly { readonly candidate: C; readonly because: Exclusion }[];
}

/**
 * Plans the attempts of one request. The same `draw`, a number in [0, 1), gives the same order: pass a random one, or
 * the hash of what should stick to a target. Health does not change whom a draw stands for, so that a target that
 * recovers gets back the callers that stuck to it.
 */
export function planRoute<C extends RouteCandidate>(
  candidates: readonly C[],
  needs: RequestNeeds,
  draw: number,
): RoutePlan<C> {
  assert(candidates.length <= dispatchLimits.routeTargetCountMax, "a route has a bounded length");
  const excluded: { candidate: C; because: Exclusion }[] = [];
  const compatible: C[] = [];
  for (const candidate of candidates) {
    const because = candidate.eligible
      ? findIncompatibility(candidate.compatibility, needs)
      : "condition";
    if (because === undefined) compatible.push(candidate);
    else excluded.push({ candidate, because });
  }
  const well: C[] = [];
  const ejected: C[] = [];
  for (const candidate of orderByDraw(compatible, draw)) {
    if (candidate.health === "well") well.push(candidate);
    else if (candidate.health === "ejected") ejected.push(candidate);
    else excluded.push({ candidate, because: "health" });
  }
  return { sequence: [...well, ...ejected], excluded };
}

/** The first of the remaining candidates that can help after a failure for this reason. */
export function nextCandidate<C extends RouteCandidate>(
  remaining: readonly C[],
  failed: C,
  reason: FailureReason,
): C | undefined {
  if (reason !== "context-length") return remaining[0];
  const tooSmall = failed.compatibility.contextTokenCountMax;
  return remaining.find(({ compatibility }) => {
    const { contextTokenCountMax } = compatibility;
    // One of undeclared length may be as small as the one that failed.
    return contextTokenCountMax !== undefined && contextTokenCountMax > (tooSmall ?? 0);
  });
}

/** What of its needs a target cannot meet. */
export function findIncompatibility(
  can: Compatibility,
  needs: RequestNeeds,
): Incompatibility | undefined {
  const { contextTokenCountMax = Number.POSITIVE_INFINITY } = can;
  if (needs.contextTokenCount > contextTokenCountMax) return "context-length";
  if (needs.tools && !can.tools) return "tools";
  if (needs.vision && !can.vision) return "vision";
  if (needs.jsonSchema && !can.jsonSchema) return "json-schema";
  const { safetyPolicy } = needs;
  if (safetyPolicy !== undefined && !can.safetyPolicies.includes(safetyPolicy)) {
    return "safety-policy";
  }
  return undefined;
}

/** All of them: order by order, and within one by weight; those of weight 0 come last in theirs. */
function orderByDraw<C extends RouteCandidate>(candidates: readonly C[], draw: number): C[] {
  const ordered: C[] = [];
  const orders = [...new Set(candidates.map(({ order }) => order))].sort((a, b) => a - b);
  let own = draw;
  for (const order of orders) {
    const left = candidates.filter((candidate) => candidate.order === order);
    while (left.length > 0) {
      const index = pickByWeight(left, own);
      ordered.push(...left.splice(index, 1));
      // What follows must not depend on the draw before, or all callers of a target would fall back to one other.
      own = mix(own);
    }
  }
  return ordered;
}

function pickByWeight(candidates: readonly RouteCandidate[], draw: number): number {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) return 0;
  let rest = draw * total;
  let last = 0;
  for (const [index, { weight }] of candidates.entries()) {
    if (weight === 0) continue;
    if (rest < weight) return index;
    rest -= weight;
    last = index;
  }
  // Only rounding leads here: the sum of the weights was reached.
  return last;
}

const range = 2 ** 32;

/** Another number in [0, 1) that looks independent of the first: the finaliser of MurmurHash3 on its bits. */
function mix(draw: number): number {
  let bits = Math.floor(draw * range) ^ 0x9e37_79b9;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85eb_ca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2_ae35);
  return ((bits ^ (bits >>> 16)) >>> 0) / range;
}
