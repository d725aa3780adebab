/** An append-only log on local disk. What was acknowledged survives the process, the system and the power. */

import type { JournalFileSystem } from "../file-system/file-system.ts";
import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { JournalError } from "../journal-error.ts";
import { type AppendDone, BatchBuffer } from "./batch-buffer.ts";
import { batchHeaderBytes, payloadBytesLimit, recordPrefixBytes } from "./batch-header.ts";
import { defaultLogLimits, type LogLimits, type LogOptions } from "./options.ts";
import { type LogEntry, type LogPosition, logPosition } from "./position.ts";
import { readSegments } from "./read-segments.ts";
import { type LogRecovery, recoverLog } from "./recover.ts";
import { SegmentChain } from "./segment-chain.ts";

export type { LogRecovery } from "./recover.ts";

/** One file of a log, for retention by size or age. */
export interface LogSegment {
  readonly name: string;
  readonly start: LogPosition;
  /** Where the next segment starts, or the end of the log. */
  readonly end: LogPosition;
  readonly createdAtMs: number;
}

/** An append that found no room in the batch that fills. */
interface WaitingAppend {
  readonly records: readonly Uint8Array[];
  readonly bytes: number;
  readonly done: AppendDone;
}

interface LogParts {
  readonly fileSystem: JournalFileSystem;
  readonly folder: string;
  readonly limits: LogLimits;
  readonly chain: SegmentChain;
  readonly lock: AsyncDisposable;
  readonly recovery: LogRecovery;
}

export class Log implements AsyncDisposable {
  /** What opening found and did. */
  readonly recovery: LogRecovery;
  readonly #parts: LogParts;
  #filling: BatchBuffer;
  #writing: BatchBuffer;
  #waiting: WaitingAppend[] = [];
  #running: Promise<void> | undefined;
  /** Set once it takes no more. */
  #ended: JournalError | undefined;
  #dropping: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(parts: LogParts) {
    this.recovery = parts.recovery;
    this.#parts = parts;
    this.#filling = new BatchBuffer(parts.limits.batchBytesMax);
    this.#writing = new BatchBuffer(parts.limits.batchBytesMax);
  }

  /**
   * Opens the log in a folder, or begins one, as its one writer. A write that a crash has torn is cut off. Throws
   * `journal_corrupt` with the segment and the offset when anything that was acknowledged is damaged, and then
   * changes nothing; `journal_version_newer`, `journal_locked`, `journal_full`, `journal_unreadable`.
   */
  static async open(options: LogOptions): Promise<Log> {
    const { folder, clock, signal, fileSystem = nodeFileSystem } = options;
    const limits = checkLimits({ ...defaultLogLimits, ...options.limits });
    signal.throwIfAborted();
    await using stack = new AsyncDisposableStack();
    try {
      await fileSystem.makeFolder(folder);
      const lock = stack.use(await fileSystem.lock(folder));
      const recovered = await recoverLog(fileSystem, options);
      stack.defer(async () => await recovered.file.close());
      const chain = new SegmentChain({ fileSystem, folder, limits, clock, recovered });
      // So that damage to what recovery found whole is told from a torn write from now on.
      await chain.mark();
      stack.move();
      return new Log({ fileSystem, folder, limits, chain, lock, recovery: recovered.recovery });
    } catch (error) {
      if (error instanceof JournalError || signal.aborted) throw error;
      throw new JournalError(
        "journal_unreadable",
        `The journal in ${folder} cannot be opened: ${String(error)}.`,
        { cause: error },
      );
    }
  }

  /** Where the oldest segment starts. */
  get start(): LogPosition {
    return logPosition(this.#parts.chain.start);
  }

  /** Behind the last record that is durable. */
  get end(): LogPosition {
    return logPosition(this.#parts.chain.end);
  }

  get segments(): readonly LogSegment[] {
    return this.#parts.chain.segments.map(({ name, base, end, createdAtMs }) => ({
      name,
      start: logPosition(base),
      end: logPosition(end),
      createdAtMs,
    }));
  }

  /** Set once a write or a sync has failed: nothing more is taken, what was acknowledged can still be read. */
  get failure(): JournalError | undefined {
    return this.#ended?.code === "journal_poisoned" ? this.#ended : undefined;
  }

  /** The appends that wait because the batch that fills is full. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /**
   * Appends a record and gives its position once it is durable. Appends that come together are one write and one
   * sync, in the order of the calls. When a batch is full the call waits for the next; until it is done the record's
   * bytes must not change. Throws `journal_full`, `journal_busy`, `journal_record_too_large`, `journal_poisoned`,
   * `journal_closed`; after the first two the log is as it was and may be tried again.
   */
  append(record: Uint8Array): Promise<LogPosition> {
    return new Promise((resolve, reject) => {
      this.appendThen(record, (error, position) => {
        if (error === undefined) resolve(position);
        else reject(error);
      });
    });
  }

  /** As `append`, for hot paths: `done` is called once, perhaps before this returns, and must not throw. */
  appendThen(record: Uint8Array, done: AppendDone): void {
    const bytes = recordPrefixBytes + record.length;
    const refusal = this.#refusal(bytes);
    if (refusal !== undefined) {
      done(refusal, this.end);
      return;
    }
    if (this.#waiting.length === 0 && this.#filling.hasRoom(bytes)) {
      this.#filling.expect(done);
      this.#filling.add(record);
    } else if (!this.#wait({ records: [record], bytes, done })) return;
    this.#running ??= this.#run();
  }

  /** Appends records that belong together: after a crash all of them are there, or none. Gives their positions. */
  async appendMany(records: readonly Uint8Array[]): Promise<LogPosition[]> {
    if (records.length === 0) return [];
    let bytes = 0;
    for (const record of records) bytes += recordPrefixBytes + record.length;
    const first = await new Promise<LogPosition>((resolve, reject) => {
      const done: AppendDone = (error, position) => {
        if (error === undefined) resolve(position);
        else reject(error);
      };
      const refusal = this.#refusal(bytes);
      if (refusal !== undefined) return reject(refusal);
      if (this.#waiting.length === 0 && this.#filling.hasRoom(bytes)) {
        addTogether(this.#filling, records, done);
      } else if (!this.#wait({ records, bytes, done })) return undefined;
      this.#running ??= this.#run();
      return undefined;
    });
    let position: number = first;
    return records.map((record) => {
      const own = logPosition(position);
      position += recordPrefixBytes + record.length;
      return own;
    });
  }

  /**
   * The records from a position on, up to the end as it is when the reader gets there. `from` is `logStart`, a
   * record's `position` or `next`, or `end`. Throws `journal_position_dropped`, `journal_position_unknown`,
   * `journal_corrupt`.
   */
  async *read(from: LogPosition, signal: AbortSignal): AsyncGenerator<LogEntry, void, undefined> {
    for await (const entries of this.readBatches(from, signal)) yield* entries;
  }

  /** As `read`, by the batches in which they were written, which costs less for each record. */
  readBatches(
    from: LogPosition,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogEntry[], void, undefined> {
    return readSegments({ ...this.#parts, from, signal });
  }

  /** Drops the oldest segments as long as they end at or before `position`; gives how many. The last one stays. */
  async dropBefore(position: LogPosition): Promise<number> {
    if (this.#closing !== undefined) throw closedError();
    const turn = this.#dropping.then(async () => await this.#parts.chain.dropBefore(position));
    this.#dropping = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      const words = `A segment cannot be removed: ${String(error)}.`;
      throw new JournalError("journal_unreadable", words, { cause: error });
    }
  }

  /** Writes what was accepted, then closes the files and lets the lock go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    await this.#running;
    this.#ended ??= closedError();
    await this.#dropping;
    await using lock = this.#parts.lock;
    void lock;
    await this.#parts.chain.close();
  }

  #refusal(bytes: number): JournalError | undefined {
    if (this.#ended !== undefined) return this.#ended;
    if (this.#closing !== undefined) return closedError();
    const bytesMax = this.#parts.limits.batchBytesMax - batchHeaderBytes;
    if (bytes <= bytesMax) return undefined;
    return new JournalError(
      "journal_record_too_large",
      `What belongs together takes ${bytes} bytes with its prefixes, and a batch holds ${bytesMax}.`,
    );
  }

  #wait(append: WaitingAppend): boolean {
    if (this.#waiting.length >= this.#parts.limits.waitingCountMax) {
      const words = `${this.#waiting.length} appends wait for the disk already.`;
      append.done(new JournalError("journal_busy", words), this.end);
      return false;
    }
    this.#waiting.push(append);
    return true;
  }

  /** Writes batches until none is left, then marks the end. Never rejects: every failure goes to those it concerns. */
  async #run(): Promise<void> {
    // Calls of one turn become one batch.
    await Promise.resolve();
    let isMarked = false;
    while (this.#ended === undefined && !(isMarked && this.#filling.recordCount === 0)) {
      if (this.#filling.recordCount > 0) {
        await this.#writeBatch();
        isMarked = false;
      } else {
        isMarked = true;
        await this.#parts.chain.mark().catch((error: unknown) => this.#end(error));
      }
    }
    this.#filling.rest();
    this.#writing.rest();
    this.#running = undefined;
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#filling;
    this.#filling = this.#writing;
    this.#writing = batch;
    this.#admitWaiting();
    const outcome = await this.#parts.chain.write(batch).catch(asJournalError);
    if (outcome instanceof JournalError) {
      batch.fail(outcome);
      if (outcome.code !== "journal_full") this.#end(outcome);
    } else {
      batch.succeed(outcome);
    }
    batch.clear();
  }

  /** Moves those that wait into the batch that fills, in their order, as far as there is room. */
  #admitWaiting(): void {
    let count = 0;
    for (const { records, bytes, done } of this.#waiting) {
      if (!this.#filling.hasRoom(bytes)) break;
      addTogether(this.#filling, records, done);
      count += 1;
    }
    if (count > 0) this.#waiting = this.#waiting.slice(count);
  }

  /** Takes no more, and tells all who wait. */
  #end(error: unknown): void {
    const failure = asJournalError(error);
    this.#ended = failure;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#filling.fail(failure);
    this.#filling.clear();
    for (const { done } of waiting) done(failure, this.end);
  }
}

function addTogether(batch: BatchBuffer, records: readonly Uint8Array[], done: AppendDone): void {
  batch.expect(done);
  for (const record of records) batch.add(record);
}

function checkLimits(limits: LogLimits): LogLimits {
  const { segmentBytesMax, batchBytesMax, bytesMax } = limits;
  const batchBytesLimit = batchHeaderBytes + payloadBytesLimit;
  if (batchBytesMax <= batchHeaderBytes + recordPrefixBytes || batchBytesMax > batchBytesLimit) {
    throw new RangeError(`batchBytesMax is out of range: ${batchBytesMax}`);
  }
  if (segmentBytesMax < batchBytesMax || bytesMax < segmentBytesMax) {
    throw new RangeError("batchBytesMax, segmentBytesMax and bytesMax must ascend");
  }
  return limits;
}

function asJournalError(error: unknown): JournalError {
  if (error instanceof JournalError) return error;
  return new JournalError("journal_poisoned", `The journal failed: ${String(error)}.`, {
    cause: error,
  });
}

function closedError(): JournalError {
  return new JournalError("journal_closed", "The journal is closed.");
}
