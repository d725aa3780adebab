/** Kubernetes objects from JSON and YAML: single objects, lists, several documents. */

import { Composer, type Document, LineCounter, Parser } from "yaml";

import type { KubernetesObject } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { canonicalJson } from "../../snapshot/canonical-json.ts";
import { isKindName } from "./kinds.ts";
import { kubernetesLimits, type Notes } from "./limits.ts";
import { jsonValuesOf } from "../text.ts";

const wanted = "Kubernetes objects with apiVersion, kind and metadata.name";

/** Objects of a JSON text: one object, a List, an array, or one object a line. */
export function readJsonObjects(text: string, notes: Notes): KubernetesObject[] {
  if (text.length > kubernetesLimits.jsonLengthMax) throw tooLong(kubernetesLimits.jsonLengthMax);
  return objectsOfJson(jsonValuesOf(text), notes);
}

/** Objects of the documents of a JSON text. */
export function objectsOfJson(values: Iterable<unknown>, notes: Notes): KubernetesObject[] {
  const collected: KubernetesObject[] = [];
  for (const value of values) {
    checkDepth(value);
    collectObjects(value, "the JSON document", { collected, notes });
  }
  return collected;
}

/** Objects of a YAML text with any number of documents. */
export function readYamlObjects(text: string, notes: Notes): KubernetesObject[] {
  if (text.length > kubernetesLimits.yamlLengthMax) throw tooLong(kubernetesLimits.yamlLengthMax);
  const lines = new LineCounter();
  const collected: KubernetesObject[] = [];
  let index = 0;
  for (const document of yamlDocuments(text, lines)) {
    index += 1;
    if (index > kubernetesLimits.documentCountMax) {
      throw new EvidenceError("The YAML holds too many documents.", {
        expected: `at most ${kubernetesLimits.documentCountMax} documents`,
      });
    }
    const value = yamlValue(document, lines);
    if (value === null || value === undefined) continue;
    checkDepth(value);
    const { line } = lines.linePos(document.contents?.range?.[0] ?? 0);
    collectObjects(value, `document ${index} (line ${line})`, { collected, notes });
  }
  return collected;
}

/** One document after the other, because the tree of a document takes many times the room of its text. */
function* yamlDocuments(text: string, lines: LineCounter): Generator<Document.Parsed> {
  const composer = new Composer({ stringKeys: true, resolveKnownTags: false, logLevel: "error" });
  try {
    yield* composer.compose(new Parser(lines.addNewLine).parse(text), false, text.length);
  } catch (cause) {
    if (cause instanceof EvidenceError) throw cause;
    throw new EvidenceError("The YAML cannot be parsed: it is nested too deeply.", {
      expected: `at most ${kubernetesLimits.depthMax} levels`,
      cause,
    });
  }
}

function yamlValue(document: Document.Parsed, lines: LineCounter): unknown {
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    const [message = error.code] = error.message.split("\n");
    throw new EvidenceError(
      `The YAML is not well formed: ${message.replace(/ at line \d+.*$/, "")}`,
      {
        where: `line ${line}, column ${col}`,
        expected:
          error.code === "DUPLICATE_KEY"
            ? "each key once; documents stand apart by a line of ---"
            : `well-formed YAML; if the text is cut off, its rest (${error.code})`,
        cause: error,
      },
    );
  }
  try {
    return document.toJS({ maxAliasCount: kubernetesLimits.aliasCountMax });
  } catch (cause) {
    throw new EvidenceError("The YAML unfolds its anchors too often or is nested too deeply.", {
      where: `line ${lines.linePos(document.range?.[0] ?? 0).line}`,
      expected: `at most ${kubernetesLimits.aliasCountMax} aliases and ${kubernetesLimits.depthMax} levels`,
      cause,
    });
  }
}

/**
 * Refuses nesting and numbers that no Kubernetes object has, in a value that stands so deep in its document. Its stack
 * grows with the text, not with its depth.
 */
export function checkDepth(root: unknown, rootDepth = 0): void {
  if (isShallow(root, rootDepth)) return;
  const stack: { value: unknown; depth: number }[] = [{ value: root, depth: rootDepth }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value, depth } = next;
    if (typeof value === "number" && !Number.isFinite(value)) {
      throw new EvidenceError("The document holds a number that is infinite or not a number.", {
        expected: "finite numbers",
      });
    }
    if (typeof value !== "object" || value === null) continue;
    if (depth >= kubernetesLimits.depthMax) {
      throw new EvidenceError(
        `The document is nested more than ${kubernetesLimits.depthMax} levels.`,
        {
          expected: `at most ${kubernetesLimits.depthMax} levels`,
        },
      );
    }
    for (const child of Object.values(value)) stack.push({ value: child, depth: depth + 1 });
  }
}

/** Whether nothing in a value is to be refused: most values are known to be so without a stack. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth >= kubernetesLimits.depthMax) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isShallow(item, depth + 1)) return false;
    return true;
  }
  for (const name of Object.keys(value)) {
    // `name` is an own key of `value`.
    if (!isShallow((value as Fields)[name], depth + 1)) return false;
  }
  return true;
}

interface Collector {
  readonly collected: KubernetesObject[];
  readonly notes: Notes;
}

function collectObjects(value: unknown, place: string, collector: Collector): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      collectObjects(item, `${place}, item ${index + 1}`, collector);
    });
    return;
  }
  if (!isFields(value)) {
    throw new EvidenceError(`What stands at ${place} is not an object.`, {
      where: place,
      expected: wanted,
    });
  }
  if (typeof value["kind"] === "string" && Array.isArray(value["items"])) {
    const itemKind = value["kind"].replace(/List$/, "");
    for (const [index, item] of value["items"].entries()) {
      const typed = isFields(item) ? withListTypes(item, itemKind, value["apiVersion"]) : item;
      collectObjects(typed, `${place}, item ${index + 1}`, collector);
    }
    return;
  }
  addObject(value, place, collector);
}

/** The items of a PodList carry neither kind nor apiVersion of their own. */
function withListTypes(item: Fields, kind: string, apiVersion: unknown): Fields {
  if (item["kind"] !== undefined || kind === "") return item;
  return { apiVersion, kind, ...item };
}

function addObject(value: Fields, place: string, { collected, notes }: Collector): void {
  const { apiVersion, kind, metadata } = value;
  if (typeof kind !== "string" || kind === "" || typeof apiVersion !== "string") {
    notes.add(`The object at ${place} has no apiVersion and kind and was left out.`);
    return;
  }
  const described = isFields(metadata) ? metadata : {};
  const name = objectName(described) ?? nameOfFragment(kind, value);
  if (name === undefined) {
    notes.add(`The ${kind} at ${place} has no metadata.name and was left out.`);
    return;
  }
  if (collected.length >= kubernetesLimits.objectCountMax) {
    throw new EvidenceError("The text holds too many objects.", {
      where: place,
      expected: `at most ${kubernetesLimits.objectCountMax} objects`,
    });
  }
  const { managedFields: _managedFields, ...kept } = described;
  const namespace = typeof kept["namespace"] === "string" ? { namespace: kept["namespace"] } : {};
  const { namespace: _namespace, ...rest } = kept;
  const isSecret = kind === "Secret";
  // kubectl copies the whole manifest into an annotation, so those of a secret go with its values.
  const { annotations, ...unannotated } = rest;
  const shown =
    isSecret || annotations === undefined ? unannotated : { ...unannotated, annotations };
  collected.push({
    ...(isSecret ? withoutSecrets(value, notes) : value),
    apiVersion,
    kind,
    metadata: { ...shown, name, ...namespace },
  });
}

/** The name of an object, by its metadata. */
export function objectName(metadata: Fields): string | undefined {
  if (typeof metadata["name"] === "string" && metadata["name"] !== "") return metadata["name"];
  // The server completes a generated name; until then the prefix is all that identifies the object.
  const prefix = metadata["generateName"];
  return typeof prefix === "string" && prefix !== "" ? `${prefix}*` : undefined;
}

/**
 * A patch or a fragment has its name from elsewhere, and its pods can be judged all the same. Its content tells it from
 * others, wherever it stands. Configurations of programs, as of kubectl or kustomize, have no name and no specification.
 */
function nameOfFragment(kind: string, value: Fields): string | undefined {
  if (!isKindName(kind) || !isFields(value["spec"])) return undefined;
  return `(unnamed ${shortHash(canonicalJson(value))})`;
}

/** FNV-1a over 32 bits: enough to tell a few fragments apart. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}

/** Secret values never enter evidence; their keys do, because contracts ask whether a key exists. */
function withoutSecrets(value: Fields, notes: Notes): Fields {
  notes.add("The values of secrets were left out; their keys are kept.");
  const { data, stringData, ...rest } = value;
  return { ...rest, data: blank(data), stringData: blank(stringData) };
}

/** The keys of a secret, without its values. */
export function blank(values: unknown): Record<string, null> {
  return isFields(values) ? Object.fromEntries(Object.keys(values).map((key) => [key, null])) : {};
}

function tooLong(limit: number): EvidenceError {
  return new EvidenceError("The text is too long.", { expected: `at most ${limit} characters` });
}
