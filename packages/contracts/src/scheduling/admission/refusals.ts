/** What the API server itself said when it refused a pod for the sake of a quota or a limit range. */

import { textAt } from "../../kubernetes/fields.ts";
import type { Objects, Source } from "../../kubernetes/objects.ts";
import type { Maker } from "./makers.ts";

/** What was said about the pods of one maker. */
export interface Refusal {
  readonly text: string;
  readonly source: Source | undefined;
}

const ruleWords =
  /(?:exceeded|failed) quota: |insufficient quota|(?:minimum|maximum) \S+ usage per |max limit to request ratio per /i;

/** Whether words of the API server speak of a quota or a limit range. */
export function isAboutRules(text: string | undefined): text is string {
  return text !== undefined && ruleWords.test(text);
}

/** What follows the API server's usual head of a refusal. */
export function ruleText(text: string): string {
  return text.replace(/^.*? is forbidden: /s, "").replace(/\.$/, "");
}

/** What was said of each maker, by kind, namespace and name. */
export function refusalsOf(
  objects: Objects,
  makers: readonly Maker[],
): ReadonlyMap<string, Refusal> {
  return withDeployments(recordedRefusals(objects), makers);
}

/** What was said of a replica set that is not in the evidence is told of the deployment that it is named after. */
function withDeployments(
  said: ReadonlyMap<string, Refusal>,
  makers: readonly Maker[],
): ReadonlyMap<string, Refusal> {
  const told = new Map<string, Refusal>();
  const known = new Set(makers.map(({ source }) => source.object.metadata.name));
  for (const [key, refusal] of said) {
    const [kind, namespace, name = ""] = key.split("/");
    const deployment = /^(.+)-[a-z0-9]{5,10}$/.exec(name)?.[1];
    const isTold =
      kind === "ReplicaSet" &&
      !known.has(name) &&
      makers.some(
        ({ source, namespace: other }) =>
          source.object.kind === "Deployment" &&
          other === namespace &&
          source.object.metadata.name === deployment,
      );
    told.set(isTold ? `Deployment/${namespace ?? ""}/${deployment ?? ""}` : key, refusal);
  }
  return told;
}

/** The latest words of the API server about each maker, by kind, namespace and name. */
function recordedRefusals(objects: Objects): ReadonlyMap<string, Refusal> {
  const latest = new Map<string, Refusal & { readonly time: string }>();
  for (const source of objects.events) {
    const { object } = source;
    const text = textAt(object, "message") ?? textAt(object, "note");
    if (textAt(object, "reason") !== "FailedCreate" || !isAboutRules(text)) continue;
    const field = "involvedObject" in object ? "involvedObject" : "regarding";
    const namespace = textAt(object, field, "namespace") ?? object.metadata.namespace ?? "default";
    const key = `${textAt(object, field, "kind") ?? ""}/${namespace}/${textAt(object, field, "name") ?? ""}`;
    const time = textAt(object, "lastTimestamp") ?? textAt(object, "eventTime") ?? "";
    const known = latest.get(key);
    const isLater =
      known === undefined || time > known.time || (time === known.time && text > known.text);
    if (isLater) latest.set(key, { text, source, time });
  }
  return latest;
}
