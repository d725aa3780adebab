/** A Pod object from the text of `kubectl describe pod`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { containersOf, type DescribedContainer } from "./describe-container.ts";
import {
  conditionsOf,
  controllerOf,
  type DescribedField,
  one,
  parseLabelLines,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import { volumesOf } from "./describe-volume.ts";
import { mark, parseLabels } from "./text-object.ts";

/** The pod that the fields describe. The text never shows affinity, spread constraints or overhead. */
export function describedPod(
  fields: readonly DescribedField[],
  metadata: { name: string; namespace: string },
): KubernetesObject {
  const init = containersOf(one(fields, "Init Containers"));
  const main = containersOf(one(fields, "Containers"));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      labels: parseLabels(valuesOf(fields, "Labels")),
      annotations: parseLabelLines(valuesOf(fields, "Annotations")),
      ...controllerOf(fields),
      ...deletionOf(fields),
    },
    spec: specOf(fields, init, main),
    status: {
      ...phaseOf(fields),
      ...textPart("reason", textOf(fields, "Reason")),
      ...textPart("message", textOf(fields, "Message")),
      ...textPart("startTime", textOf(fields, "Start Time")),
      conditions: conditionsOf(one(fields, "Conditions")),
      initContainerStatuses: statusesOf(init),
      containerStatuses: statusesOf(main),
    },
    ...mark("kubectl describe pod", [
      "spec.affinity",
      "spec.topologySpreadConstraints",
      "spec.overhead",
      "spec.hostNetwork",
      "spec.initContainers.restartPolicy",
      "spec.restartPolicy",
      "spec.securityContext",
      "spec.containers.securityContext",
      "spec.containers.ports.name",
      "spec.imagePullSecrets",
      "spec.automountServiceAccountToken",
      "spec.terminationGracePeriodSeconds",
    ]),
  };
}

function specOf(
  fields: readonly DescribedField[],
  init: readonly DescribedContainer[],
  main: readonly DescribedContainer[],
): Record<string, unknown> {
  const node = textOf(fields, "Node")?.split("/")[0];
  const selector = parseLabels(valuesOf(fields, "Node-Selectors"));
  return {
    ...textPart("nodeName", node),
    ...textPart("serviceAccountName", textOf(fields, "Service Account")),
    ...textPart("priorityClassName", textOf(fields, "Priority Class Name")),
    ...textPart("runtimeClassName", textOf(fields, "Runtime Class Name")),
    ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
    tolerations: valuesOf(fields, "Tolerations").map(parseToleration),
    initContainers: init.map(({ spec }) => spec),
    containers: main.map(({ spec }) => spec),
    volumes: volumesOf(one(fields, "Volumes")),
  };
}

function statusesOf(containers: readonly DescribedContainer[]): Record<string, unknown>[] {
  return containers.flatMap(({ status }) => (status === undefined ? [] : [status]));
}

/** `Status: Terminating (lasts 5m)` stands for a pod that is being deleted; its phase is not printed then. */
function deletionOf(fields: readonly DescribedField[]): Record<string, string> {
  const status = textOf(fields, "Status") ?? "";
  return status.startsWith("Terminating") ? { deletionTimestamp: status } : {};
}

function phaseOf(fields: readonly DescribedField[]): Record<string, string> {
  const status = textOf(fields, "Status");
  if (status === undefined || status.startsWith("Terminating")) return {};
  return { phase: status.split(" ")[0] ?? "" };
}

function textPart(name: string, value: string | undefined): Record<string, string> {
  return value === undefined ? {} : { [name]: value };
}

/** `key=value:Effect op=Exists for 300s`, where each part but the key may be missing. */
export function parseToleration(text: string): Record<string, unknown> {
  const operator = /\bop=(\w+)/.exec(text)?.[1];
  const seconds = /\bfor (\d+)s/.exec(text)?.[1];
  const [head = ""] = text.split(/\s+op=|\s+for\s/);
  const at = head.lastIndexOf(":");
  const effect = at < 0 ? undefined : head.slice(at + 1).trim();
  const pair = (at < 0 ? head : head.slice(0, at)).trim();
  const equals = pair.indexOf("=");
  const key = equals < 0 ? pair : pair.slice(0, equals);
  return {
    ...(key === "" || key.startsWith("op=") ? {} : { key }),
    ...(equals < 0
      ? { operator: operator ?? "Exists" }
      : { operator: operator ?? "Equal", value: pair.slice(equals + 1) }),
    ...(effect === undefined || effect === "" ? {} : { effect }),
    ...(seconds === undefined ? {} : { tolerationSeconds: Number(seconds) }),
  };
}
