/** A Pod object from the text of `kubectl describe pod`. */

import type { KubernetesObject } from "../../model/evidence.ts";
import {
  type DescribedField,
  fieldsOf,
  one,
  pairsOf,
  tableRows,
  textOf,
  valuesOf,
} from "./describe-fields.ts";
import { mark, parseLabels } from "./tables.ts";

/** The pod that the fields describe. The text never shows affinity, spread constraints or overhead. */
export function describedPod(
  fields: readonly DescribedField[],
  metadata: { name: string; namespace: string },
): KubernetesObject {
  const node = textOf(fields, "Node")?.split("/")[0];
  const phase = textOf(fields, "Status");
  const selector = parseLabels(valuesOf(fields, "Node-Selectors"));
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...metadata, labels: parseLabels(valuesOf(fields, "Labels")) },
    spec: {
      ...(node === undefined ? {} : { nodeName: node }),
      ...(Object.keys(selector).length === 0 ? {} : { nodeSelector: selector }),
      tolerations: valuesOf(fields, "Tolerations").map(parseToleration),
      initContainers: containersOf(one(fields, "Init Containers")),
      containers: containersOf(one(fields, "Containers")),
      volumes: volumesOf(one(fields, "Volumes")),
    },
    status: {
      ...(phase === undefined ? {} : { phase: phase.split(" ")[0] }),
      conditions: conditionsOf(one(fields, "Conditions")),
    },
    ...mark("kubectl describe pod", [
      "spec.affinity",
      "spec.topologySpreadConstraints",
      "spec.overhead",
      "spec.hostNetwork",
      "spec.initContainers.restartPolicy",
    ]),
  };
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

function containersOf(block: DescribedField | undefined): Record<string, unknown>[] {
  if (block === undefined) return [];
  return fieldsOf(block.lines).map(({ name, lines }) => {
    const fields = fieldsOf(lines);
    const limits = pairsOf(one(fields, "Limits"));
    const requests = pairsOf(one(fields, "Requests"));
    return {
      name,
      ...(textOf(fields, "Image") === undefined ? {} : { image: textOf(fields, "Image") }),
      ports: hostPortsOf(fields),
      // The server fills a missing request from the limit before kubectl prints either.
      resources: { requests, limits },
    };
  });
}

/** `Host Port: 8080/TCP`, where `0/TCP` stands for none. */
function hostPortsOf(fields: readonly DescribedField[]): Record<string, unknown>[] {
  const text = textOf(fields, "Host Port") ?? textOf(fields, "Host Ports") ?? "";
  return text.split(",").flatMap((part) => {
    const [, port, protocol] = /^(\d+)\/(\w+)$/.exec(part.trim()) ?? [];
    if (port === undefined || port === "0") return [];
    return [{ containerPort: Number(port), hostPort: Number(port), protocol: protocol ?? "TCP" }];
  });
}

function volumesOf(block: DescribedField | undefined): Record<string, unknown>[] {
  if (block === undefined) return [];
  return fieldsOf(block.lines).flatMap(({ name, lines }) => {
    const fields = fieldsOf(lines);
    const claimName = textOf(fields, "ClaimName");
    if (claimName === undefined) return [];
    return [
      {
        name,
        persistentVolumeClaim: { claimName, readOnly: textOf(fields, "ReadOnly") === "true" },
      },
    ];
  });
}

function conditionsOf(block: DescribedField | undefined): Record<string, unknown>[] {
  if (block === undefined) return [];
  return tableRows(block, ["Type", "Status"]).map(([type = "", status = ""]) => ({ type, status }));
}
