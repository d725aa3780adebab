/** What a format of evidence is. */

import type { Evidence, KubernetesObject, TranscriptTurn } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import type { SnapshotPart } from "../snapshot/create-snapshot.ts";
import type { ExpandZstd } from "./archive/expand-entry.ts";
import type { TracedProcess } from "./merge-training.ts";
import type { ModelFile } from "./models/model-file.ts";

/** A file as the formats see it: expanded, and in UTF-8 when it is text. */
export interface FormatInput {
  readonly bytes: Uint8Array;
  /** The beginning of a text; absent for binary data. */
  readonly head: string | undefined;
  /** What the file is called, without its folders. Formats go by content; a name may tell what a log is about. */
  readonly name: string;
  /** The innermost folder that it lies in; recordings may be told apart by it. */
  readonly folder?: string;
  /** Takes zstd off entries of an archive faster than this package does, where the host can. */
  readonly expandZstd?: ExpandZstd | undefined;
  /** The whole text; decoded when it is asked for. Throws an `EvidenceError` where it is not UTF-8. */
  text(): string;
}

/** What a file holds, as far as it was read. */
export interface FileContent {
  /** Joined with those of other files into traces. */
  readonly spans?: readonly Span[];
  /** Joined with those of other files into one picture of the cluster. */
  readonly objects?: readonly KubernetesObject[];
  /** Each is a transcript of its own. */
  readonly transcripts?: readonly (readonly TranscriptTurn[])[];
  /** Joined with those of other files of its folder into one model. */
  readonly modelFiles?: readonly ModelFile[];
  /** Joined with those of other files of one run. */
  readonly processes?: readonly TracedProcess[];
  /** Each is a piece of evidence of its own: metrics, logs, an environment. */
  readonly contents?: readonly SnapshotPart["content"][];
  /** Evidence that is already frozen, with its ids. */
  readonly evidence?: readonly Evidence[];
  readonly notes: readonly string[];
}

/** A file that is read as its bytes come in. Every call throws an `EvidenceError` where the file is not what it seemed. */
export interface FormatStream {
  /** Spans that were read so far. */
  readonly spanCount: number;
  /** What matters was read: the rest of the file need not come. */
  readonly isSatisfied?: boolean;
  /** Takes a chunk, which is the sender's again when this returns. */
  push(chunk: Uint8Array): void;
  end(): FileContent;
}

export interface EvidenceFormat {
  /** For example `otlp-json`; it stands in the evidence's source. */
  readonly name: string;
  /** For people, in the list of what is known. */
  readonly description: string;
  /** Looks at the beginning only, and is never wrong about the formats of the other rows. */
  recognise(input: FormatInput): boolean;
  /** Throws an `EvidenceError` where the file is not what it seemed to be. */
  read(input: FormatInput): FileContent;
  /**
   * Begins to read a large file of which `input` is only the beginning; the bytes of `input` come again by `push`. Gives
   * `undefined` when this file has to be read whole, as those of formats without this door are.
   */
  open?(input: FormatInput): FormatStream | undefined;
}

/** Whether a text begins as a document of JSON does. */
export function startsAsJson(head: string | undefined): head is string {
  return head !== undefined && /^\s*[{[]/.test(head);
}
