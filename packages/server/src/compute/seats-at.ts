/** The seats of a job that ran before a restart. */

import type { Placement } from "./decision.ts";
import type { JobShape } from "./job-shape.ts";
import type { Lane } from "./lane.ts";
import { membersThatFit, type Seat } from "./node-state.ts";

/** `undefined` when a node is gone or has no place for its members any more. */
export function seatsAt(
  lane: Lane,
  shape: JobShape,
  placement: readonly Placement[],
): Seat[] | undefined {
  const states = new Map(
    lane.regions.flatMap(({ nodes }) => nodes.map((state) => [state.node.id, state] as const)),
  );
  const seats: Seat[] = [];
  let memberCount = 0;
  for (const part of placement) {
    const state = states.get(part.nodeId);
    if (state === undefined || membersThatFit(state, shape) < part.memberCount) return undefined;
    seats.push({ state, memberCount: part.memberCount });
    memberCount += part.memberCount;
  }
  return memberCount === shape.memberCount ? seats : undefined;
}
