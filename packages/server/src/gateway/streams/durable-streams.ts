/** The durable streams of one gateway process: begun here, followed, stopped, and found again after a restart. */

import { mkdir, readdir } from "node:fs/promises";
import path from "node:path";

import type { SurfaceName } from "#config/index.ts";
import { type Clock, isAbort, type Random } from "#kernel/index.ts";
import { PlatformError, type TenantId } from "@faultline/protocol";

import type { Deadlines } from "../calls/deadlines.ts";
import type { EventId } from "./event-id.ts";
import { Follower, type FollowerPlace } from "./follower.ts";
import { toJournalFailure } from "./journal-failure.ts";
import { KeptReply } from "./kept-reply.ts";
import { streamLimits } from "./limits.ts";
import { ReplyJournal, type ReplyJournalBounds } from "./reply-journal.ts";
import { type RecordedWork, ReplyRecorder } from "./reply-recorder.ts";
import { journalOfStream, makeStreamId } from "./stream-id.ts";

/** Which of the gateway's processes this is. Its number decides what it owns. */
export interface WorkerPlace {
  readonly index: number;
  readonly count: number;
}

export interface DurableStreamsOptions {
  /** Holds a folder for each journal. */
  readonly folder: string;
  readonly worker: WorkerPlace;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadlines: Pick<Deadlines, "add" | "remove">;
  readonly signal: AbortSignal;
  readonly bounds: () => ReplyJournalBounds;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface StreamToBegin {
  readonly tenantId: TenantId;
  readonly surface: SurfaceName;
  readonly work: RecordedWork;
}

const folderPattern = /^[0-9]{1,4}$/;

export class DurableStreams implements AsyncDisposable {
  readonly #options: DurableStreamsOptions;
  /** By number: that of this process, and those of processes that there are no more. */
  readonly #journals = new Map<number, ReplyJournal>();
  readonly #replies = new Map<
    string,
    { readonly reply: KeptReply; readonly journal: ReplyJournal }
  >();
  readonly #recorders = new Map<string, ReplyRecorder>();
  #failure: unknown;
  readonly #unopened = new Map<number, string>();
  readonly #closing = new AbortController();

  constructor(options: DurableStreamsOptions) {
    this.#options = options;
  }

  /** Opens the journals that this process owns. One that cannot be opened is told to the operator, and not used. */
  async open(): Promise<void> {
    const { folder, worker } = this.#options;
    await mkdir(folder, { recursive: true });
    const numbers = new Set([worker.index]);
    for (const name of await readdir(folder)) {
      if (folderPattern.test(name) && this.#owns(Number(name))) numbers.add(Number(name));
    }
    await Promise.all([...numbers].map(async (number) => await this.#openJournal(number)));
    // A process of an earlier start may still be ending its streams: until then, this one serves without.
    for (const number of this.#unopened.keys()) void this.#openLater(number);
  }

  /** The number of the process that owns a stream; nothing for what is no id. */
  ownerOf(id: string): number | undefined {
    const journal = journalOfStream(id);
    return journal === undefined ? undefined : journal % this.#options.worker.count;
  }

  get openCount(): number {
    return this.#recorders.size;
  }

  get followerCount(): number {
    return sum(this.#journals.values(), ({ followerCount }) => followerCount);
  }

  get bytes(): number {
    return sum(this.#journals.values(), ({ bytes }) => bytes);
  }

  get lagMs(): number {
    return Math.max(0, ...[...this.#journals.values()].map(({ lagMs }) => lagMs));
  }

  /** Why journals cannot be used, for each that cannot. */
  failedJournals(): readonly string[] {
    return [...this.#unopened.values(), ...causesOf(this.#journals.values())];
  }

  /** Begins to keep a stream. Throws `storage_full`, `limit_exceeded` or `journal_unavailable`. */
  record({ tenantId, surface, work }: StreamToBegin): ReplyRecorder {
    const { worker, clock, random } = this.#options;
    const journal = this.#journals.get(worker.index);
    if (journal === undefined) throw toJournalFailure(this.#failure);
    const reply = new KeptReply({
      id: makeStreamId(worker.index, random),
      tenantId,
      surface,
      startedMs: clock.nowMs(),
      epoch: journal.epoch,
      durable: true,
      key: undefined,
    });
    const recorder = new ReplyRecorder(reply, journal);
    recorder.start(work, { surface, durable: true });
    this.keep(recorder, journal);
    return recorder;
  }

  /** Makes a stream that is kept in another journal one that can be asked for by its id. */
  keep(recorder: ReplyRecorder, journal: ReplyJournal): void {
    const { reply } = recorder;
    const { id } = reply.facts;
    this.adopt(reply, journal);
    this.#recorders.set(id, recorder);
    recorder.onSettled(() => this.#recorders.delete(id));
  }

  /** Lets a stream of another journal be found by its id. */
  adopt(reply: KeptReply, journal: ReplyJournal): void {
    this.#replies.set(reply.facts.id, { reply, journal });
  }

  /** It is kept no longer. */
  disown(id: string): void {
    this.#replies.delete(id);
  }

  /** The stream of a tenant; nothing when there is none of this id, or it is another's. */
  find(id: string, tenantId: TenantId): KeptReply | undefined {
    const reply = this.#replies.get(id)?.reply;
    if (reply === undefined || reply.facts.tenantId !== tenantId) return undefined;
    // What ended without a head was never seen by anybody.
    return reply.head === undefined && !reply.isOpen ? undefined : reply;
  }

  /** Lets a response follow a stream. */
  follow(reply: KeptReply, place: FollowerPlace): void {
    const kept = this.#replies.get(reply.facts.id);
    const { clock, deadlines, log } = this.#options;
    Follower.start(reply, place, {
      clock,
      deadlines,
      log,
      readParts: (own, from, signal) =>
        kept === undefined ? nothing() : kept.journal.readParts(own, from, signal),
    });
  }

  /** Stops a stream that is under way; says no when it has ended. */
  cancel(reply: KeptReply): boolean {
    const recorder = this.#recorders.get(reply.facts.id);
    if (recorder === undefined) return false;
    recorder.fail(
      new PlatformError("stream_cancelled", "The stream was stopped by its cancel endpoint."),
    );
    // One that had said all is whole, and nothing of it was stopped.
    return reply.end?.how !== "complete";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new DOMException("The streams are closed.", "AbortError"));
    for (const journal of this.#journals.values()) await journal[Symbol.asyncDispose]();
  }

  #owns(number: number): boolean {
    const { index, count } = this.#options.worker;
    return number % count === index;
  }

  /** Tries again until the journal is opened. */
  async #openLater(number: number): Promise<void> {
    const signal = AbortSignal.any([this.#options.signal, this.#closing.signal]);
    while (this.#unopened.has(number)) {
      try {
        await this.#options.clock.sleep(streamLimits.reopenMs, signal);
      } catch (error) {
        if (isAbort(error)) return;
        throw error;
      }
      await this.#openJournal(number);
    }
  }

  async #openJournal(number: number): Promise<void> {
    const { folder, clock, random, signal, bounds, log } = this.#options;
    try {
      const journal = await ReplyJournal.open({
        folder: path.join(folder, String(number)),
        clock,
        random,
        signal,
        bounds,
        onDropped: (reply) => this.disown(reply.facts.id),
      });
      this.#journals.set(number, journal);
      this.#unopened.delete(number);
      for (const reply of journal.replies) {
        if (reply.facts.durable) this.adopt(reply, journal);
      }
    } catch (error) {
      this.#failure = error;
      const cause = String(error);
      if (this.#unopened.get(number) === cause) return;
      this.#unopened.set(number, cause);
      log("a journal of streams cannot be opened", { journal: number, cause });
    }
  }
}

/** Where a reader that has seen this event goes on. Gives nothing for an event that the stream never had. */
export function indexAfter(reply: KeptReply, { epoch, sequence }: EventId): number | undefined {
  const { facts, end, partCount } = reply;
  if (sequence < 1) return undefined;
  if (end?.lossEpoch === undefined) {
    return epoch === facts.epoch && sequence <= partCount ? sequence : undefined;
  }
  if (epoch === end.lossEpoch) return sequence === partCount ? partCount : undefined;
  // What the reader saw beyond the journal's end is lost to others, but not to it: only the last words are left.
  return epoch === facts.epoch ? Math.min(sequence, partCount - 1) : undefined;
}

/** Why journals were poisoned. */
export function causesOf(journals: Iterable<ReplyJournal>): string[] {
  return Array.from(journals, ({ failure }) => failure).filter((cause) => cause !== undefined);
}

async function* nothing(): AsyncGenerator<never, void, undefined> {
  // There is no journal to read from.
}

function sum<Item>(items: Iterable<Item>, valueOf: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += valueOf(item);
  return total;
}
