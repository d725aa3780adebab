/** Takes a reply as it is relayed, journals it and hands it to all who read along. */

import type { SurfaceName } from "#config/index.ts";
import type { PlatformError } from "@faultline/protocol";

import { isEventStream, type ReplyHead } from "../calls/reply-head.ts";
import type { ReplySink } from "../calls/reply-sink.ts";
import { numberFrame } from "./event-id.ts";
import { FrameSplitter } from "./frame-splitter.ts";
import type { KeptReply } from "./kept-reply.ts";
import { streamLimits } from "./limits.ts";
import type { ReplyEnd } from "./reply-facts.ts";
import type { ReplyJournal } from "./reply-journal.ts";
import { streamIdHeader } from "./stream-id.ts";

/** Whoever makes the reply. */
export interface RecordedWork {
  /** It must end: it was stopped, or the journal takes no more of it. */
  fail(error: PlatformError): void;
}

export class ReplyRecorder implements ReplySink {
  readonly reply: KeptReply;
  readonly #journal: ReplyJournal;
  readonly #startedListeners: (() => void)[] = [];
  readonly #settledListeners: (() => void)[] = [];
  #work: RecordedWork | undefined;
  #splitter: FrameSplitter | undefined;
  #how: ReplyEnd["how"] | undefined;
  #waitingBytes = 0;
  #drainListeners: (() => void)[] = [];
  #isDispatched = false;
  statusCode = 200;

  constructor(reply: KeptReply, journal: ReplyJournal) {
    this.reply = reply;
    this.#journal = journal;
  }

  get headersSent(): boolean {
    return this.reply.head !== undefined;
  }

  /** Told once it is journaled. */
  onStarted(listener: () => void): void {
    this.#startedListeners.push(listener);
  }

  /** Told once it has ended, before those who read along. */
  onSettled(listener: () => void): void {
    this.#settledListeners.push(listener);
  }

  /** Ends the work. */
  fail(error: PlatformError): void {
    this.#work?.fail(error);
  }

  /** Begins to journal. Throws `storage_full`, `limit_exceeded` or `journal_unavailable`. */
  start(
    work: RecordedWork,
    what: { readonly surface: SurfaceName; readonly durable: boolean },
  ): void {
    this.#work = work;
    this.reply.facts = { ...this.reply.facts, ...what };
    this.#journal.begin(this.reply, (error) => {
      if (error !== undefined) this.#lose(error);
    });
    for (const listener of this.#startedListeners) listener();
  }

  /** Calls back once the journal knows that the request may reach a provider; not when the journal is lost. */
  beforeDispatch(then: () => void): void {
    const { reply } = this;
    if (this.#isDispatched || reply.number === undefined) {
      then();
      return;
    }
    this.#isDispatched = true;
    this.#journal.append({ kind: "dispatched", number: reply.number }, (error) => {
      if (error !== undefined) {
        this.#lose(error);
        return;
      }
      reply.dispatched = true;
      then();
    });
  }

  writeHead(status: number, given: ReplyHead): void {
    const { reply } = this;
    this.statusCode = status;
    const isNumbered = reply.facts.durable && isEventStream(given);
    const head = isNumbered ? { ...given, [streamIdHeader]: reply.facts.id } : given;
    reply.head = { status, head };
    if (isNumbered) {
      this.#splitter = new FrameSplitter((frame, blankAt) =>
        this.#add(
          numberFrame(frame, blankAt, {
            epoch: reply.facts.epoch,
            sequence: reply.partCount + 1,
          }),
        ),
      );
    }
    if (reply.number === undefined || reply.isJournalLost) return;
    this.#journal.append({ kind: "head", number: reply.number, head: reply.head }, (error) => {
      if (error !== undefined) {
        this.#lose(error);
        return;
      }
      reply.isHeadDurable = true;
      reply.tellFollowers();
    });
  }

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    if (this.#splitter === undefined) this.#addPieces(bytes);
    else this.#splitter.write(bytes);
    this.reply.tellFollowers();
    return !this.#isCongested;
  }

  end(chunk?: Buffer | string): void {
    if (chunk !== undefined && chunk.length > 0) this.write(chunk);
    this.#how ??= "complete";
  }

  once(_event: "drain", listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  destroy(): void {
    this.#how ??= "broken";
  }

  cut(): void {
    this.#how ??= "cut";
  }

  /** Says what is left of it. Nothing is written afterwards. */
  settle(outcome: ReplyEnd["outcome"]): void {
    const { reply } = this;
    if (reply.end !== undefined) return;
    this.#splitter?.end();
    const end: ReplyEnd = {
      how: this.#how ?? "cut",
      // What was never written down could not be dropped in its time either.
      outcome: reply.isJournalLost || reply.number === undefined ? "released" : outcome,
      endedMs: this.#journal.nowMs(),
    };
    reply.end = end;
    for (const listener of this.#settledListeners) listener();
    if (reply.number !== undefined && !reply.isJournalLost) {
      this.#journal.append({ kind: "end", number: reply.number, end }, (error) => {
        if (error === undefined) reply.isEndDurable = true;
        else this.#loseEnd(end, error);
        this.#journal.onEnded(reply);
        reply.tellFollowers();
        // Nobody comes back for it.
        if (end.outcome === "released") this.#journal.forget(reply);
      });
    }
    reply.tellFollowers();
  }

  /** All of it came, but nobody who comes back can be shown that it is whole. */
  #loseEnd(end: ReplyEnd, error: PlatformError): void {
    this.reply.isJournalLost = true;
    this.reply.journalError = error;
    if (end.outcome === "kept") this.reply.end = { ...end, outcome: "dropped" };
  }

  get #isCongested(): boolean {
    return (
      this.#waitingBytes > streamLimits.replyWaitingBytesMax ||
      (this.#waitingBytes > 0 && this.#journal.isCongested)
    );
  }

  #addPieces(bytes: Buffer): void {
    // A copy: what comes from the provider's connection is a view of a larger buffer.
    const own = Buffer.from(bytes);
    for (let at = 0; at < own.length; at += streamLimits.partBytesMax) {
      this.#add(own.subarray(at, at + streamLimits.partBytesMax));
    }
  }

  #add(bytes: Buffer): void {
    const { reply } = this;
    const index = reply.partCount;
    reply.add(bytes);
    if (reply.number === undefined || reply.isJournalLost) return;
    this.#waitingBytes += bytes.length;
    this.#journal.append(
      { kind: "part", number: reply.number, index, bytes },
      (error, position) => {
        this.#waitingBytes -= bytes.length;
        if (error !== undefined) {
          this.#lose(error);
          return;
        }
        if (reply.isJournalLost) return;
        reply.confirmPart(position);
        reply.forget(streamLimits.openMemoryBytesMax);
        reply.tellFollowers();
        if (!this.#isCongested) this.#drain();
      },
    );
  }

  #drain(): void {
    const listeners = this.#drainListeners;
    if (listeners.length === 0) return;
    this.#drainListeners = [];
    for (const listener of listeners) listener();
  }

  #lose(error: PlatformError): void {
    const { reply } = this;
    if (reply.isJournalLost) return;
    reply.isJournalLost = true;
    reply.journalError = error;
    this.fail(error);
    this.#drain();
    reply.tellFollowers();
  }
}
