/** Reads files of any known format into evidence, and says of each other file why it cannot be read. */

import type { Evidence, EvidenceSource, KubernetesObject } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import { createSnapshot, snapshotOf, type SnapshotPart } from "../snapshot/create-snapshot.ts";
import { EvidenceError } from "./evidence-error.ts";
import { expand } from "./expand.ts";
import type { FileContent } from "./format.ts";
import { evidenceFormats, knownFormats } from "./formats.ts";
import { evidenceLimits } from "./limits.ts";
import { type FromFile, mergeObjects, mergeSpans } from "./merge-evidence.ts";
import { decodeText, headOf, inUtf8, looksBinary } from "./text.ts";
import { unknownFormat } from "./unknown-format.ts";

/** A file, a part of a request, or standard input. */
export interface EvidenceFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A file that could not be read: which, why, where, and what was expected there. */
export interface UnreadableFile {
  readonly name: string;
  readonly message: string;
  readonly where?: string;
  readonly expected: string;
  /** `snapshot_corrupt` when a snapshot's content is not what its manifest says. */
  readonly code: EvidenceError["code"];
}

export interface ReadEvidence {
  /** Sorted by id, each once. */
  readonly evidence: Evidence[];
  readonly unreadable: UnreadableFile[];
}

/**
 * Reads files. Objects of one cluster that lie in several files become one piece of evidence, and so do
 * the spans of one trace; what comes out of a snapshot file stays as it was frozen.
 */
export function readEvidence(files: readonly EvidenceFile[]): ReadEvidence {
  const gathered = new Gathered();
  const unreadable: UnreadableFile[] = [];
  let bytesLeft: number = evidenceLimits.totalBytesMax;
  for (const [index, file] of files.entries()) {
    try {
      if (index >= evidenceLimits.fileCountMax) throw tooMuch("files", evidenceLimits.fileCountMax);
      bytesLeft -= readFile(file, bytesLeft, gathered);
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      unreadable.push(unreadableOf(file.name, error));
    }
  }
  return { evidence: gathered.evidence(), unreadable };
}

/** What a thrown error says about a file. */
export function unreadableOf(name: string, error: EvidenceError): UnreadableFile {
  return {
    name,
    message: error.message,
    ...(error.where === undefined ? {} : { where: error.where }),
    expected: error.expected,
    code: error.code,
  };
}

/** Reads one file and gives the bytes that it has when expanded. */
function readFile(file: EvidenceFile, bytesLeft: number, gathered: Gathered): number {
  if (file.bytes.length > evidenceLimits.fileBytesMax) {
    throw tooMuch("bytes in one file", evidenceLimits.fileBytesMax);
  }
  const expanded = expand(file.bytes, Math.min(evidenceLimits.expandedBytesMax, bytesLeft));
  if (expanded.length > bytesLeft) {
    throw tooMuch("bytes in all files", evidenceLimits.totalBytesMax);
  }
  if (expanded.length === 0) {
    throw new EvidenceError("The file is empty.", { expected: knownFormats(), where: "byte 0" });
  }
  const bytes = inUtf8(expanded);
  const head = looksBinary(bytes) ? undefined : headOf(bytes);
  const name = file.name.slice(file.name.lastIndexOf("/") + 1);
  const input = { bytes, head, name, text: () => decodeText(bytes) };
  const format = evidenceFormats.find((candidate) => candidate.recognise(input));
  if (format === undefined) throw unknownFormat(input);
  gathered.add({ name: file.name, format: format.name }, format.read(input));
  return expanded.length;
}

function tooMuch(what: string, limit: number): EvidenceError {
  return new EvidenceError(`This is beyond the limit of ${limit} ${what}.`, {
    expected: `at most ${limit} ${what}`,
  });
}

/** What was read so far, kept apart until all files are in. */
class Gathered {
  readonly #spans: FromFile<Span>[] = [];
  readonly #objects: FromFile<KubernetesObject>[] = [];
  readonly #parts: SnapshotPart[] = [];
  readonly #frozen: Evidence[] = [];

  add(origin: { readonly name: string; readonly format: string }, content: FileContent): void {
    const source: EvidenceSource = {
      name: origin.name.slice(0, 4_096),
      format: origin.format,
      notes: content.notes.slice(0, 100),
    };
    if (content.spans !== undefined) this.#spans.push({ source, items: content.spans });
    if (content.objects !== undefined) this.#objects.push({ source, items: content.objects });
    for (const turns of content.transcripts ?? []) {
      this.#parts.push({ source, content: { kind: "transcript", turns: [...turns] } });
    }
    for (const part of content.contents ?? []) this.#parts.push({ source, content: part });
    this.#frozen.push(...(content.evidence ?? []));
  }

  evidence(): Evidence[] {
    const parts = [...mergeSpans(this.#spans), ...mergeObjects(this.#objects), ...this.#parts];
    return snapshotOf([...createSnapshot(parts).evidence, ...this.#frozen]).evidence;
  }
}
