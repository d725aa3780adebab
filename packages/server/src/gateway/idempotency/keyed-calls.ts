/** Calls with an `Idempotency-Key`: each is made once, and all who send the key get its one reply. */

import { mkdir, readdir } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";

import type { SurfaceName } from "#config/index.ts";
import { PlatformError, type TenantId } from "@faultline/protocol";

import {
  causesOf,
  type DurableStreams,
  type DurableStreamsOptions,
} from "../streams/durable-streams.ts";
import { Follower } from "../streams/follower.ts";
import { KeptReply } from "../streams/kept-reply.ts";
import { streamLimits } from "../streams/limits.ts";
import type { KeyedRequest } from "../streams/reply-facts.ts";
import { toJournalFailure } from "../streams/journal-failure.ts";
import { ReplyJournal } from "../streams/reply-journal.ts";
import { ReplyRecorder } from "../streams/reply-recorder.ts";
import { makeStreamId } from "../streams/stream-id.ts";
import { journalOfKey } from "./keyed-request.ts";

export const idempotencyHeader = "x-faultline-idempotency";

export interface KeyedCall {
  readonly tenantId: TenantId;
  readonly surface: SurfaceName;
  readonly request: KeyedRequest;
  readonly response: ServerResponse;
}

/** `execute` leaves the call to the caller, who records the reply; any other answer is under way already. */
export type KeyedEntry =
  | { readonly kind: "execute"; readonly recorder: ReplyRecorder }
  | { readonly kind: "attached" | "replayed" }
  /** Its caller is gone, and nothing was begun for it. */
  | { readonly kind: "left" };

/** What became of calls with a key. */
export interface KeyedCounts {
  executed: number;
  attached: number;
  replayed: number;
  mismatched: number;
  refused: number;
}

const folderPattern = /^[0-9]$/;

export class KeyedCalls implements AsyncDisposable {
  readonly counts: KeyedCounts = {
    executed: 0,
    attached: 0,
    replayed: 0,
    mismatched: 0,
    refused: 0,
  };
  readonly #options: DurableStreamsOptions;
  readonly #streams: DurableStreams;
  readonly #journals = new Map<number, Promise<ReplyJournal>>();
  readonly #open = new Set<ReplyJournal>();
  readonly #unopened = new Map<number, string>();
  readonly #replies = new Map<string, KeptReply>();

  /** `streams` finds those that are durable as well by their ids. */
  constructor(options: DurableStreamsOptions, streams: DurableStreams) {
    this.#options = options;
    this.#streams = streams;
  }

  /** Opens the journals of this process that are there; others are made when the first key needs them. */
  async open(): Promise<void> {
    const { folder } = this.#options;
    await mkdir(folder, { recursive: true });
    const own = (await readdir(folder))
      .filter((name) => folderPattern.test(name))
      .map(Number)
      .filter((number) => this.#ownerOf(number) === this.#options.worker.index);
    // One that cannot be opened refuses its keys; the others serve.
    await Promise.allSettled(own.map(async (number) => await this.#journalOf(number)));
  }

  /** The number of the process that owns a key. */
  ownerOf(keyHash: string): number {
    return this.#ownerOf(journalOfKey(keyHash));
  }

  /** Replies whose keys are remembered. */
  get keyCount(): number {
    return this.#replies.size;
  }

  get bytes(): number {
    let bytes = 0;
    for (const journal of this.#open) bytes += journal.bytes;
    return bytes;
  }

  get lagMs(): number {
    return Math.max(0, ...[...this.#open].map(({ lagMs }) => lagMs));
  }

  /** Why journals cannot be used, for each that cannot; one that could not be opened is tried again by the next call. */
  failedJournals(): readonly string[] {
    return [...this.#unopened.values(), ...causesOf(this.#open)];
  }

  /**
   * Decides what a call gets. Throws `idempotency_mismatch`, `outcome_unknown`, `idempotency_result_dropped`,
   * `limit_exceeded` or `journal_unavailable`.
   */
  async enter(call: KeyedCall): Promise<KeyedEntry> {
    const journal = await this.#journalOf(journalOfKey(call.request.keyHash));
    const reply = this.#find(call.request.keyHash);
    // The journal may have taken its time. Whoever else sends the key must not attach to a call that nobody makes.
    if (call.response.destroyed) return { kind: "left" };
    if (reply === undefined) return this.#execute(call, journal);
    if (reply.facts.key?.requestHash !== call.request.requestHash) {
      this.counts.mismatched += 1;
      throw new PlatformError(
        "idempotency_mismatch",
        "This Idempotency-Key was sent before with another path, body or provider header, or with a key that may ask for other models.",
        { hint: "Take a new key for a new call." },
      );
    }
    const { end } = reply;
    if (end?.outcome === "unknown" || end?.outcome === "dropped") {
      this.counts.refused += 1;
      throw end.outcome === "unknown" ? outcomeUnknown() : resultDropped();
    }
    if (reply.followerCount >= streamLimits.followerCountMax) {
      throw new PlatformError(
        "limit_exceeded",
        `This call has ${reply.followerCount} readers already.`,
        { hint: "Try again when one of them has left." },
      );
    }
    const kind = reply.isOpen ? "attached" : "replayed";
    this.counts[kind] += 1;
    this.#follow(reply, journal, { response: call.response, isLive: false, kind });
    return { kind };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const journal of this.#open) await journal[Symbol.asyncDispose]();
  }

  #ownerOf(journal: number): number {
    return journal % this.#options.worker.count;
  }

  #execute(call: KeyedCall, journal: ReplyJournal): KeyedEntry {
    const { tenantId, surface, request, response } = call;
    const { clock, random } = this.#options;
    const { keyHash } = request;
    const reply = new KeptReply({
      id: makeStreamId(journalOfKey(keyHash), random),
      tenantId,
      surface,
      startedMs: clock.nowMs(),
      epoch: journal.epoch,
      durable: false,
      key: request,
    });
    const recorder = new ReplyRecorder(reply, journal);
    this.#replies.set(keyHash, reply);
    recorder.onStarted(() => {
      if (reply.facts.durable) this.#streams.keep(recorder, journal);
    });
    recorder.onSettled(() => {
      if (reply.end?.outcome !== "released") return;
      if (this.#replies.get(keyHash) === reply) this.#replies.delete(keyHash);
    });
    this.counts.executed += 1;
    this.#follow(reply, journal, { response, isLive: true, kind: "executed" });
    return { kind: "execute", recorder };
  }

  #follow(
    reply: KeptReply,
    journal: ReplyJournal,
    place: { response: ServerResponse; isLive: boolean; kind: string },
  ): void {
    const { clock, deadlines, log } = this.#options;
    const { response, isLive, kind } = place;
    const headers = { [idempotencyHeader]: kind };
    Follower.start(
      reply,
      { response, from: 0, isLive, headers },
      {
        clock,
        deadlines,
        log,
        readParts: (own, from, signal) => journal.readParts(own, from, signal),
      },
    );
  }

  #find(keyHash: string): KeptReply | undefined {
    const reply = this.#replies.get(keyHash);
    if (reply?.end === undefined) return reply;
    const { clock, bounds } = this.#options;
    return clock.nowMs() - reply.end.endedMs > bounds().retentionMs ? undefined : reply;
  }

  async #journalOf(number: number): Promise<ReplyJournal> {
    let opening = this.#journals.get(number);
    if (opening === undefined) {
      opening = this.#openJournal(number);
      this.#journals.set(number, opening);
      // The next call tries again.
      opening.catch(() => this.#journals.delete(number));
    }
    try {
      return await opening;
    } catch (error) {
      throw toJournalFailure(error);
    }
  }

  async #openJournal(number: number): Promise<ReplyJournal> {
    const { folder, clock, random, signal, bounds, log } = this.#options;
    try {
      const journal = await ReplyJournal.open({
        folder: path.join(folder, String(number)),
        clock,
        random,
        signal,
        bounds,
        onDropped: (reply, successor) => this.#onDropped(reply, successor),
      });
      this.#open.add(journal);
      this.#unopened.delete(number);
      for (const reply of journal.replies) this.#remember(reply, journal);
      return journal;
    } catch (error) {
      this.#unopened.set(number, String(error));
      log("a journal of keyed calls cannot be opened", { journal: number, cause: String(error) });
      throw error;
    }
  }

  #remember(reply: KeptReply, journal: ReplyJournal): void {
    const { key, durable } = reply.facts;
    if (reply.end?.outcome === "released") journal.forget(reply);
    else if (key !== undefined) this.#replies.set(key.keyHash, reply);
    if (durable) this.#streams.adopt(reply, journal);
  }

  #onDropped(reply: KeptReply, successor: KeptReply | undefined): void {
    const { key, id } = reply.facts;
    this.#streams.disown(id);
    if (key === undefined || this.#replies.get(key.keyHash) !== reply) return;
    if (successor === undefined) this.#replies.delete(key.keyHash);
    else this.#replies.set(key.keyHash, successor);
  }
}

function outcomeUnknown(): PlatformError {
  return new PlatformError(
    "outcome_unknown",
    "The process that made this call ended after the request may have reached a provider; what came of it is not known.",
    { hint: "Send another Idempotency-Key to make the call again." },
  );
}

function resultDropped(): PlatformError {
  return new PlatformError(
    "idempotency_result_dropped",
    "The call of this Idempotency-Key was made, but its reply had to make room for newer ones.",
    { hint: "Send another key to make the call again; the operator sets the room for replies." },
  );
}
