/** Changes for device claims and for volumes that a node has no place for. */

import type { DeviceState } from "../devices.ts";
import type { Situation } from "../filters/filter.ts";
import type { DeviceObstacle, Obstacle } from "../obstacle.ts";
import { type Change, costs } from "./change.ts";
import { addCapacity } from "./resource-changes.ts";

const usable: DeviceState = { kind: "usable" };

/** The changes that let the pod have its devices on the node. */
export function deviceChanges(obstacle: DeviceObstacle, { node }: Situation): Change[] {
  switch (obstacle.kind) {
    case "device-refused":
      return [
        deviceChange(obstacle.device, {
          key: `provide ${obstacle.name}`,
          cost: costs.createClaim,
          description: `see to the device claim ${obstacle.name}: ${obstacle.why}`,
        }),
      ];
    case "device-elsewhere":
      return [
        deviceChange(obstacle.device, {
          key: `reallocate ${obstacle.name} ${node.name}`,
          cost: costs.stopPod,
          description: `stop the pods that use the device claim ${obstacle.name}, so that it is allocated anew`,
        }),
      ];
    case "devices-lacking": {
      const { driver, wanted, available } = obstacle;
      const what = driver === undefined ? "devices" : `devices of ${driver}`;
      return [
        {
          key: `free devices ${node.name}`,
          place: `devices ${node.name}`,
          cost: costs.freeCapacity,
          description: `free ${wanted - available} ${what} on node ${node.name} by stopping pods that hold them, or add devices`,
          touches: "node",
          apply: (before) => ({ ...before, devices: before.devices.map(served) }),
        },
      ];
    }
  }
}

/** What is wanted as it is once there are devices for it. */
function served(state: DeviceState): DeviceState {
  if (state.kind !== "wanted") return state;
  const resources = state.requests.flatMap(({ resource }) => resource ?? []);
  return resources.length === 0 ? usable : { kind: "usable", resources: new Set(resources) };
}

function deviceChange(
  device: number,
  { key, cost, description }: { key: string; cost: number; description: string },
): Change {
  return {
    key: `device ${device} ${key}`,
    place: `device ${device}`,
    cost,
    description,
    touches: "storage",
    apply: (before) => ({ ...before, devices: before.devices.with(device, usable) }),
  };
}

/** For a node that takes no more volumes of a driver. */
export function volumeCountChanges(
  { driver, used, wanted, max }: Extract<Obstacle, { kind: "volume-count" }>,
  situation: Situation,
): Change[] {
  const { name } = situation.node;
  const excess = used + wanted - max;
  return [
    {
      key: `free volumes ${name} ${driver}`,
      place: `volumes ${name} ${driver}`,
      cost: costs.freeCapacity,
      description: `free ${excess} volumes of ${driver} on node ${name} by moving or stopping pods`,
      touches: "node",
      apply: (before) => ({
        ...before,
        node: {
          ...before.node,
          volumeCountMax: new Map([...before.node.volumeCountMax, [driver, max + excess]]),
        },
      }),
    },
    addCapacity(situation),
  ];
}
