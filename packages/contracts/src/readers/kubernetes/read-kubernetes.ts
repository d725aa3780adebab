/** Reads Kubernetes evidence: objects as JSON or YAML, and the text that kubectl prints for people. */

import type { KubernetesObject, MetricsContent } from "../../model/evidence.ts";
import { EvidenceError } from "../evidence-error.ts";
import { readPodRows } from "./bare-rows.ts";
import { isDescriptionStart, readDescriptions } from "./describe.ts";
import { readJsonObjects, readYamlObjects } from "./documents.ts";
import { emptySearch, isAnswer, questionOf, readAnswers } from "./kubectl-answer.ts";
import { kubernetesLimits, Notes } from "./limits.ts";
import { isLineage, readLineage } from "./lineage.ts";
import { stripWrapper } from "./recorded-call.ts";
import { isTableHeader, readTables } from "./tables.ts";
import { isTopHeader, readTop } from "./top.ts";
import { unindented } from "./unindent.ts";

/** Characters at the end of a recorded call in which an answer is looked for. */
const answerLengthMax = 4_096;
/** Characters that are looked at to recognise the form. */
const recognitionLengthMax = 64 * 1024;

/** Whether a text is likely to be Kubernetes evidence, complete or not. */
export function recogniseKubernetes(text: string): boolean {
  const { body, holds } = stripWrapper(unindented(text.slice(0, recognitionLengthMax)));
  if (holds === "logs") return false;
  return holds === "objects" || formOf(body) !== undefined;
}

/** Whether a text that is recognised by its beginning is objects as JSON, with nothing of a recorder around them. */
export function isBareJson(head: string): boolean {
  const text = head.startsWith("\uFEFF") ? head.slice(1) : head;
  const { header, body } = stripWrapper(text.slice(0, recognitionLengthMax));
  return header === "" && formOf(body) === "json";
}

/** What a text of Kubernetes holds. */
export interface KubernetesText {
  readonly objects: KubernetesObject[];
  /** What `kubectl top` measured; absent where the text is no such table. */
  readonly metrics?: MetricsContent;
  readonly notes: string[];
}

/** The objects of a text. Throws an `EvidenceError` that says where the text is not what it seems to be. */
export function readKubernetes(copied: string): KubernetesText {
  const notes = new Notes();
  const text = unindented(copied);
  const { body, namespace, header } = stripWrapper(text);
  const recorded = { body, header, namespace };
  const form = formOf(body);
  if (form === "usage") return readUsage(recorded, notes);
  const objects =
    form === undefined ? readBare({ ...recorded, whole: text }) : readForm(form, recorded, notes);
  if (objects.length === 0) throw noObjects(notes);
  return { objects, notes: notes.list() };
}

/** The error of a text without objects; the first note tells why. */
export function noObjects(notes: Notes): EvidenceError {
  return new EvidenceError("It holds no Kubernetes object.", {
    expected:
      "objects with apiVersion, kind and metadata.name as JSON or YAML, or the text of kubectl describe, get or events with its header line",
    where: notes.list()[0],
  });
}

interface Recorded {
  readonly body: string;
  readonly header: string;
  readonly namespace: string | undefined;
}

type Form = "json" | "yaml" | "description" | "table" | "lineage" | "answer";

function readForm(form: Form, recorded: Recorded, notes: Notes): KubernetesObject[] {
  switch (form) {
    case "json":
      return readJsonObjects(recorded.body, notes);
    case "yaml":
      return readYamlObjects(recorded.body, notes);
    case "description":
    case "table":
      notes.add("Read from text for people: fields that it does not print are unknown, not empty.");
      return readText(recorded, notes);
    case "lineage":
      notes.add("Read from the tree of kubectl lineage: only pods and events are taken from it.");
      return readLineage(linesOf(recorded.body), recorded.namespace);
    case "answer":
      notes.add("kubectl answered without an object; the answer is kept.");
      return readText(recorded, notes);
  }
}

/** One text may hold descriptions and tables, as when several commands were recorded into one file. */
function readText({ body, header, namespace }: Recorded, notes: Notes): KubernetesObject[] {
  const lines = linesOf(body);
  return [
    ...readDescriptions(lines, notes, namespace),
    ...readTables(lines, { namespace }, notes),
    ...readAnswers(lines, questionOf(header, namespace)),
  ];
}

/** A search without a header line: its rows, or that it found nothing. A failed call says why below `stderr:`. */
function readBare({
  body,
  header,
  namespace,
  whole,
}: Recorded & { whole: string }): KubernetesObject[] {
  const question = questionOf(header, namespace);
  const rows = question.kind === "Pod" ? readPodRows(linesOf(body), namespace) : [];
  if (rows.length > 0 || header === "") return rows;
  const answers = readAnswers(linesOf(whole.slice(-answerLengthMax)), question);
  if (answers.length > 0 || body.trim() !== "") return answers;
  return emptySearch(question, header);
}

function readUsage({ body, namespace }: Recorded, notes: Notes): KubernetesText {
  const series = readTop(linesOf(body), namespace);
  if (series.length === 0) {
    throw new EvidenceError("The table of kubectl top has no row that can be read.", {
      expected: "rows with a name, cores and bytes below the header",
      where: "line 1",
    });
  }
  return { objects: [], metrics: { kind: "metrics", series }, notes: notes.list() };
}

function linesOf(body: string): string[] {
  const lines = body.split(/\r?\n/);
  if (lines.length > kubernetesLimits.lineCountMax) {
    throw new EvidenceError("The text has too many lines.", {
      expected: `at most ${kubernetesLimits.lineCountMax} lines`,
    });
  }
  return lines;
}

function formOf(body: string): Form | "usage" | undefined {
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
  if (isLineage(lines)) return "lineage";
  if (isTopHeader(lines.find((line) => line.trim() !== "") ?? "")) return "usage";
  if (
    lines.some(isDescriptionStart) &&
    /^(?:Namespace|Taints|Node-Selectors|Labels|Events):/m.test(head)
  ) {
    return "description";
  }
  // Only at its beginning, because a log may quote what kubectl says.
  return isAnswer(lines.find((line) => line.trim() !== "") ?? "") ? "answer" : undefined;
}

/** A JSON document is Kubernetes' own only when kind stands beside apiVersion, items or metadata. */
function looksKubernetes(start: string): boolean {
  const head = start.slice(0, recognitionLengthMax);
  return (
    /"apiVersion"\s*:/.test(head) ||
    (/"kind"\s*:\s*"\w*List"/.test(head) && /"items"\s*:/.test(head))
  );
}
