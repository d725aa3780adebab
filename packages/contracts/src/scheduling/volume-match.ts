/** Whether a free volume fits a claim, and if not, in what it differs. */

import type { KubernetesObject } from "../model/evidence.ts";
import {
  fieldsAt,
  isPresentAt,
  listAt,
  textAt,
  textListAt,
  textsAt,
} from "../kubernetes/fields.ts";
import { resourceAmount } from "../kubernetes/quantity.ts";
import { matchesTerm, readExpressions } from "../kubernetes/selector.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";

/** In what a volume differs from what a claim wants, one phrase each. A volume that is taken differs in that. */
export function mismatchesOf(
  volume: KubernetesObject,
  claim: KubernetesObject,
  className: string,
): string[] {
  const differences = [
    taken(volume, claim),
    classDifference(volume, claim, className),
    sizeDifference(volume, claim),
    accessDifference(volume, claim),
    modeDifference(volume, claim),
    selectorDifference(volume, claim),
  ];
  return differences.filter((difference) => difference !== undefined);
}

function taken(volume: KubernetesObject, claim: KubernetesObject): string | undefined {
  const phase = textAt(volume, "status", "phase");
  if (phase !== undefined && phase !== "Available" && phase !== "Pending")
    return `the volume is ${phase}`;
  const name = textAt(volume, "spec", "claimRef", "name");
  if (name === undefined) return undefined;
  const namespace = textAt(volume, "spec", "claimRef", "namespace") ?? "default";
  const isOurs =
    name === claim.metadata.name && namespace === (claim.metadata.namespace ?? "default");
  return isOurs ? undefined : `the volume is reserved for ${namespace}/${name}`;
}

function classDifference(
  volume: KubernetesObject,
  claim: KubernetesObject,
  className: string,
): string | undefined {
  const offered = textAt(volume, "spec", "storageClassName") ?? "";
  if (offered === className) return undefined;
  // A manifest that leaves the class out on both sides means the two for one another.
  const isUnset = textAt(claim, "spec", "storageClassName") === undefined && offered === "";
  if (isUnset && !isPresentAt(claim, "status", "phase")) return undefined;
  return `storageClassName is ${quoted(className)}, the volume has ${quoted(offered)}`;
}

function sizeDifference(volume: KubernetesObject, claim: KubernetesObject): string | undefined {
  const wantedText = textAt(claim, "spec", "resources", "requests", "storage");
  if (wantedText === undefined || isHidden(claim, "spec.resources")) return undefined;
  const offeredText = textAt(volume, "spec", "capacity", "storage") ?? "0";
  const wanted = resourceAmount("storage", wantedText);
  const offered = resourceAmount("storage", offeredText) ?? 0n;
  if (wanted === undefined || offered >= wanted) return undefined;
  return `it requests ${wantedText}, the volume has ${offeredText}`;
}

function accessDifference(volume: KubernetesObject, claim: KubernetesObject): string | undefined {
  const offered = textListAt(volume, "spec", "accessModes");
  const lacking = textListAt(claim, "spec", "accessModes").filter(
    (mode) => !offered.includes(mode),
  );
  if (lacking.length === 0) return undefined;
  return `it wants ${lacking.join(", ")}, the volume offers ${offered.join(", ") || "none"}`;
}

function modeDifference(volume: KubernetesObject, claim: KubernetesObject): string | undefined {
  const wanted = textAt(claim, "spec", "volumeMode") ?? "Filesystem";
  const offered = textAt(volume, "spec", "volumeMode") ?? "Filesystem";
  return wanted === offered ? undefined : `volumeMode is ${wanted}, the volume has ${offered}`;
}

function selectorDifference(volume: KubernetesObject, claim: KubernetesObject): string | undefined {
  const selector = fieldsAt(claim, "spec", "selector");
  const labels = textsAt(volume, "metadata", "labels");
  for (const [key, value] of textsAt(selector, "matchLabels")) {
    if (labels.get(key) !== value)
      return `its selector wants ${key}=${value}, the volume has ${labels.get(key) ?? "none"}`;
  }
  const expressions = readExpressions(listAt(selector, "matchExpressions"), "label");
  const matches =
    expressions.length === 0 || matchesTerm(expressions, { name: volume.metadata.name, labels });
  return matches ? undefined : "its selector does not match the volume's labels";
}

function isHidden(object: KubernetesObject, path: string): boolean {
  return unknownFields(object).includes(path);
}

function quoted(text: string): string {
  return text === "" ? "empty" : text;
}
