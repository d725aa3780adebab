/** How many replicas of one pod the nodes can take, where its own rules set a bound. */

import type { Neighbours } from "./neighbours.ts";
import type { Node } from "./node.ts";
import type { Pod } from "./pod.ts";
import { spreadRooms } from "./spread-counts.ts";

/** An upper bound of the replicas that find a node. */
export interface Room {
  readonly count: number;
  /** A clause that says what bounds them. */
  readonly because: string;
  /** The change of the pod that lifts the bound, without a full stop. */
  readonly relief: string;
}

/**
 * The tightest bound, by the nodes on which nothing certain stands in the way of one pod; nothing where no rule of the
 * pod concerns its own replicas, or where replicas of it run already, which a new release takes the place of.
 */
export function roomFor(pod: Pod, open: readonly Node[], neighbours: Neighbours): Room | undefined {
  if (pod.hasStatus || open.length === 0 || runsAlready(pod, neighbours)) return undefined;
  const rooms = [
    ...portRooms(pod, open),
    ...repulsionRooms(pod, open, neighbours),
    ...spreadRooms(pod, open, neighbours).map(({ topologyKey, count, blocked }): Room => ({
      count,
      because: `its topology spread over ${topologyKey} lets no domain have more than maxSkew above the least, and ${blocked}`,
      relief: `set whenUnsatisfiable of the constraint on ${topologyKey} to ScheduleAnyway, or its nodeTaintsPolicy to Honor`,
    })),
  ];
  return rooms.sort((left, right) => left.count - right.count)[0];
}

function runsAlready({ namespace, labels }: Pod, neighbours: Neighbours): boolean {
  return neighbours
    .inNamespace(namespace)
    .some(({ pod }) => [...labels].every(([key, value]) => pod.labels.get(key) === value));
}

/** A port of the node can be taken once. */
function portRooms({ hostPorts }: Pod, open: readonly Node[]): Room[] {
  const [first] = hostPorts;
  if (first === undefined) return [];
  return [
    {
      count: open.length,
      because: `each takes host port ${first.port} of its node`,
      relief: "leave out hostPort and reach the pods through a Service",
    },
  ];
}

/** Pods that repel each other stand alone in their domain; a node without the key of the topology repels nobody. */
function repulsionRooms(pod: Pod, open: readonly Node[], neighbours: Neighbours): Room[] {
  return pod.antiAffinityTerms.flatMap((term): Room[] => {
    if (neighbours.means(term, pod) !== true) return [];
    const values = open.map((node) => node.labels.get(term.topologyKey));
    if (values.includes(undefined)) return [];
    return [
      {
        count: new Set(values).size,
        because: `its required anti-affinity lets one into each ${term.topologyKey}`,
        relief: "make the anti-affinity preferredDuringSchedulingIgnoredDuringExecution",
      },
    ];
  });
}
