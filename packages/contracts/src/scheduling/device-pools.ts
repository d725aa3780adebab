/** The devices that resource slices publish. */

import type { KubernetesObject } from "../model/evidence.ts";
import {
  fieldsAt,
  integerAt,
  isPresentAt,
  isTrueAt,
  listAt,
  textAt,
} from "../kubernetes/fields.ts";
import type { Objects } from "../kubernetes/objects.ts";
import { matchesTerm, readTerms, type Term } from "../kubernetes/selector.ts";
import type { DeviceFacts } from "./device-expression.ts";
import type { Node, Taint } from "./node.ts";

/** From which nodes something can be reached. */
interface Reach {
  readonly nodeName: string | undefined;
  /** Terms of which a node must match one; absent when a node is named, or all nodes reach it. */
  readonly terms: readonly Term[] | undefined;
  readonly isEverywhere: boolean;
}

/** One device. */
export interface Device extends DeviceFacts {
  readonly reach: readonly Reach[];
  /** A claim holds it. */
  readonly isHeld: boolean;
  /** Several claims may hold it side by side. */
  readonly isShared: boolean;
  /** What a request must tolerate to get it. */
  readonly taints: readonly Taint[];
  /** It shares what it is made of, or its pool is not whole: whether it can be had is not certain. */
  readonly isIntricate: boolean;
}

/** The devices of all pools, each in its newest generation. */
export function readDevices(objects: Objects): Device[] {
  const held = heldDevices(objects);
  const slices = objects.of("ResourceSlice").map(({ object }) => object);
  const pools = Map.groupBy(slices, poolOf);
  return [...pools.values()].flatMap((pool) => {
    // A pool that was published anew leaves older slices behind for a while.
    const newest = Math.max(...pool.map(generationOf));
    const current = pool.filter((slice) => generationOf(slice) === newest);
    const count = integerAt(current[0], "spec", "pool", "resourceSliceCount");
    const isWhole = count === undefined || count <= current.length;
    return current.flatMap((slice) => devicesOf(slice, { held, isWhole }));
  });
}

/** Whether a device can be reached from a node. */
export function reaches({ reach }: Device, node: Node): boolean {
  return reach.every(({ nodeName, terms, isEverywhere }) => {
    if (isEverywhere) return true;
    if (nodeName !== undefined) return nodeName === node.name;
    return terms?.some((term) => matchesTerm(term, node)) ?? false;
  });
}

function heldDevices(objects: Objects): ReadonlySet<string> {
  return new Set(
    objects
      .of("ResourceClaim")
      .flatMap(({ object }) => listAt(object, "status", "allocation", "devices", "results"))
      .filter((result) => !isTrueAt(result, "adminAccess"))
      .map((result) =>
        keyOf(textAt(result, "driver"), textAt(result, "pool"), textAt(result, "device")),
      ),
  );
}

function poolOf(slice: KubernetesObject): string {
  return keyOf(textAt(slice, "spec", "driver"), textAt(slice, "spec", "pool", "name"));
}

function generationOf(slice: KubernetesObject): number {
  return integerAt(slice, "spec", "pool", "generation") ?? 0;
}

function devicesOf(
  slice: KubernetesObject,
  { held, isWhole }: { readonly held: ReadonlySet<string>; readonly isWhole: boolean },
): Device[] {
  const driver = textAt(slice, "spec", "driver") ?? "";
  const isEach = isTrueAt(slice, "spec", "perDeviceNodeSelection");
  const ofSlice = isEach ? [] : [reachOf(fieldsAt(slice, "spec"))];
  return listAt(slice, "spec", "devices").map((item): Device => {
    const facts = isPresentAt(item, "basic") ? fieldsAt(item, "basic") : fieldsAt(item);
    const key = keyOf(driver, textAt(slice, "spec", "pool", "name"), textAt(item, "name"));
    return {
      driver,
      facts,
      reach: isEach ? [reachOf(facts)] : ofSlice,
      isHeld: held.has(key),
      isShared: isTrueAt(facts, "allowMultipleAllocations"),
      isIntricate:
        !isWhole ||
        isTrueAt(facts, "allowMultipleAllocations") ||
        isPresentAt(facts, "consumesCounters"),
      taints: listAt(facts, "taints").flatMap((taint) => {
        const effect = textAt(taint, "effect") ?? "";
        if (effect !== "NoSchedule" && effect !== "NoExecute") return [];
        return [{ key: textAt(taint, "key") ?? "", value: textAt(taint, "value") ?? "", effect }];
      }),
    };
  });
}

function reachOf(fields: unknown): Reach {
  const selector = fieldsAt(fields, "nodeSelector");
  return {
    nodeName: textAt(fields, "nodeName") || undefined,
    terms: isPresentAt(selector, "nodeSelectorTerms") ? readTerms(selector) : undefined,
    isEverywhere: isTrueAt(fields, "allNodes"),
  };
}

function keyOf(...parts: readonly (string | undefined)[]): string {
  return parts.map((part) => part ?? "").join("/");
}
