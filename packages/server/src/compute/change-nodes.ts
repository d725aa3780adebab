/** Takes over which nodes there are. */

import { assert } from "#kernel/index.ts";

import type { AllocatorState } from "./allocator-state.ts";
import type { ComputeNode } from "./capacity.ts";
import type { Decision } from "./decision.ts";
import type { JobRecord } from "./job-record.ts";
import type { Lane } from "./lane.ts";
import { nodeCountMax, nodeDeviceCountMax } from "./limits.ts";
import { emptyNode, type NodeState } from "./node-state.ts";
import { updateShare } from "./tenant-state.ts";

/** Jobs on nodes that are gone or have changed are lost. Node ids are unique. */
export function changeNodes(
  state: AllocatorState,
  nodes: readonly ComputeNode[],
  nowMs: number,
): Decision[] {
  assert(nodes.length <= nodeCountMax, "the provider keeps to the limit of nodes");
  assert(new Set(nodes.map(({ id }) => id)).size === nodes.length, "node ids are unique");
  assert(
    nodes.every(({ deviceCount }) => deviceCount <= nodeDeviceCountMax),
    "the provider keeps to the limit of devices",
  );
  const byKind = Map.groupBy(nodes, ({ deviceKind }) => deviceKind);
  for (const deviceKind of byKind.keys()) state.laneOf(deviceKind);

  const decisions: Decision[] = [];
  for (const lane of state.lanes.values()) {
    const change = compareNodes(lane, byKind.get(lane.deviceKind) ?? []);
    if (!change.isAny) continue;
    for (const job of lane.running.filter((running) => standsOn(running, change.gone))) {
      const { run, request } = job;
      assert(run !== undefined, "a running job has a run");
      state.stop(job, nowMs);
      decisions.push({
        kind: "lost",
        jobId: request.id,
        tenantId: request.tenantId,
        nodeId: run.seats.find((seat) => change.gone.has(seat.state))?.state.node.id ?? "",
        unusedMs: Math.max(0, run.endsAtMs - nowMs),
      });
    }
    lane.setNodes(change.states);
    // What was promised counted on nodes that may be gone.
    state.dropHead(lane);
    for (const tenant of state.tenants.values()) updateShare(tenant, lane.deviceKind, lane.total);
  }
  return decisions;
}

interface NodeChange {
  readonly isAny: boolean;
  readonly states: readonly NodeState[];
  readonly gone: ReadonlySet<NodeState>;
}

function compareNodes(lane: Lane, nodes: readonly ComputeNode[]): NodeChange {
  const known = new Map(
    lane.regions.flatMap((region) => region.nodes.map((state) => [state.node.id, state])),
  );
  let keptCount = 0;
  const states = nodes.map((node) => {
    const state = known.get(node.id);
    if (state === undefined || !isSame(state.node, node)) return emptyNode(node);
    known.delete(node.id);
    keptCount += 1;
    return state;
  });
  return {
    isAny: known.size > 0 || keptCount < nodes.length,
    states,
    gone: new Set(known.values()),
  };
}

function isSame(left: ComputeNode, right: ComputeNode): boolean {
  return (
    left.region === right.region &&
    left.deviceCount === right.deviceCount &&
    left.cpuCores === right.cpuCores &&
    left.memoryGigabytes === right.memoryGigabytes
  );
}

function standsOn({ run }: JobRecord, gone: ReadonlySet<NodeState>): boolean {
  return run?.seats.some(({ state }) => gone.has(state)) ?? false;
}
