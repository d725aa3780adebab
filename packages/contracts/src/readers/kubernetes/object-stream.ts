/** Reads objects of Kubernetes from JSON as its bytes come in: one, a list of them, or one on each line. */

import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatStream } from "../format.ts";
import { Utf8Stream } from "../utf8-stream.ts";
import { blank, checkDepth, objectName, objectsOfJson } from "./documents.ts";
import { JsonDocuments } from "./json-documents.ts";
import { Notes } from "./limits.ts";
import { noObjects } from "./read-kubernetes.ts";
import { SharedValues } from "./shared-values.ts";

export class ObjectStream implements FormatStream {
  readonly spanCount = 0;
  readonly #utf8 = new Utf8Stream();
  readonly #values = new SharedValues();
  readonly #documents = new JsonDocuments((value, depth) => keptOf(value, depth, this.#values));
  #isBegun = false;

  push(chunk: Uint8Array): void {
    const text = this.#utf8.push(chunk);
    if (text === "") return;
    // The decoder took one mark of the byte order off; wrappers around a file may have put another one there.
    this.#documents.push(!this.#isBegun && text.startsWith("\uFEFF") ? text.slice(1) : text);
    this.#isBegun = true;
  }

  end(): FileContent {
    this.#utf8.end();
    const notes = new Notes();
    const objects = objectsOfJson(this.#documents.end(), notes);
    if (objects.length === 0) throw noObjects(notes);
    return { objects, notes: notes.list() };
  }
}

/**
 * What is kept of a value that stands so deep in its document: not what `addObject` leaves out anyway. A value with a fault
 * stays as it is, so that the fault is found in its turn.
 */
function keptOf(value: unknown, depth: number, shared: SharedValues): unknown {
  if (!isFields(value) || hasFault(value, depth)) return value;
  const { metadata } = value;
  // A list has been made of what is shared, and an object without a name is told from others by all of its content.
  const isList = Array.isArray(value["items"]);
  if (isList || !isFields(metadata) || objectName(metadata) === undefined) return value;
  const kept = value["kind"] === "Secret" ? withoutValues(value) : value;
  const { managedFields: _managedFields, ...described } = metadata;
  const trimmed = { ...kept, metadata: described };
  shared.share(trimmed);
  return trimmed;
}

function hasFault(value: Fields, depth: number): boolean {
  try {
    checkDepth(value, depth);
    return false;
  } catch (error) {
    if (error instanceof EvidenceError) return true;
    throw error;
  }
}

function withoutValues(secret: Fields): Fields {
  return {
    ...secret,
    ...(isFields(secret["data"]) ? { data: blank(secret["data"]) } : {}),
    ...(isFields(secret["stringData"]) ? { stringData: blank(secret["stringData"]) } : {}),
  };
}
