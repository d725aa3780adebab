/** Reads a file of which only the header matters, and lets the rest pass by. */

import { EvidenceError } from "../evidence-error.ts";
import { concatenate } from "../expand.ts";
import type { FileContent, FormatStream } from "../format.ts";
import { modelLimits } from "./limits.ts";

/** Reads a header, or says how many bytes it needs at least. Throws where it is broken. */
export type ReadHeader = (bytes: Uint8Array) => FileContent | { readonly bytesMin: number };

/** Whether a header needs more bytes than were given. */
export function needsMore(
  result: FileContent | { readonly bytesMin: number },
): result is { readonly bytesMin: number } {
  return "bytesMin" in result;
}

export class HeaderStream implements FormatStream {
  readonly spanCount = 0;
  readonly #read: ReadHeader;
  #pieces: Uint8Array[] = [];
  #size = 0;
  #bytesMin = 1;
  #content: FileContent | undefined;

  constructor(read: ReadHeader) {
    this.#read = read;
  }

  get isSatisfied(): boolean {
    return this.#content !== undefined;
  }

  push(chunk: Uint8Array): void {
    if (this.#content !== undefined) return;
    this.#pieces.push(chunk.slice());
    this.#size += chunk.length;
    if (this.#size < this.#bytesMin) return;
    const bytes = concatenate(this.#pieces);
    this.#pieces = [bytes];
    const result = this.#read(bytes);
    if (!needsMore(result)) {
      this.#content = result;
      this.#pieces = [];
      return;
    }
    if (result.bytesMin > modelLimits.headerBytesMax) {
      throw new EvidenceError("The header is too large.", {
        expected: `at most ${modelLimits.headerBytesMax} bytes`,
      });
    }
    // What is looked at again has at least doubled, so that all looks together cost no more than two.
    this.#bytesMin = Math.max(result.bytesMin, this.#size * 2);
  }

  end(): FileContent {
    // The file may end before it has doubled.
    return this.#content ?? readWholeHeader(this.#read, concatenate(this.#pieces));
  }
}

/** Reads the header of a file that is here whole. */
export function readWholeHeader(read: ReadHeader, bytes: Uint8Array): FileContent {
  const result = read(bytes);
  if (!needsMore(result)) return result;
  throw new EvidenceError("The file ends within its header.", {
    expected: `at least ${result.bytesMin} bytes`,
    where: `byte ${bytes.length}`,
  });
}
