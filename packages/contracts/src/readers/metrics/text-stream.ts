/** Reads metrics from text as its bytes come in. */

import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatStream } from "../format.ts";
import { Utf8Stream } from "../utf8-stream.ts";

/** Takes text that may begin and end anywhere. Throws an `EvidenceError`; then it is not used any more. */
export interface TextReading {
  push(text: string): void;
  end(): FileContent;
}

/** A fault of the text's bytes is named before any other, as where a text is decoded as a whole. */
export class MetricTextStream implements FormatStream {
  readonly spanCount = 0;
  readonly #utf8 = new Utf8Stream();
  readonly #reading: TextReading;
  #fault: EvidenceError | undefined;

  constructor(reading: TextReading) {
    this.#reading = reading;
  }

  push(chunk: Uint8Array): void {
    const text = this.#utf8.push(chunk);
    if (this.#fault !== undefined) return;
    try {
      this.#reading.push(text);
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      this.#fault = error;
    }
  }

  end(): FileContent {
    this.#utf8.end();
    if (this.#fault !== undefined) throw this.#fault;
    return this.#reading.end();
  }
}
