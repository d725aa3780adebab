/** The journal of the replies that one gateway process keeps: one log, the index of what is in it, and what is dropped when. */

import type { Clock, Random } from "#kernel/index.ts";
import { type JournalFileSystem, Log, type LogPosition } from "@faultline/journal";
import { PlatformError, type TenantId } from "@faultline/protocol";

import { closeInterrupted } from "./close-interrupted.ts";
import type { StoredPart } from "./follower.ts";
import { storageFull, toJournalFailure } from "./journal-failure.ts";
import { KeptReply } from "./kept-reply.ts";
import { streamLimits } from "./limits.ts";
import { type RecoveredReplies, recoverReplies } from "./recover-replies.ts";
import { decodeRecord, encodeRecord, type ReplyRecord } from "./reply-record.ts";

export interface ReplyJournalOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
  /** Bounds of the newest settings. */
  readonly bounds: () => ReplyJournalBounds;
  /** The disk, unless a test brings its own. */
  readonly fileSystem?: JournalFileSystem;
  /** `successor` still tells that the call of its key was made. */
  readonly onDropped: (reply: KeptReply, successor: KeptReply | undefined) => void;
}

export interface ReplyJournalBounds {
  /** How long a reply is kept after its end, and how many bytes of disk the journal may take. */
  readonly retentionMs: number;
  readonly bytesMax: number;
}

type OnAppended = (error: PlatformError | undefined, position: LogPosition) => void;

export class ReplyJournal implements AsyncDisposable {
  /** This life of the journal. */
  readonly epoch: number;
  readonly #options: ReplyJournalOptions;
  readonly #log: Log;
  readonly #replies: Map<number, KeptReply>;
  readonly #countByTenant = new Map<TenantId, number>();
  readonly #closing = new AbortController();
  /** Replies that have ended and have parts in memory, in the order of their ends. */
  readonly #remembered = new Set<KeptReply>();
  #rememberedBytes = 0;
  #nextNumber: number;
  #waitingBytes = 0;
  /** Monotonic times of appends that wait, oldest first; 0 stands where one is done. */
  #oldestWaitingMs: number | undefined;
  #waitingCount = 0;

  private constructor(options: ReplyJournalOptions, log: Log, recovered: RecoveredReplies) {
    this.#options = options;
    this.#log = log;
    this.#replies = recovered.replies;
    this.#nextNumber = recovered.nextNumber;
    this.epoch = recovered.epoch;
    for (const reply of this.#replies.values()) this.#count(reply, 1);
  }

  /** Opens the journal of a folder, and gives an end to what a crash has left open. Throws `JournalError`. */
  static async open(options: ReplyJournalOptions): Promise<ReplyJournal> {
    const { folder, clock, random, signal } = options;
    const { segmentBytesMax, batchBytesMax } = streamLimits;
    const bytesMax = Math.max(options.bounds().bytesMax, segmentBytesMax * 2);
    const log = await Log.open({
      folder,
      clock,
      random,
      signal,
      limits: { segmentBytesMax, batchBytesMax, bytesMax },
      verify: "last-segment",
      ...(options.fileSystem === undefined ? {} : { fileSystem: options.fileSystem }),
    });
    try {
      const recovered = await recoverReplies(log, signal);
      const journal = new ReplyJournal(options, log, recovered);
      journal.#closeInterrupted(recovered);
      journal.#retain();
      clock.every(streamLimits.retentionTickMs, journal.#closing.signal, () => journal.#retain());
      return journal;
    } catch (error) {
      await log[Symbol.asyncDispose]();
      throw error;
    }
  }

  get replies(): Iterable<KeptReply> {
    return this.#replies.values();
  }

  get followerCount(): number {
    let count = 0;
    for (const reply of this.#replies.values()) count += reply.followerCount;
    return count;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#log.end - this.#log.start;
  }

  /** How long the oldest record waits for the disk, in milliseconds. */
  get lagMs(): number {
    return this.#oldestWaitingMs === undefined
      ? 0
      : this.#options.clock.monotonicMs() - this.#oldestWaitingMs;
  }

  /** Why it was poisoned: a write or a sync has failed, and until a restart it takes nothing more. */
  get failure(): string | undefined {
    const { failure } = this.#log;
    if (failure === undefined) return undefined;
    return failure.cause instanceof Error ? failure.cause.message : failure.message;
  }

  get isCongested(): boolean {
    return this.#waitingBytes > streamLimits.journalWaitingBytesMax;
  }

  nowMs(): number {
    return this.#options.clock.nowMs();
  }

  /** Gives a reply its number and writes down its beginning. Throws `storage_full`, `limit_exceeded`, `journal_unavailable`. */
  begin(reply: KeptReply, onAppended: OnAppended): void {
    this.#admit(reply);
    const number = this.#nextNumber;
    this.#nextNumber += 1;
    reply.number = number;
    reply.facts = { ...reply.facts, epoch: this.epoch };
    this.#replies.set(number, reply);
    this.#count(reply, 1);
    this.append({ kind: "begin", number, facts: reply.facts }, (error, position) => {
      if (error === undefined) reply.beginPosition = position;
      else this.#drop(number, reply);
      onAppended(error, position);
    });
  }

  /** Appends a record; `done` is called once it is durable, or will not be, perhaps before this returns. */
  append(record: Exclude<ReplyRecord, { kind: "foreign" }>, done: OnAppended): void {
    const bytes = encodeRecord(record);
    this.#waitingBytes += bytes.length;
    this.#waitingCount += 1;
    this.#oldestWaitingMs ??= this.#options.clock.monotonicMs();
    this.#log.appendThen(bytes, (error, position) => {
      this.#waitingBytes -= bytes.length;
      this.#waitingCount -= 1;
      // The others came after this one, which is all that is known of them: the lag is never shown too long.
      this.#oldestWaitingMs =
        this.#waitingCount === 0 ? undefined : this.#options.clock.monotonicMs();
      done(error === undefined ? undefined : toJournalFailure(error), position);
    });
  }

  /** A reply has ended: from now on its memory counts with that of the others. */
  onEnded(reply: KeptReply): void {
    this.#remembered.add(reply);
    this.#rememberedBytes += reply.memoryBytes;
    for (const oldest of this.#remembered) {
      if (this.#rememberedBytes <= streamLimits.endedMemoryBytesMax) return;
      this.#rememberedBytes -= oldest.forget(0);
      this.#remembered.delete(oldest);
    }
  }

  /** The parts of a reply from this index on, out of the log. */
  async *readParts(
    reply: KeptReply,
    from: number,
    signal: AbortSignal,
  ): AsyncGenerator<StoredPart, void, undefined> {
    const place = reply.placeOf(from);
    if (place === undefined) return;
    let next = from;
    for await (const { record: bytes } of this.#log.read(place, signal)) {
      const record = decodeRecord(bytes);
      if (record.kind !== "part" || record.number !== reply.number) continue;
      if (record.index !== next) continue;
      yield { index: record.index, bytes: record.bytes };
      next += 1;
      if (next >= reply.durableCount) return;
    }
  }

  /** Lets go of what is left of a reply whose key is free again, unless it is a stream of its own. */
  forget(reply: KeptReply): void {
    if (reply.number !== undefined && !reply.facts.durable) this.#drop(reply.number, reply);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#log[Symbol.asyncDispose]();
  }

  #admit({ facts }: KeptReply): void {
    const { failure } = this.#log;
    if (failure !== undefined) throw toJournalFailure(failure);
    const { tenantReplyCountMax, replyCountMax, admissionFillMax } = streamLimits;
    if (this.bytes > this.#options.bounds().bytesMax * admissionFillMax) this.#retain();
    if (this.bytes > this.#options.bounds().bytesMax * admissionFillMax) throw storageFull();
    const ofTenant = this.#countByTenant.get(facts.tenantId) ?? 0;
    if (ofTenant >= tenantReplyCountMax || this.#replies.size >= replyCountMax) {
      throw new PlatformError(
        "limit_exceeded",
        ofTenant >= tenantReplyCountMax
          ? `This tenant has ${ofTenant} durable streams and keyed calls kept in this gateway process already.`
          : `This gateway process keeps ${this.#replies.size} durable streams and keyed calls already.`,
        { hint: "They go when their time is over; the operator sets it in `gateway`." },
      );
    }
  }

  #count({ facts }: KeptReply, change: 1 | -1): void {
    const count = (this.#countByTenant.get(facts.tenantId) ?? 0) + change;
    if (count === 0) this.#countByTenant.delete(facts.tenantId);
    else this.#countByTenant.set(facts.tenantId, count);
  }

  #closeInterrupted({ open, epoch }: RecoveredReplies): void {
    for (const [reply, lastPart] of open) {
      const { number } = reply;
      if (number === undefined) continue;
      const closing = closeInterrupted(reply, lastPart, { epoch, nowMs: this.nowMs() });
      const ignore = (): void => {};
      if (closing.head !== undefined) {
        reply.head = closing.head;
        reply.isHeadDurable = true;
        this.append({ kind: "head", number, head: closing.head }, ignore);
      }
      if (closing.part !== undefined) {
        const index = reply.partCount;
        reply.add(closing.part);
        this.append({ kind: "part", number, index, bytes: closing.part }, (error, position) => {
          if (error === undefined) reply.confirmPart(position);
        });
      }
      reply.end = closing.end;
      this.append({ kind: "end", number, end: closing.end }, (error) => {
        reply.isEndDurable = error === undefined;
        reply.isJournalLost = error !== undefined;
        reply.journalError = error;
        this.onEnded(reply);
        reply.tellFollowers();
      });
    }
  }

  /** Drops what is past its time, and the oldest of what has ended when the disk's share is nearly used up. */
  #retain(): void {
    const { retentionMs, bytesMax } = this.#options.bounds();
    const endedBefore = this.nowMs() - retentionMs;
    const pressed = this.bytes > bytesMax * streamLimits.pressureFill;
    const keepFrom = pressed ? this.#log.end - bytesMax * streamLimits.relievedFill : 0;
    let oldest: LogPosition | undefined;
    let makesRoom = false;
    for (const [number, reply] of this.#replies) {
      const { end, beginPosition } = reply;
      // One that the disk did not take to its end would else hold the log for ever.
      const isSettled = reply.isEndDurable || reply.isJournalLost;
      const isOver = end !== undefined && isSettled && reply.followerCount === 0;
      const isPressed = isOver && (beginPosition ?? Infinity) < keepFrom;
      if (isOver && end.endedMs < endedBefore) this.#drop(number, reply);
      else if (isPressed) makesRoom = this.#makeRoom(number, reply) || makesRoom;
      // Replies are in the order of their beginnings.
      else oldest ??= beginPosition;
    }
    // What is written down anew must be durable before the first writing goes.
    if (makesRoom) return;
    const position = oldest ?? this.#log.end;
    this.#log.dropBefore(position).catch(() => {
      // The next turn tries again; a log that cannot be used says so to those who append.
    });
  }

  /** Drops a reply before its time. That the call of its key was made is written down anew, and then it says yes. */
  #makeRoom(number: number, reply: KeptReply): boolean {
    const { facts, end } = reply;
    if (facts.key === undefined || end === undefined || end.outcome === "released") {
      this.#drop(number, reply);
      return false;
    }
    const successor = new KeptReply({ ...facts, durable: false });
    const own = this.#nextNumber;
    this.#nextNumber += 1;
    successor.number = own;
    successor.end = { how: "broken", outcome: "dropped", endedMs: end.endedMs };
    this.#replies.set(own, successor);
    this.#count(successor, 1);
    this.append({ kind: "begin", number: own, facts: successor.facts }, (error, position) => {
      if (error === undefined) successor.beginPosition = position;
    });
    this.append({ kind: "end", number: own, end: successor.end }, (error) => {
      successor.isEndDurable = error === undefined;
      successor.isJournalLost = error !== undefined;
    });
    this.#drop(number, reply, successor);
    return true;
  }

  #drop(number: number, reply: KeptReply, successor?: KeptReply): void {
    if (!this.#replies.delete(number)) return;
    this.#count(reply, -1);
    if (this.#remembered.delete(reply)) this.#rememberedBytes -= reply.memoryBytes;
    this.#options.onDropped(reply, successor);
  }
}
