/** One reader of a kept reply: takes it from any part on, at the pace of its connection, and ends as the reply ends. */

import type { ServerResponse } from "node:http";

import type { Clock } from "#kernel/index.ts";
import { isAbort, unreachable } from "#kernel/index.ts";

import { isEventStream, type ReplyHead } from "../calls/reply-head.ts";
import type { ListPlace } from "../live-list.ts";
import type { Deadlines, Guarded } from "../calls/deadlines.ts";
import { sendError } from "../calls/send-error.ts";
import { surfaces } from "../calls/surface.ts";
import { gatewayLimits } from "../limits.ts";
import { lastWords } from "./close-interrupted.ts";
import { streamLimits } from "./limits.ts";
import type { Following, KeptReply } from "./kept-reply.ts";

/** A part that the journal gave back. */
export interface StoredPart {
  readonly index: number;
  readonly bytes: Buffer;
}

export interface FollowerSurroundings {
  readonly clock: Clock;
  readonly deadlines: Pick<Deadlines, "add" | "remove">;
  /** The parts of a reply from the one of this index on, out of the journal. */
  readonly readParts: (
    reply: KeptReply,
    from: number,
    signal: AbortSignal,
  ) => AsyncIterable<StoredPart>;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

export interface FollowerPlace {
  readonly response: ServerResponse;
  /** The index of the first part that it wants. */
  readonly from: number;
  /**
   * Whether it made the call. It sees what comes at once; whoever joins or comes back sees only what no crash can take
   * back.
   */
  readonly isLive: boolean;
  /** Headers of ours beside those of the reply. */
  readonly headers: Readonly<Record<string, string>>;
}

export class Follower implements Following, Guarded {
  readonly #reply: KeptReply;
  readonly #place: FollowerPlace;
  readonly #surroundings: FollowerSurroundings;
  readonly #left = new AbortController();
  #next: number;
  /** The latest part that was written. */
  #lastPart: Buffer | undefined;
  /** Waits for the connection, or for the journal. */
  #waits = false;
  /** Monotonic time since which the connection takes nothing. */
  #stalledSinceMs: number | undefined;
  #isDone = false;
  #doneMs = 0;
  #cutsLater = false;
  guardPlace: ListPlace | undefined;

  private constructor(reply: KeptReply, place: FollowerPlace, surroundings: FollowerSurroundings) {
    this.#reply = reply;
    this.#place = place;
    this.#surroundings = surroundings;
    this.#next = place.from;
  }

  /** Follows until the reader leaves or has got all. */
  static start(reply: KeptReply, place: FollowerPlace, surroundings: FollowerSurroundings): void {
    const follower = new Follower(reply, place, surroundings);
    reply.follow(follower);
    place.response.on("close", () => follower.#leave());
    if (place.response.destroyed) follower.#leave();
    else {
      surroundings.deadlines.add(follower);
      follower.#pump();
    }
  }

  onNews(): void {
    this.#pump();
  }

  /** Looks whether the reader takes what is written, and after the end the last bytes, in time. */
  onTick(nowMs: number): void {
    const { response } = this.#place;
    if (!this.#isDone) {
      const stalledMs = nowMs - (this.#stalledSinceMs ?? nowMs);
      if (stalledMs > streamLimits.readerStallMs) response.destroy();
      return;
    }
    const sinceDoneMs = nowMs - this.#doneMs;
    if (sinceDoneMs > gatewayLimits.callerDrainMs) {
      response.destroy();
    } else if (this.#cutsLater && sinceDoneMs > gatewayLimits.cutDelayMs) {
      // Without the last chunk of the transfer encoding, so that nobody takes this for a whole reply.
      this.#cutsLater = false;
      if (response.socket === null) response.destroy();
      else response.socket.destroySoon();
    }
  }

  get #showsAll(): boolean {
    return this.#place.isLive || this.#reply.number === undefined;
  }

  #leave(): void {
    this.#left.abort(new DOMException("The reader has left.", "AbortError"));
    this.#isDone = true;
    this.#reply.unfollow(this);
    this.#surroundings.deadlines.remove(this);
  }

  #pump(): void {
    if (this.#isDone || this.#waits || !this.#begin()) return;
    const reply = this.#reply;
    const { response } = this.#place;
    const count = this.#showsAll ? reply.partCount : reply.durableCount;
    response.cork();
    while (this.#next < count && !this.#waits) {
      const part = reply.partAt(this.#next);
      if (part === undefined) {
        this.#waits = true;
        void this.#readJournal();
      } else {
        this.#next += 1;
        this.#lastPart = part;
        if (!response.write(part)) this.#waitForDrain();
      }
    }
    response.uncork();
    if (!this.#waits && this.#next >= count) this.#endIfDue();
  }

  /** Whether the head is written. */
  #begin(): boolean {
    const { response, headers } = this.#place;
    if (response.headersSent) return true;
    const { head, isHeadDurable } = this.#reply;
    if (head === undefined || !(this.#showsAll || isHeadDurable)) {
      this.#endIfDue();
      return false;
    }
    const own = this.#place.isLive ? head.head : withoutStanding(head.head);
    response.writeHead(head.status, { ...own, ...headers });
    return true;
  }

  #endIfDue(): void {
    const { end, isEndDurable, isJournalLost } = this.#reply;
    if (end !== undefined && (this.#showsAll || isEndDurable)) this.#end(end.how);
    else if (isJournalLost && !this.#showsAll) this.#breakOff();
  }

  /** What is left was never written down, and cannot be shown: says so in the dialect of the reply. */
  #breakOff(): void {
    const { response, headers } = this.#place;
    const { facts, journalError: error, head } = this.#reply;
    if (error === undefined) return this.#end("broken");
    if (!response.headersSent) {
      sendError(response, error, { dialect: surfaces[facts.surface].dialect, headers });
      return this.#end("complete");
    }
    if (head === undefined || !isEventStream(head.head) || !endsEvent(this.#lastPart)) {
      return this.#end("broken");
    }
    response.write(lastWords(facts, error, this.#lastPart));
    return this.#end("cut");
  }

  #end(how: "complete" | "cut" | "broken"): void {
    const { response } = this.#place;
    this.#isDone = true;
    this.#doneMs = this.#surroundings.clock.monotonicMs();
    this.#reply.unfollow(this);
    switch (how) {
      case "complete":
        response.end();
        return;
      case "cut":
        this.#cutsLater = true;
        return;
      case "broken":
        response.destroy();
        return;
      default:
        unreachable(how);
    }
  }

  #waitForDrain(): void {
    this.#waits = true;
    this.#stalledSinceMs = this.#surroundings.clock.monotonicMs();
    this.#place.response.once("drain", () => {
      this.#stalledSinceMs = undefined;
      this.#waits = false;
      this.#pump();
    });
  }

  /** Takes parts that memory has forgotten out of the journal, until memory goes on from there. */
  async #readJournal(): Promise<void> {
    const reply = this.#reply;
    const { signal } = this.#left;
    const { readParts, log } = this.#surroundings;
    try {
      for await (const { index, bytes } of readParts(reply, this.#next, signal)) {
        this.#next = index + 1;
        this.#lastPart = bytes;
        if (!this.#place.response.write(bytes)) await this.#drained(signal);
        if (reply.partAt(this.#next) !== undefined) break;
      }
    } catch (error) {
      if (!isAbort(error)) {
        log("a kept reply cannot be read", { reply: reply.facts.id, cause: String(error) });
        this.#place.response.destroy();
      }
      return;
    }
    this.#waits = false;
    this.#pump();
  }

  async #drained(signal: AbortSignal): Promise<void> {
    this.#stalledSinceMs = this.#surroundings.clock.monotonicMs();
    const drained = Promise.withResolvers<void>();
    const onAbort = (): void => drained.reject(signal.reason);
    this.#place.response.once("drain", drained.resolve);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await drained.promise;
      this.#stalledSinceMs = undefined;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

/** Whether an event may follow: none was begun. */
function endsEvent(part: Buffer | undefined): boolean {
  return (
    part === undefined ||
    /(?:\n\n|\r\r|\r\n\r\n)$/.test(part.toString("latin1", Math.max(0, part.length - 4)))
  );
}

/** What is left of a limit is true for a moment, and for the one call that it was said to. */
const standing = /^(?:anthropic-|x-)ratelimit-/;

function withoutStanding(head: ReplyHead): ReplyHead {
  return Object.fromEntries(Object.entries(head).filter(([name]) => !standing.test(name)));
}
