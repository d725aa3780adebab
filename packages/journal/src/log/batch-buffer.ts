/** A batch in memory while it fills: one buffer that becomes one write. */

import type { JournalError } from "../journal-error.ts";
import {
  batchHeaderBytes,
  type BatchFacts,
  recordPrefixBytes,
  writeBatchHeader,
} from "./batch-header.ts";
import { type LogPosition, logPosition } from "./position.ts";

/** Told once: that it failed, or where the first record of the call stands, durably. */
export type AppendDone = (error: JournalError | undefined, position: LogPosition) => void;

const capacityBytesFirst = 64 * 1024;
/** What a buffer may keep while nothing is written. */
const capacityBytesIdle = 1024 * 1024;

export class BatchBuffer {
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #view: DataView;
  #length = batchHeaderBytes;
  #recordCount = 0;
  readonly #offsets: number[] = [];
  readonly #calls: AppendDone[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(capacityBytesFirst, bytesMax));
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Head and payload. */
  get length(): number {
    return this.#length;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Whether records of this length together, with their prefixes, still fit. */
  hasRoom(bytes: number): boolean {
    return this.#length + bytes <= this.#bytesMax;
  }

  /** Copies a record that fits. */
  add(record: Uint8Array): void {
    const start = this.#length;
    const end = start + recordPrefixBytes + record.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#view.setUint32(start, record.length, true);
    this.#view.setUint32(start + 4, start, true);
    this.#bytes.set(record, start + recordPrefixBytes);
    this.#length = end;
    this.#recordCount += 1;
  }

  /** Remembers whom to tell about the record that is added next. */
  expect(done: AppendDone): void {
    this.#offsets.push(this.#length);
    this.#calls.push(done);
  }

  /** The bytes of the batch at its place, valid until `clear`. Without records it is a mark. */
  seal(facts: Omit<BatchFacts, "kind" | "recordCount">): Uint8Array {
    const bytes = this.#bytes.subarray(0, this.#length);
    const recordCount = this.#recordCount;
    writeBatchHeader(bytes, {
      ...facts,
      kind: recordCount === 0 ? "mark" : "records",
      recordCount,
    });
    return bytes;
  }

  /** Tells all callers where their records stand. */
  succeed(position: number): void {
    for (let index = 0; index < this.#calls.length; index += 1) {
      this.#calls[index]?.(undefined, logPosition(position + (this.#offsets[index] ?? 0)));
    }
  }

  /** Tells all callers that nothing of theirs was kept. */
  fail(error: JournalError): void {
    for (const done of this.#calls) done(error, logPosition(0));
  }

  clear(): void {
    this.#length = batchHeaderBytes;
    this.#recordCount = 0;
    this.#offsets.length = 0;
    this.#calls.length = 0;
  }

  /** Gives memory back that a burst has taken. */
  rest(): void {
    if (this.#bytes.length > capacityBytesIdle && this.#recordCount === 0) {
      this.#replace(new Uint8Array(capacityBytesIdle));
    }
  }

  #grow(bytesNeeded: number): void {
    const capacity = Math.min(this.#bytesMax, Math.max(bytesNeeded, this.#bytes.length * 2));
    const grown = new Uint8Array(capacity);
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#replace(grown);
  }

  #replace(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}
