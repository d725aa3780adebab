/** Reads files of any known format into evidence, and says of each other file why it cannot be read. */

import type { Evidence, EvidenceSource, KubernetesObject } from "../model/evidence.ts";
import type { Span } from "../model/span.ts";
import { createSnapshot, snapshotOf, type SnapshotPart } from "../snapshot/create-snapshot.ts";
import type { CreateHasher } from "../snapshot/evidence-id.ts";
import type { ExpandZstd } from "./archive/expand-entry.ts";
import { EvidenceError } from "./evidence-error.ts";
import { FileReading, tooMuch } from "./file-reading.ts";
import type { FileContent } from "./format.ts";
import { evidenceLimits } from "./limits.ts";
import { type FromFile, mergeObjects, mergeSpans } from "./merge-evidence.ts";
import { mergeModels } from "./merge-models.ts";
import { mergeTraining, type TracedProcess } from "./merge-training.ts";
import type { ModelFile } from "./models/model-file.ts";

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
  /** Nothing suggests that the file is evidence at all. */
  readonly isUnknownForm?: true;
}

export interface ReadEvidence {
  /** In the order of a snapshot, each once. */
  readonly evidence: Evidence[];
  readonly unreadable: UnreadableFile[];
}

/** How far the reading has come. */
export interface ReadProgress {
  /** Of all files together, as they lie on disk. */
  readonly bytesRead: number;
  readonly spanCount: number;
}

export interface ReadOptions {
  /** Makes what computes the ids of evidence: a SHA-256 faster than that of this package, where there is one. */
  readonly createHasher?: CreateHasher;
  /** Takes zstd off entries of archives faster than this package does, where there is something that does. */
  readonly expandZstd?: ExpandZstd;
  /** Called after each piece of a file. */
  readonly onProgress?: (progress: ReadProgress) => void;
}

/**
 * Reads files. Objects of one cluster that lie in several files become one piece of evidence, and so do
 * the spans of one trace; what comes out of a snapshot file stays as it was frozen.
 */
export function readEvidence(
  files: readonly EvidenceFile[],
  options: ReadOptions = {},
): ReadEvidence {
  const reader = new EvidenceReader(options);
  for (const { name, bytes } of files) {
    const file = reader.open(name, bytes.length);
    file.push(bytes);
    file.end();
  }
  return reader.finish();
}

/** One file, given piece by piece. */
export interface EvidenceSink {
  /** Nothing more of this file is wanted: it cannot be read, and `finish` says why. */
  readonly isRefused: boolean;
  /** What matters of this file was read: its end may be told at once. */
  readonly isSatisfied?: boolean;
  /** Takes a chunk, which is the sender's again when this returns. */
  push(chunk: Uint8Array): void;
  end(): void;
}

/** Reads files one after another as their bytes come in, with the limits of `evidenceLimits` for all of them. */
export class EvidenceReader {
  readonly #options: ReadOptions;
  readonly #gathered = new Gathered();
  readonly #unreadable: UnreadableFile[] = [];
  readonly #used = { wholeBytes: 0, streamedBytes: 0, spanCount: 0 };
  #fileCount = 0;
  #bytesRead = 0;

  constructor(options: ReadOptions = {}) {
    this.#options = options;
  }

  /** Begins with a file. Its size, where it is known, saves memory; the file before must have ended. */
  open(name: string, sizeBytes?: number): EvidenceSink {
    this.#fileCount += 1;
    let reading: FileReading | undefined = new FileReading(name, this.#used, {
      sizeBytes,
      expandZstd: this.#options.expandZstd,
    });
    const guard = (step: (reading: FileReading) => void): void => {
      if (reading === undefined) return;
      try {
        step(reading);
      } catch (error) {
        if (!(error instanceof EvidenceError)) throw error;
        this.#unreadable.push(unreadableOf(name, error));
        reading = undefined;
      }
    };
    if (this.#fileCount > evidenceLimits.fileCountMax) {
      guard(() => {
        throw tooMuch("files", evidenceLimits.fileCountMax);
      });
    }
    return {
      get isRefused() {
        return reading === undefined;
      },
      get isSatisfied() {
        return reading?.isSatisfied === true;
      },
      push: (chunk) => {
        this.#bytesRead += chunk.length;
        guard((file) => {
          file.push(chunk);
          this.#tell(file.spanCount);
        });
      },
      end: () => {
        guard((file) => {
          const { format, content } = file.end();
          this.#gathered.add({ name, format }, content);
          this.#used.spanCount += content.spans?.length ?? 0;
          this.#tell(0);
        });
        reading = undefined;
      },
    };
  }

  /** What all files hold. The reader is empty afterwards. */
  finish(): ReadEvidence {
    const evidence = this.#gathered.evidence(this.#options.createHasher);
    return { evidence, unreadable: this.#unreadable };
  }

  #tell(spanCount: number): void {
    this.#options.onProgress?.({
      bytesRead: this.#bytesRead,
      spanCount: this.#used.spanCount + spanCount,
    });
  }
}

/** What a thrown error says about a file. */
function unreadableOf(name: string, error: EvidenceError): UnreadableFile {
  return {
    name,
    message: error.message,
    ...(error.where === undefined ? {} : { where: error.where }),
    expected: error.expected,
    code: error.code,
    ...(error.isUnknownForm ? { isUnknownForm: true } : {}),
  };
}

/** What was read so far, kept apart until all files are in. */
class Gathered {
  readonly #spans: FromFile<Span>[] = [];
  readonly #objects: FromFile<KubernetesObject>[] = [];
  readonly #models: FromFile<ModelFile>[] = [];
  readonly #processes: FromFile<TracedProcess>[] = [];
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
    if (content.modelFiles !== undefined) this.#models.push({ source, items: content.modelFiles });
    if (content.processes !== undefined) this.#processes.push({ source, items: content.processes });
    for (const turns of content.transcripts ?? []) {
      this.#parts.push({ source, content: { kind: "transcript", turns: [...turns] } });
    }
    for (const part of content.contents ?? []) this.#parts.push({ source, content: part });
    for (const item of content.evidence ?? []) this.#frozen.push(item);
  }

  evidence(createHasher: CreateHasher | undefined): Evidence[] {
    const { evidence } = createSnapshot(this.#all(), createHasher);
    return this.#frozen.length === 0
      ? evidence
      : snapshotOf([...evidence, ...this.#frozen]).evidence;
  }

  *#all(): Generator<SnapshotPart> {
    yield* mergeSpans(this.#spans);
    yield* mergeObjects(this.#objects);
    yield* mergeModels(this.#models);
    yield* mergeTraining(this.#processes);
    yield* this.#parts;
  }
}
