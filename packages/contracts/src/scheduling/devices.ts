/** What becomes of a pod's device claims: allocated, to be allocated, missing, or not told by the evidence. */

import type { KubernetesObject } from "../model/evidence.ts";
import {
  fieldsAt,
  integerAt,
  isPresentAt,
  isTrueAt,
  listAt,
  textAt,
  textListAt,
} from "../kubernetes/fields.ts";
import type { Objects } from "../kubernetes/objects.ts";
import { readTerms, type Term } from "../kubernetes/selector.ts";
import { type Device, readDevices } from "./device-pools.ts";
import { type DeviceUse, type Pod, readTolerations, type Toleration } from "./pod.ts";

/** What one alternative of a request asks for. */
export interface DeviceAsk {
  readonly count: number;
  /** Every device that matches, rather than so many. */
  readonly isAll: boolean;
  /** Taints of devices that it takes. */
  readonly tolerations: readonly Toleration[];
  /** Expressions that a device must match. */
  readonly expressions: readonly string[];
  /** The driver that the expressions name, where they are of one. */
  readonly driver: string | undefined;
  /** What of it is not judged here. */
  readonly vague: readonly string[];
  readonly isVague: boolean;
}

/** Devices that a claim, or a container by the name of a resource, asks for. */
export interface DeviceRequest {
  readonly name: string;
  /** The place of its claim; requests of different claims have nothing to do with one another. */
  readonly claim: number;
  /** The first that can be served is taken. */
  readonly alternatives: readonly DeviceAsk[];
  /** The resource that containers ask for by its name, where a device class stands in for nodes that lack it. */
  readonly resource: string | undefined;
}

/** Devices of some requests of one claim that must have the same value of an attribute. */
export interface SharedAttribute {
  readonly claim: number;
  /** Empty means all requests of the claim. */
  readonly requests: readonly string[];
  readonly attribute: string;
}

/** What claims want together. */
export interface WantedDevices {
  readonly requests: readonly DeviceRequest[];
  readonly shared: readonly SharedAttribute[];
  /** What of the claims is not judged here. */
  readonly unjudged: readonly string[];
}

export type DeviceState =
  | {
      readonly kind: "usable";
      /** Resources that its devices stand in for. */
      readonly resources?: ReadonlySet<string>;
    }
  | { readonly kind: "refused"; readonly reason: string; readonly why: string }
  | {
      readonly kind: "allocated";
      /** Terms of which a node must match one; absent when all nodes reach the devices. */
      readonly terms: readonly Term[] | undefined;
      readonly isUsedByOthers: boolean;
    }
  | ({ readonly kind: "wanted" } & WantedDevices)
  | { readonly kind: "unknown"; readonly what: string };

/** How many pods may share one allocated claim. */
const consumerCountMax = 256;

/** The device objects of a cluster. */
export class Devices {
  readonly all: readonly Device[];
  readonly #objects: Objects;
  /** Device classes by the resource that containers may ask for instead. */
  readonly #classOfResource: ReadonlyMap<string, string>;

  constructor(objects: Objects) {
    this.#objects = objects;
    this.all = readDevices(objects);
    this.#classOfResource = new Map(
      objects.of("DeviceClass").flatMap(({ object }) => {
        const { name } = object.metadata;
        const resource = textAt(object, "spec", "extendedResourceName");
        const own: [string, string] = [`deviceclass.resource.kubernetes.io/${name}`, name];
        return resource === undefined ? [own] : [own, [resource, name] as const];
      }),
    );
  }

  /** Whether the evidence tells which devices there are. */
  get areKnown(): boolean {
    return this.#objects.has("ResourceSlice");
  }

  /** The states of a pod's device claims, in the order of `pod.deviceClaims`, and of what device classes stand in for. */
  statesOf(pod: Pod): DeviceState[] {
    const states = pod.deviceClaims.map((use, claim) => this.#stateOf(pod, use, claim));
    const requests = [...pod.requests].flatMap(([resource, amount]): DeviceRequest[] => {
      const className = this.#classOfResource.get(resource);
      if (className === undefined || amount <= 0n) return [];
      const asked = { deviceClassName: className, count: Number(amount) };
      const alternatives = [this.#askOf(resource, asked)];
      return [{ name: resource, claim: states.length, alternatives, resource }];
    });
    return requests.length === 0
      ? states
      : [...states, { kind: "wanted", requests, shared: [], unjudged: [] }];
  }

  #stateOf(pod: Pod, use: DeviceUse, claimPlace: number): DeviceState {
    const { claimName, templateName } = use;
    if (claimName === undefined) return this.#templateState(pod, use, claimPlace);
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
    if (!isPresentAt(claim, "status", "allocation"))
      return this.#wanted(fieldsAt(claim, "spec"), claimPlace);
    const consumers = listAt(claim, "status", "reservedFor");
    const isOurs = consumers.some((item) => textAt(item, "name") === pod.name);
    if (consumers.length >= consumerCountMax && !isOurs)
      return refused(
        "resourceclaim in use",
        `the resource claim ${claimName} is used by as many pods as may share it`,
      );
    const readiness = readinessOf(claim);
    const isUsedByOthers = consumers.length > (isOurs ? 1 : 0);
    // The scheduler takes such devices back, so that no node has them.
    if (readiness === "failed") return { kind: "allocated", terms: [], isUsedByOthers };
    if (readiness === "waiting")
      return {
        kind: "unknown",
        what: `whether the devices of the claim ${claimName} become ready`,
      };
    const selector = fieldsAt(claim, "status", "allocation", "nodeSelector");
    const terms = isPresentAt(selector, "nodeSelectorTerms") ? readTerms(selector) : undefined;
    return { kind: "allocated", terms, isUsedByOthers };
  }

  /** A pod that the cluster knows has its claim made for it; a manifest is judged by the template. */
  #templateState(pod: Pod, { templateName }: DeviceUse, claimPlace: number): DeviceState {
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
    return this.#wanted(fieldsAt(template?.object, "spec", "spec"), claimPlace);
  }

  #wanted(spec: unknown, claim: number): DeviceState {
    const requests: DeviceRequest[] = [];
    const isKnown = this.#objects.has("DeviceClass");
    for (const item of listAt(spec, "devices", "requests")) {
      const name = textAt(item, "name") ?? "";
      const choices = listAt(item, "firstAvailable");
      const exactly = isPresentAt(item, "exactly") ? fieldsAt(item, "exactly") : item;
      const asked = choices.length === 0 ? [exactly] : choices;
      for (const one of asked) {
        const className = textAt(one, "deviceClassName") ?? "";
        if (!isKnown) return { kind: "unknown", what: `the device class ${className}` };
        if (this.#objects.get("DeviceClass", "", className) !== undefined) continue;
        const qualified = choices.length === 0 ? name : `${name}/${textAt(one, "name") ?? ""}`;
        return refused(
          `request ${qualified}: device class ${className} does not exist`,
          `the device class ${className} does not exist`,
        );
      }
      if (isTrueAt(exactly, "adminAccess")) continue;
      const alternatives = asked.map((one) => this.#askOf(name, one));
      requests.push({ name, claim, alternatives, resource: undefined });
    }
    return { kind: "wanted", requests, ...constraintsOf(spec, claim) };
  }

  #askOf(name: string, asked: unknown): DeviceAsk {
    const className = textAt(asked, "deviceClassName") ?? "";
    const deviceClass = this.#objects.get("DeviceClass", "", className)?.object;
    const expressions = [
      ...listAt(deviceClass, "spec", "selectors"),
      ...listAt(asked, "selectors"),
    ].map((item) => textAt(item, "cel", "expression") ?? "");
    const vague = isPresentAt(asked, "capacity")
      ? [`the capacity that request ${name} asks for`]
      : [];
    return {
      count: integerAt(asked, "count") ?? 1,
      isAll: textAt(asked, "allocationMode") === "All",
      tolerations: readTolerations(listAt(asked, "tolerations")),
      expressions,
      driver: expressions.map(driverOf).find((driver) => driver !== undefined),
      vague,
      isVague: vague.length > 0,
    };
  }
}

/** Values that the devices of a claim must share; another rule is not judged. */
function constraintsOf(spec: unknown, claim: number): Omit<WantedDevices, "requests"> {
  const constraints = listAt(spec, "devices", "constraints");
  const shared = constraints.flatMap((item): SharedAttribute[] => {
    const attribute = textAt(item, "matchAttribute");
    // A rule about one alternative of a request is taken for one about the request where that is chosen.
    const requests = textListAt(item, "requests");
    return attribute === undefined || requests.some((name) => name.includes("/"))
      ? []
      : [{ claim, requests, attribute }];
  });
  const isJudged = shared.length === constraints.length;
  return { shared, unjudged: isJudged ? [] : ["the constraints between the devices of the claim"] };
}

/** The driver in the usual expression of a class, `device.driver == "gpu.example.com"`. */
function driverOf(expression: string): string | undefined {
  const found = /^\s*device\.driver\s*==\s*["']([^"']+)["']\s*(?:&&|$)/.exec(expression)?.[1];
  return found === undefined || expression.includes("||") ? undefined : found;
}

/** Whether allocated devices are ready, as far as their driver has to say so before the pod is bound. */
function readinessOf(claim: KubernetesObject): "ready" | "waiting" | "failed" {
  let readiness: "ready" | "waiting" = "ready";
  for (const result of listAt(claim, "status", "allocation", "devices", "results")) {
    const status = listAt(claim, "status", "devices").find((item) =>
      ["driver", "pool", "device"].every((field) => textAt(item, field) === textAt(result, field)),
    );
    const met = new Set(
      listAt(status, "conditions")
        .filter((item) => textAt(item, "status") === "True")
        .map((item) => textAt(item, "type")),
    );
    const isMet = (type: string): boolean => met.has(type);
    if (textListAt(result, "bindingFailureConditions").some(isMet)) return "failed";
    if (!textListAt(result, "bindingConditions").every(isMet)) readiness = "waiting";
  }
  return readiness;
}

function refused(reason: string, why: string): DeviceState {
  return { kind: "refused", reason, why };
}

function isOwnedBy(claim: KubernetesObject, pod: Pod): boolean {
  const owners = listAt(claim, "metadata", "ownerReferences");
  const uid = textAt(pod.source.object, "metadata", "uid");
  if (owners.length === 0 || uid === undefined) return true;
  // Pods of one group may share claims that were made for the group.
  const group = textAt(pod.source.object, "spec", "schedulingGroup", "podGroupName");
  return owners.some(
    (owner) =>
      textAt(owner, "uid") === uid ||
      (group !== undefined &&
        textAt(owner, "kind") === "PodGroup" &&
        textAt(owner, "name") === group),
  );
}
