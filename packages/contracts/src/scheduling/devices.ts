/** What becomes of a pod's device claims: allocated, to be allocated, missing, or not told by the evidence. */

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
import { readTerms, type Term } from "../kubernetes/selector.ts";
import type { DeviceUse, Pod } from "./pod.ts";

/** Devices of one driver on the nodes of a slice. */
export interface DevicePool {
  readonly driver: string;
  /** Keys of the devices that no claim holds. */
  readonly free: readonly string[];
  /** Some device shares what it is made of with others, or is tainted: counting alone does not tell. */
  readonly isIntricate: boolean;
  readonly nodeName: string | undefined;
  /** Terms of which a node must match one; absent when the slice names its node, or serves all. */
  readonly terms: readonly Term[] | undefined;
  readonly isEverywhere: boolean;
}

/** So many devices of the drivers that come into question. */
export interface DeviceRequest {
  readonly name: string;
  readonly count: number;
  /** Absent when any driver may serve it. */
  readonly driver: string | undefined;
  /** What of the request is not judged here, such as an expression over attributes. */
  readonly unjudged: readonly string[];
}

export type DeviceState =
  | { readonly kind: "usable" }
  | { readonly kind: "refused"; readonly reason: string; readonly why: string }
  | { readonly kind: "allocated"; readonly terms: readonly Term[] | undefined }
  | { readonly kind: "wanted"; readonly requests: readonly DeviceRequest[] }
  | { readonly kind: "unknown"; readonly what: string };

/** How many pods may share one allocated claim. */
const consumerCountMax = 256;

/** The device objects of a cluster. */
export class Devices {
  readonly pools: readonly DevicePool[];
  readonly #objects: Objects;

  constructor(objects: Objects) {
    this.#objects = objects;
    this.pools = readPools(objects);
  }

  /** Whether the evidence tells which devices there are. */
  get arePoolsKnown(): boolean {
    return this.#objects.has("ResourceSlice");
  }

  /** The states of a pod's device claims, in the order of `pod.deviceClaims`. */
  statesOf(pod: Pod): DeviceState[] {
    return pod.deviceClaims.map((use) => this.#stateOf(pod, use));
  }

  #stateOf(pod: Pod, use: DeviceUse): DeviceState {
    const { claimName, templateName } = use;
    if (claimName === undefined) return this.#templateState(pod, use);
    const source = this.#objects.get("ResourceClaim", pod.namespace, claimName);
    if (source === undefined) {
      if (!this.#objects.has("ResourceClaim"))
        return { kind: "unknown", what: `the resource claim ${pod.namespace}/${claimName}` };
      return refused(
        `resourceclaim "${claimName}" not found`,
        `the resource claim ${claimName} does not exist`,
      );
    }
    const claim = source.object;
    if (isPresentAt(claim, "metadata", "deletionTimestamp")) {
      return refused(
        `resourceclaim "${claimName}" is being deleted`,
        `the resource claim ${claimName} is being deleted`,
      );
    }
    if (templateName !== undefined && !isOwnedBy(claim, pod)) {
      return refused(
        `ResourceClaim ${pod.namespace}/${claimName} was not created for pod ${pod.namespace}/${pod.name} (pod is not owner)`,
        `the resource claim ${claimName} was made for another pod`,
      );
    }
    if (!isPresentAt(claim, "status", "allocation")) return this.#wanted(fieldsAt(claim, "spec"));
    const consumers = listAt(claim, "status", "reservedFor");
    const isOurs = consumers.some((item) => textAt(item, "name") === pod.name);
    if (consumers.length >= consumerCountMax && !isOurs)
      return refused(
        "resourceclaim in use",
        `the resource claim ${claimName} is used by as many pods as may share it`,
      );
    const selector = fieldsAt(claim, "status", "allocation", "nodeSelector");
    const terms = isPresentAt(selector, "nodeSelectorTerms") ? readTerms(selector) : undefined;
    return { kind: "allocated", terms };
  }

  /** A pod that the cluster knows has its claim made for it; a manifest is judged by the template. */
  #templateState(pod: Pod, { templateName }: DeviceUse): DeviceState {
    const template =
      templateName === undefined
        ? undefined
        : this.#objects.get("ResourceClaimTemplate", pod.namespace, templateName);
    if (templateName !== undefined && template === undefined) {
      if (!this.#objects.has("ResourceClaimTemplate"))
        return {
          kind: "unknown",
          what: `the resource claim template ${pod.namespace}/${templateName}`,
        };
      return refused(
        `pod "${pod.namespace}/${pod.name}": ResourceClaim not created yet`,
        `the resource claim template ${templateName} does not exist`,
      );
    }
    if (pod.hasStatus)
      return refused(
        `pod "${pod.namespace}/${pod.name}": ResourceClaim not created yet`,
        "its resource claim has not been made from the template",
      );
    return this.#wanted(fieldsAt(template?.object, "spec", "spec"));
  }

  #wanted(spec: unknown): DeviceState {
    const requests: DeviceRequest[] = [];
    for (const item of listAt(spec, "devices", "requests")) {
      const name = textAt(item, "name") ?? "";
      const alternatives = listAt(item, "firstAvailable");
      const exactly = isPresentAt(item, "exactly") ? fieldsAt(item, "exactly") : item;
      const asked = alternatives.length === 0 ? [exactly] : alternatives;
      for (const one of asked) {
        const className = textAt(one, "deviceClassName") ?? "";
        const qualified = alternatives.length === 0 ? name : `${name}/${textAt(one, "name") ?? ""}`;
        const isKnown = this.#objects.has("DeviceClass");
        const known = this.#objects.get("DeviceClass", "", className);
        if (!isKnown) return { kind: "unknown", what: `the device class ${className}` };
        if (known === undefined)
          return refused(
            `request ${qualified}: device class ${className} does not exist`,
            `the device class ${className} does not exist`,
          );
      }
      if (isTrueAt(exactly, "adminAccess")) continue;
      requests.push(this.#requestOf(name, exactly, alternatives.length > 0));
    }
    const constraints = listAt(spec, "devices", "constraints").length;
    if (constraints === 0) return { kind: "wanted", requests };
    const unjudged = ["the constraints between the devices of the claim"];
    return {
      kind: "wanted",
      requests: requests.map((item) => ({ ...item, unjudged: [...item.unjudged, ...unjudged] })),
    };
  }

  #requestOf(name: string, exactly: unknown, hasAlternatives: boolean): DeviceRequest {
    const className = textAt(exactly, "deviceClassName") ?? "";
    const deviceClass = this.#objects.get("DeviceClass", "", className)?.object;
    const expressions = [
      ...listAt(deviceClass, "spec", "selectors"),
      ...listAt(exactly, "selectors"),
    ].map((item) => textAt(item, "cel", "expression") ?? "");
    const drivers = expressions.map(driverOf);
    const isAll = textAt(exactly, "allocationMode") === "All";
    const open = expressions.filter((_text, index) => drivers[index] === undefined);
    return {
      name,
      count: hasAlternatives ? 1 : isAll ? 1 : (integerAt(exactly, "count") ?? 1),
      driver: hasAlternatives ? undefined : drivers.find((driver) => driver !== undefined),
      unjudged: [
        ...open.map((text) => `whether devices match ${text.slice(0, 120)}`),
        ...(hasAlternatives ? [`the alternatives of request ${name}`] : []),
        ...(isAll ? [`all devices of request ${name}`] : []),
        ...(isPresentAt(exactly, "capacity") ? [`the capacity that request ${name} asks for`] : []),
      ],
    };
  }
}

/** The driver in the usual expression of a class, `device.driver == "gpu.example.com"`. */
function driverOf(expression: string): string | undefined {
  return /^\s*device\.driver\s*==\s*["']([^"']+)["']\s*$/.exec(expression)?.[1];
}

function refused(reason: string, why: string): DeviceState {
  return { kind: "refused", reason, why };
}

function isOwnedBy(claim: KubernetesObject, pod: Pod): boolean {
  const owners = listAt(claim, "metadata", "ownerReferences");
  const uid = textAt(pod.source.object, "metadata", "uid");
  if (owners.length === 0 || uid === undefined) return true;
  return owners.some((owner) => textAt(owner, "uid") === uid);
}

function readPools(objects: Objects): DevicePool[] {
  const held = new Set(
    objects
      .of("ResourceClaim")
      .flatMap(({ object }) => listAt(object, "status", "allocation", "devices", "results"))
      .filter((result) => !isTrueAt(result, "adminAccess"))
      .map((result) =>
        keyOf(textAt(result, "driver"), textAt(result, "pool"), textAt(result, "device")),
      ),
  );
  const slices = objects.of("ResourceSlice").map(({ object }) => object);
  const newest = new Map<string, number>();
  const poolOf = (slice: KubernetesObject): string =>
    `${textAt(slice, "spec", "driver") ?? ""}/${textAt(slice, "spec", "pool", "name") ?? ""}`;
  const generationOf = (slice: KubernetesObject): number =>
    integerAt(slice, "spec", "pool", "generation") ?? 0;
  for (const slice of slices) {
    newest.set(poolOf(slice), Math.max(newest.get(poolOf(slice)) ?? 0, generationOf(slice)));
  }
  return (
    slices
      // A pool that was published anew leaves older slices behind for a while.
      .filter((slice) => generationOf(slice) === newest.get(poolOf(slice)))
      .map((slice) => readPool(slice, held))
  );
}

function readPool(slice: KubernetesObject, held: ReadonlySet<string>): DevicePool {
  const driver = textAt(slice, "spec", "driver") ?? "";
  const pool = textAt(slice, "spec", "pool", "name");
  const devices = listAt(slice, "spec", "devices");
  const selector = fieldsAt(slice, "spec", "nodeSelector");
  return {
    driver,
    free: devices
      .map((device) => keyOf(driver, pool, textAt(device, "name")))
      .filter((key) => !held.has(key)),
    isIntricate: devices.some((device) => {
      const facts = isPresentAt(device, "basic") ? fieldsAt(device, "basic") : device;
      return (
        ["consumesCounters", "nodeName", "nodeSelector", "allowMultipleAllocations"].some((field) =>
          isPresentAt(facts, field),
        ) || listAt(facts, "taints").length > 0
      );
    }),
    nodeName: textAt(slice, "spec", "nodeName") || undefined,
    terms: isPresentAt(selector, "nodeSelectorTerms") ? readTerms(selector) : undefined,
    isEverywhere:
      isTrueAt(slice, "spec", "allNodes") || isTrueAt(slice, "spec", "perDeviceNodeSelection"),
  };
}

function keyOf(...parts: readonly (string | undefined)[]): string {
  return parts.map((part) => part ?? "").join("/");
}
