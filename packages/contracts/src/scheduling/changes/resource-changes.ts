/** Changes for nodes that have too little left: resources, pods, ports. */

import { conflicts, nodePorts } from "../filters/node-ports.ts";
import { nodeResources } from "../filters/node-resources.ts";
import type { Situation } from "../filters/filter.ts";
import type { Obstacle } from "../obstacle.ts";
import { hostnameKey, type NodeFact } from "../node.ts";
import type { HostPort } from "../pod.ts";
import { formatAmount } from "../../kubernetes/quantity.ts";
import { type Change, costs } from "./change.ts";

type Shortage = Extract<Obstacle, { kind: "resource" }>;

const portMax = 65_535;

/** For resources that are short: one edit of the pod's requests, room made on the node, or a larger node. */
export function shortageChanges(shortages: readonly Shortage[], situation: Situation): Change[] {
  const { node } = situation;
  const lower = lowerRequests(shortages, situation);
  const isRoomy = shortages.every(({ requested, allocatable }) => requested <= allocatable);
  const missing = shortages
    .map(
      ({ resource, requested, used, allocatable }) =>
        `${resource} ${formatAmount(resource, requested - (allocatable - used))}`,
    )
    .join(" and ");
  const free: Change = {
    key: `free capacity ${node.name}`,
    place: `capacity ${node.name}`,
    cost: costs.freeCapacity,
    description: `free ${missing} on node ${node.name} by moving or stopping pods`,
    touches: "node",
    apply: (before) => withRoom(before, false),
  };
  return [
    ...(lower === undefined ? [] : [lower]),
    ...(isRoomy ? [free] : []),
    addCapacity(situation),
  ];
}

/** For a node that runs as many pods as it may. */
export function podCountChanges(situation: Situation): Change[] {
  const { name } = situation.node;
  return [
    {
      key: `free slot ${name}`,
      place: `slot ${name}`,
      cost: costs.freePodSlot,
      description: `move or stop one pod on node ${name}, which runs as many as it may`,
      touches: "node",
      apply: (before) => ({
        ...before,
        node: { ...before.node, podCount: (before.node.podCountMax ?? 1n) - 1n },
      }),
    },
    addCapacity(situation),
  ];
}

/** For a host port that another pod holds. */
export function portChanges(port: HostPort, holder: string, situation: Situation): Change[] {
  const text = `${port.port}/${port.protocol}`;
  const other = freePort(port, situation);
  const replace =
    (replacement: HostPort | undefined): Change["apply"] =>
    (before) => ({
      ...before,
      pod: {
        ...before.pod,
        hostPorts: before.pod.hostPorts.flatMap((item) => {
          if (
            item.port !== port.port ||
            item.protocol !== port.protocol ||
            item.hostIP !== port.hostIP
          )
            return [item];
          return replacement === undefined ? [] : [replacement];
        }),
      },
    });
  const changes: Change[] = [
    {
      key: `drop port ${text} ${port.hostIP}`,
      place: `port ${text} ${port.hostIP}`,
      cost: costs.dropHostPort,
      description: `remove host port ${text} from the pod`,
      touches: "pod",
      apply: replace(undefined),
    },
    {
      key: `free port ${situation.node.name} ${text} ${holder}`,
      place: `held port ${situation.node.name} ${text}`,
      cost: costs.freeHostPort,
      description: `move or stop ${holder}, which holds host port ${text} on node ${situation.node.name}`,
      touches: "node",
      apply: (before) => ({
        ...before,
        node: {
          ...before.node,
          heldPorts: before.node.heldPorts.filter((held) => !conflicts(port, held)),
        },
      }),
    },
    addCapacity(situation),
  ];
  if (other !== undefined) {
    changes.push({
      key: `port ${text} ${port.hostIP} to ${other}`,
      place: `port ${text} ${port.hostIP}`,
      cost: costs.changeHostPort,
      description: `change host port ${text} of the pod to ${other}`,
      touches: "pod",
      apply: replace({ ...port, port: other }),
    });
  }
  return changes;
}

/** For a fence around a node that lacks room as well: another node leaves both behind. */
export function roomierNodeChanges(situation: Situation): Change[] {
  const isFull = [nodeResources, nodePorts].some((filter) => filter.judge(situation).length > 0);
  return isFull ? [addCapacity(situation)] : [];
}

/** What it costs to lower the requests to what is free; nothing when one of them would have to go. */
export function loweringCost(shortages: readonly Shortage[]): number | undefined {
  let quarter = 0;
  for (const { requested, used, allocatable } of shortages) {
    const free = allocatable - used;
    if (free <= 0n) return undefined;
    quarter = Math.max(quarter, Math.min(3, Number(((requested - free) * 4n) / requested)));
  }
  return costs.lowerRequests + costs.lowerRequestsPerQuarter * quarter;
}

/** One edit that lowers every request that is short to what is free; a request is never lowered to nothing. */
function lowerRequests(shortages: readonly Shortage[], { node }: Situation): Change | undefined {
  const cost = loweringCost(shortages);
  if (cost === undefined) return undefined;
  const targets = shortages.map(({ resource, requested, used, allocatable }) => ({
    resource,
    from: requested,
    to: allocatable - used,
  }));
  const list = (which: "from" | "to"): string =>
    targets
      .map((target) => `${target.resource} ${formatAmount(target.resource, target[which])}`)
      .join(" and ");
  return {
    key: `lower ${list("to")}`,
    place: "requests",
    cost,
    description: `lower the pod's requests from ${list("from")} to at most ${list("to")}, which is free on node ${node.name}`,
    touches: "pod",
    apply: (before) => ({
      ...before,
      pod: {
        ...before.pod,
        requests: new Map([
          ...before.pod.requests,
          ...targets.map(({ resource, to }) => [resource, to] as const),
        ]),
      },
    }),
  };
}

/** A further node like this one, empty and large enough; what fences this one off stays with it. */
export function addCapacity({ node, pod }: Situation): Change {
  const asked = [...pod.requests]
    .filter(([, amount]) => amount > 0n)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([resource, amount]) => `${resource} ${formatAmount(resource, amount)}`);
  const size = asked.length === 0 ? "room for a pod" : asked.join(", ");
  return {
    key: `add node like ${node.name}`,
    place: `node ${node.name}`,
    cost: costs.addCapacity,
    description: `add a node like ${node.name}${node.taints.length === 0 ? "" : ", but without its taints,"} with ${size} free`,
    touches: "node",
    makesNode: true,
    apply: (before) => withRoom(before, true),
  };
}

function withRoom(situation: Situation, isNew: boolean): Situation {
  const { node, pod } = situation;
  const used = new Map(node.used);
  const allocatable = new Map(node.allocatable);
  for (const [resource, amount] of pod.requests) {
    if (isNew) {
      const offered = allocatable.get(resource) ?? 0n;
      allocatable.set(resource, offered > amount ? offered : amount);
      used.set(resource, 0n);
      continue;
    }
    const room = (allocatable.get(resource) ?? 0n) - amount;
    if ((used.get(resource) ?? 0n) > room) used.set(resource, room);
  }
  if (!isNew) return { ...situation, node: { ...node, used } };
  const podCountMax = node.podCountMax === 0n ? 1n : node.podCountMax;
  return {
    ...situation,
    // It stands beside the node that it is like, under a name of its own.
    original: undefined,
    node: {
      ...node,
      labels: renamed(node.labels),
      isUnschedulable: false,
      taints: [],
      allocatable,
      used,
      podCount: 0n,
      podCountMax,
      heldPorts: [],
      pods: [],
      unknown: node.unknown.difference(new Set<NodeFact>(["taints", "used", "room"])),
    },
  };
}

/** The labels of a new node like this one: all but its own name are the same. */
function renamed(labels: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const hostname = labels.get(hostnameKey);
  return hostname === undefined ? labels : new Map([...labels, [hostnameKey, `new ${hostname}`]]);
}

/** The next port above that neither the node nor the pod uses. */
function freePort(port: HostPort, { node, pod }: Situation): number | undefined {
  const taken = [...node.heldPorts, ...pod.hostPorts];
  for (let candidate = port.port + 1; candidate <= portMax; candidate += 1) {
    if (!taken.some((other) => conflicts({ ...port, port: candidate }, other))) return candidate;
  }
  return undefined;
}
