/** Reads Kubernetes evidence: objects as JSON or YAML, and the text that kubectl prints for people. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { EvidenceError } from "../evidence-error.ts";
import { isDescriptionStart, readDescriptions } from "./describe.ts";
import { readJsonObjects, readYamlObjects } from "./documents.ts";
import { kubernetesLimits, Notes } from "./limits.ts";
import { stripWrapper } from "./recorded-call.ts";
import { isTableHeader, readTables } from "./tables.ts";

/** Characters that are looked at to recognise the form. */
const recognitionLengthMax = 64 * 1024;

/** Whether a text is likely to be Kubernetes evidence, complete or not. */
export function recogniseKubernetes(text: string): boolean {
  const { body, holds } = stripWrapper(text.slice(0, recognitionLengthMax));
  if (holds === "logs") return false;
  return holds === "objects" || formOf(body) !== undefined;
}

/** The objects of a text. Throws an `EvidenceError` that says where the text is not what it seems to be. */
export function readKubernetes(text: string): { objects: KubernetesObject[]; notes: string[] } {
  const notes = new Notes();
  const { body, namespace } = stripWrapper(text);
  const form = formOf(body);
  const objects = form === undefined ? [] : readForm(form, { body, namespace, notes });
  if (objects.length === 0) {
    throw new EvidenceError("It holds no Kubernetes object.", {
      expected:
        "objects with apiVersion, kind and metadata.name as JSON or YAML, or the text of kubectl describe, get or events with its header line",
      where: notes.list()[0],
    });
  }
  return { objects, notes: notes.list() };
}

type Form = "json" | "yaml" | "description" | "table";

function readForm(
  form: Form,
  { body, namespace, notes }: { body: string; namespace: string | undefined; notes: Notes },
): KubernetesObject[] {
  switch (form) {
    case "json":
      return readJsonObjects(body, notes);
    case "yaml":
      return readYamlObjects(body, notes);
    case "description":
    case "table":
      notes.add("Read from text for people: fields that it does not print are unknown, not empty.");
      return readText(body, namespace, notes);
  }
}

/** One text may hold descriptions and tables, as when several commands were recorded into one file. */
function readText(body: string, namespace: string | undefined, notes: Notes): KubernetesObject[] {
  const lines = body.split(/\r?\n/);
  if (lines.length > kubernetesLimits.lineCountMax) {
    throw new EvidenceError("The text has too many lines.", {
      expected: `at most ${kubernetesLimits.lineCountMax} lines`,
    });
  }
  return [...readDescriptions(lines, notes), ...readTables(lines, { namespace }, notes)];
}

function formOf(body: string): Form | undefined {
  const start = body.trimStart();
  if (/^[{[]/.test(start)) {
    return /"(?:kind|apiVersion)"\s*:/.test(start.slice(0, recognitionLengthMax)) &&
      looksKubernetes(start)
      ? "json"
      : undefined;
  }
  const head = body.slice(0, recognitionLengthMax);
  const lines = head.split(/\r?\n/);
  if (/^(?:apiVersion|kind)\s*:/m.test(head)) return "yaml";
  if (lines.some(isTableHeader)) return "table";
  if (
    lines.some(isDescriptionStart) &&
    /^(?:Namespace|Taints|Node-Selectors|Labels|Events):/m.test(head)
  ) {
    return "description";
  }
  return undefined;
}

/** A JSON document is Kubernetes' own only when kind stands beside apiVersion, items or metadata. */
function looksKubernetes(start: string): boolean {
  const head = start.slice(0, recognitionLengthMax);
  return (
    /"apiVersion"\s*:/.test(head) ||
    (/"kind"\s*:\s*"\w*List"/.test(head) && /"items"\s*:/.test(head))
  );
}
