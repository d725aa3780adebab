/** A reply that is kept: what has come of it, how far it is durable, and who reads along. */

import type { LogPosition } from "@faultline/journal";
import type { PlatformError } from "@faultline/protocol";

import type { KeptHead, ReplyEnd, ReplyFacts } from "./reply-facts.ts";
import { streamLimits } from "./limits.ts";

/** Who reads along; told when there may be something new. */
export interface Following {
  onNews(): void;
}

interface Checkpoint {
  readonly index: number;
  readonly position: LogPosition;
}

/**
 * Parts have indexes from 0. Those up to `durableCount` survive a crash; the latest ones stand in memory, older ones in the
 * journal. The same holds for head and end, which have flags of their own.
 */
export class KeptReply {
  facts: ReplyFacts;
  /** Its number in the journal, once it is journaled. Before that it is in memory alone, and all of it may be shown. */
  number: number | undefined;
  /** The journal failed: nothing more of it becomes durable. */
  isJournalLost = false;
  /** Why it failed, for those who read along. */
  journalError: PlatformError | undefined;
  beginPosition: LogPosition | undefined;
  dispatched = false;
  head: KeptHead | undefined;
  isHeadDurable = false;
  partCount = 0;
  durableCount = 0;
  end: ReplyEnd | undefined;
  isEndDurable = false;
  memoryBytes = 0;
  readonly #followers = new Set<Following>();
  readonly #parts: Buffer[] = [];
  /** The index of the first part in memory. */
  #memoryFrom = 0;
  #checkpoints: Checkpoint[] = [];

  constructor(facts: ReplyFacts) {
    this.facts = facts;
  }

  get followerCount(): number {
    return this.#followers.size;
  }

  /** Whether more may come. */
  get isOpen(): boolean {
    return this.end === undefined;
  }

  follow(follower: Following): void {
    this.#followers.add(follower);
  }

  unfollow(follower: Following): void {
    this.#followers.delete(follower);
  }

  tellFollowers(): void {
    for (const follower of this.#followers) follower.onNews();
  }

  add(part: Buffer): void {
    this.partCount += 1;
    this.#parts.push(part);
    this.memoryBytes += part.length;
  }

  /** A part that recovery found in the journal. */
  addStored(index: number, position: LogPosition): void {
    this.partCount = index + 1;
    this.durableCount = this.partCount;
    this.#memoryFrom = this.partCount;
    this.#mark(index, position);
  }

  /** The part after those that are durable is so now, and stands at this place. */
  confirmPart(position: LogPosition): void {
    this.#mark(this.durableCount, position);
    this.durableCount += 1;
  }

  /** The part, when it is in memory. */
  partAt(index: number): Buffer | undefined {
    return this.#parts[index - this.#memoryFrom];
  }

  /** Where in the journal to start reading for a part. */
  placeOf(index: number): LogPosition | undefined {
    return this.#checkpoints.findLast((checkpoint) => checkpoint.index <= index)?.position;
  }

  /** Forgets the memory of parts that are durable, oldest first, down to this many bytes. Gives how many were freed. */
  forget(bytesMax: number): number {
    const before = this.memoryBytes;
    let count = 0;
    while (this.memoryBytes > bytesMax && this.#memoryFrom + count < this.durableCount) {
      this.memoryBytes -= this.#parts[count]?.length ?? 0;
      count += 1;
    }
    this.#parts.splice(0, count);
    this.#memoryFrom += count;
    return before - this.memoryBytes;
  }

  #mark(index: number, position: LogPosition): void {
    const last = this.#checkpoints.at(-1);
    if (last !== undefined && position - last.position < streamLimits.checkpointBytes) return;
    this.#checkpoints.push({ index, position });
  }
}
