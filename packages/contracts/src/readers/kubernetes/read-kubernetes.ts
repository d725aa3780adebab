/** Reads Kubernetes evidence: objects as JSON or YAML, and the text that kubectl prints for people. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { EvidenceError } from "../evidence-error.ts";
import { isDescriptionStart, readDescriptions } from "./describe.ts";
import { readJsonObjects, readYamlObjects } from "./documents.ts";
import { kubernetesLimits, Notes } from "./limits.ts";
import { isTableHeader, readTables } from "./tables.ts";

/** Characters that are looked at to recognise the form. */
const recognitionLengthMax = 64 * 1024;

/** Whether a text is likely to be Kubernetes evidence, complete or not. */
export function recogniseKubernetes(text: string): boolean {
  const { body, isKubectl } = stripWrapper(text.slice(0, recognitionLengthMax));
  return isKubectl || formOf(body) !== undefined;
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

interface Unwrapped {
  readonly body: string;
  readonly namespace: string | undefined;
  /** The wrapper says that kubectl printed the body, whatever it looks like. */
  readonly isKubectl: boolean;
}

/**
 * Recorded tools put lines of JSON about the call before the output, `stdout:` above and `stderr:` below it.
 * The recorded command tells the namespace of tables that do not print one.
 */
function stripWrapper(text: string): Unwrapped {
  let rest = text.startsWith("\uFEFF") ? text.slice(1) : text;
  let namespace: string | undefined;
  let isKubectl = false;
  for (let line = firstLine(rest); isWrapperLine(line); line = firstLine(rest)) {
    namespace =
      /"invocation":\s*"kubectl [^"]*\s(?:-n|--namespace)[ =]([a-z0-9.-]+)/.exec(line)?.[1] ??
      namespace;
    isKubectl ||= /"kubectl[_ ](?:find_resource|get|describe|events)/.test(line);
    rest = rest.slice(line.length).replace(/^\r?\n/, "");
  }
  const opened = /^\s*stdout:[ \t]*\r?\n/.exec(rest);
  if (opened === null) return { body: rest, namespace, isKubectl };
  rest = rest.slice(opened[0].length);
  const closed = rest.search(/^stderr:/m);
  return { body: closed < 0 ? rest : rest.slice(0, closed), namespace, isKubectl };
}

function firstLine(text: string): string {
  const end = text.indexOf("\n");
  return end < 0 ? text : text.slice(0, end).replace(/\r$/, "");
}

function isWrapperLine(line: string): boolean {
  return /^\{.*"(?:toolset_name|tool_name|schema_version|invocation)"\s*:/.test(line);
}
