/** What a reader of OTLP cut, skipped or refused, counted by sentence so that a large body cannot flood the reader. */

/** How many different sentences are kept; what comes beyond is counted together. */
const sentenceCountMax = 50;

/** Items that were refused while the rest was kept, with the reasons and how often each came. */
export interface Rejected {
  readonly count: number;
  readonly reasons: string[];
}

export class OtlpTally {
  readonly #notes = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  #rejectedCount = 0;
  #noteCount = 0;

  /** How often something was noted. */
  get noteCount(): number {
    return this.#noteCount;
  }

  /** Counts something that was cut or skipped. `sentence` must not carry content of the body. */
  note(sentence: string): void {
    this.#noteCount += 1;
    add(this.#notes, sentence);
  }

  /** Counts an item that was refused as a whole. */
  reject(reason: string): void {
    this.#rejectedCount += 1;
    add(this.#reasons, reason);
  }

  get notes(): string[] {
    return sentences(this.#notes);
  }

  get rejected(): Rejected {
    return { count: this.#rejectedCount, reasons: sentences(this.#reasons) };
  }
}

function add(counts: Map<string, number>, sentence: string): void {
  const known = counts.get(sentence);
  if (known === undefined && counts.size >= sentenceCountMax) return;
  counts.set(sentence, (known ?? 0) + 1);
}

function sentences(counts: Map<string, number>): string[] {
  const listed = Array.from(counts, ([sentence, count]) =>
    count === 1 ? sentence : `${sentence} (${count} times)`,
  );
  // The order in which things were met differs between encodings of the same records.
  return listed.sort();
}
