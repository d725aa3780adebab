/**
 * The writer of one tenant's ledger. Commands are decided in memory as they arrive; one batch of decisions is being written
 * while the next one collects; nobody is answered before the commit. What cannot be written is forgotten whole: the ledger is
 * read anew and the commands are decided anew.
 */

import { PlatformError } from "@faultline/protocol";
import type { Logger } from "pino";

import { assert, type Clock, type EventLoop } from "#kernel/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";

import type { Decision } from "../rules/commands.ts";
import { decide } from "../rules/decide.ts";
import type { LedgerState } from "../rules/ledger-state.ts";
import { applyBatch, type WriteFailure, type WriterPosition } from "../store/apply-batch.ts";
import type { Batch } from "../store/batch.ts";
import { addWanted, loadLedger } from "../store/load-ledger.ts";
import type { LedgerCounts } from "./ledger-counts.ts";
import { KeptRecords } from "./kept-records.ts";
import { ledgerUnavailable, namedHolds, type PendingCommand, wantedBy } from "./ledger-request.ts";
import { ledgerServiceLimits } from "./limits.ts";
import { type DecidedCommand, isFull, newBatch, type OpenBatch } from "./open-batch.ts";

export interface TenantLedgerParts {
  readonly tenantId: TenantScope["tenantId"];
  readonly store: Store;
  readonly clock: Clock;
  readonly eventLoop: EventLoop;
  readonly logger: Logger;
  readonly counts: LedgerCounts;
  readonly signal: AbortSignal;
}

interface Loaded {
  readonly state: LedgerState;
  readonly kept: KeptRecords;
  /** After all batches that were sent. */
  position: WriterPosition;
  open: OpenBatch;
  /** On their way to the database. */
  readonly sent: Set<Batch>;
  /** The state is not that of the database, or may not be: nothing is decided on it any more. */
  isBroken: boolean;
  /** Ends the writing of batches that follow one which was not written. */
  readonly givingUp: AbortController;
  /** Commands of batches that were not written, which are decided anew. */
  readonly again: PendingCommand[];
}

export class TenantLedger {
  readonly #parts: TenantLedgerParts;
  #waiting: PendingCommand[] = [];
  /** Commands that were committed and whose callers are told next. */
  #committed: DecidedCommand[] = [];
  #isAnswering = false;
  /** Commands whose holds were looked for in the database. */
  readonly #lookedUp = new WeakSet<PendingCommand>();
  #loaded: Loaded | undefined;
  /** What the ledger does beside deciding: it reads, looks something up, or writes. */
  #isReading = false;
  #writingCount = 0;
  /** Ends when the batches that were sent so far did. */
  #lastWrite: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #lastUsedMs: number;
  #loadedMs = Number.POSITIVE_INFINITY;
  #idle = Promise.withResolvers<void>();

  constructor(parts: TenantLedgerParts) {
    this.#parts = parts;
    this.#lastUsedMs = parts.clock.monotonicMs();
  }

  /** The state that all commands so far lead to, when the ledger is in memory. For looking, never for changing. */
  get state(): LedgerState | undefined {
    return this.#loaded?.state;
  }

  get lastUsedMs(): number {
    return this.#lastUsedMs;
  }

  /** When the state that is in memory was read, in monotonic time. */
  get loadedMs(): number {
    return this.#loadedMs;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get isBusy(): boolean {
    return (
      this.#isReading ||
      this.#writingCount > 0 ||
      this.#waiting.length > 0 ||
      this.#committed.length > 0 ||
      (this.#loaded?.open.decided.length ?? 0) > 0
    );
  }

  /** Takes a command, which is answered through its callbacks. */
  submit(pending: PendingCommand): void {
    if (this.#waiting.length >= ledgerServiceLimits.waitingCountMax) {
      this.#rejectUnknown(pending, `${ledgerServiceLimits.waitingCountMax} commands wait.`);
      return;
    }
    this.#lastUsedMs = pending.arrivedMs;
    this.#waiting.push(pending);
    this.#schedule();
  }

  /** Resolves when nothing is under way any more. */
  async whenIdle(): Promise<void> {
    while (this.isBusy) {
      this.#idle = Promise.withResolvers();
      await this.#idle.promise;
    }
  }

  /** Commands that arrive in one turn of the event loop are decided together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.eventLoop.afterPoll(() => {
      this.#isScheduled = false;
      this.#advance();
    });
  }

  /** Does what can be done now. */
  #advance(): void {
    if (this.#isReading) return;
    this.#refuseLate();
    const loaded = this.#loaded;
    if (loaded?.isBroken === true && this.#writingCount === 0) this.#forget(loaded);
    if (this.#loaded === undefined) {
      if (this.#waiting.length > 0) void this.#load();
    } else if (!this.#loaded.isBroken) {
      this.#decideWaiting(this.#loaded);
      this.#send(this.#loaded);
    }
    if (!this.isBusy) this.#idle.resolve();
  }

  /** Further batches are sent when they take no more commands: the database has one at hand once the one before is written. */
  #send(loaded: Loaded): void {
    if (loaded.isBroken) {
      // A rule broke off; what waits is decided on what the database holds.
      this.#schedule();
      return;
    }
    const isNext =
      this.#writingCount === 0 ||
      (this.#writingCount < ledgerServiceLimits.sentBatchCountMax && isFull(loaded.open));
    if (!isNext || loaded.open.decided.length === 0) return;
    const write = this.#write(loaded, this.#lastWrite);
    this.#lastWrite = write;
    // What did not fit is decided while this one is written.
    if (this.#waiting.length > 0) this.#schedule();
  }

  #decideWaiting(loaded: Loaded): void {
    let count = 0;
    let next: "look-up" | "forget" | undefined;
    for (const pending of this.#waiting) {
      const { decided } = loaded.open;
      if (isFull(loaded.open)) break;
      if (decided.length > 0 && (pending.isSuspect || decided[0]?.pending.isSuspect === true))
        break;
      const isKnown = namedHolds(pending.request).every(
        (id) => loaded.state.holds.has(id) || loaded.state.leases.has(id),
      );
      const outcome =
        isKnown || this.#lookedUp.has(pending) ? this.#decide(loaded, pending) : "look-up";
      if (outcome !== "decided") next = outcome;
      if (outcome === "look-up") break;
      count += 1;
      if (outcome === "forget") break;
    }
    this.#waiting.splice(0, count);
    if (next === "forget") loaded.isBroken = true;
    else if (next === "look-up") void this.#lookUp(loaded);
  }

  /** `forget`: the rules broke off in the middle, so that the state is not theirs any more. */
  #decide(loaded: Loaded, pending: PendingCommand): "decided" | "look-up" | "forget" {
    const atMs = this.#parts.clock.nowMs();
    let decision: Decision;
    try {
      decision = decide(loaded.state, { ...pending.request, atMs });
    } catch (error) {
      this.#parts.logger.error({ err: error, tenantId: this.#parts.tenantId }, "a rule failed");
      pending.reject(error);
      return "forget";
    }
    const isRefused = decision.answer.kind === "refused";
    // It may have taken effect long ago; whoever repeats it must not hear that it was refused. A refusal changed nothing.
    if (isRefused && !this.#lookedUp.has(pending)) return "look-up";
    if (!isRefused && !decision.isRepeated) loaded.open.batch.add(decision, pending.details);
    loaded.open.decided.push({ pending, decision });
    return "decided";
  }

  /** Commands, and holds that ended, of long ago are in the database alone. */
  async #lookUp(loaded: Loaded): Promise<void> {
    this.#isReading = true;
    const waiting = this.#waiting.slice(0, ledgerServiceLimits.batchCommandCountMax);
    try {
      const found = await addWanted(this.#parts.store, this.#scope(), {
        state: loaded.state,
        wanted: wantedBy(waiting),
      });
      for (const { kind, id } of found) loaded.kept.noteEnded(kind, id);
      for (const pending of waiting) this.#lookedUp.add(pending);
    } catch (error) {
      this.#rejectWaiting(error);
    } finally {
      this.#isReading = false;
      this.#advance();
    }
  }

  async #load(): Promise<void> {
    this.#isReading = true;
    // What was on its way to the database when the state was given up may have been written.
    const { batchCommandCountMax, sentBatchCountMax } = ledgerServiceLimits;
    const waiting = this.#waiting.slice(0, batchCommandCountMax * sentBatchCountMax);
    try {
      const wanted = wantedBy(waiting);
      const { state, position } = await loadLedger(this.#parts.store, this.#scope(), wanted);
      for (const pending of waiting) this.#lookedUp.add(pending);
      this.#parts.counts.loadCount += 1;
      const kept = new KeptRecords(state);
      this.#loadedMs = this.#parts.clock.monotonicMs();
      const open = newBatch(state);
      const sent = new Set<Batch>();
      const givingUp = new AbortController();
      this.#loaded = { state, position, kept, open, sent, isBroken: false, givingUp, again: [] };
    } catch (error) {
      this.#parts.logger.warn({ err: error, tenantId: this.#parts.tenantId }, "no ledger");
      this.#rejectWaiting(error);
    } finally {
      this.#isReading = false;
      this.#advance();
    }
  }

  async #write(loaded: Loaded, before: Promise<void>): Promise<void> {
    const { open, position, state } = loaded;
    const isFirst = this.#writingCount === 0;
    this.#writingCount += 1;
    loaded.open = newBatch(state);
    loaded.sent.add(open.batch);
    const { commandCount, transferCount } = open.batch;
    if (commandCount > 0) loaded.position = next(position, transferCount);
    const latestMs = state.timeMs;
    try {
      let failure = await this.#apply(loaded, open.batch, { position, latestMs });
      await before;
      // It overtook the one before on their way; that one is written now.
      if (failure?.kind === "overtaking" && !isFirst && !loaded.isBroken)
        failure = await this.#apply(loaded, open.batch, { position, latestMs });
      // Where nothing was to be written, the answers still rest on what the batches before were to write.
      if (commandCount === 0 && loaded.isBroken)
        failure = { kind: "unavailable", cause: undefined };
      if (failure === undefined) this.#commit(loaded, open);
      else this.#retry(loaded, open, failure);
    } catch (error) {
      await before;
      this.#retry(loaded, open, { kind: "fault", cause: error });
    } finally {
      this.#writingCount -= 1;
      this.#advance();
    }
  }

  async #apply(
    { givingUp }: Loaded,
    batch: Batch,
    place: { readonly position: WriterPosition; readonly latestMs: number },
  ): Promise<WriteFailure | undefined> {
    if (batch.commandCount === 0) return undefined;
    const { store, clock, counts } = this.#parts;
    const startedMs = clock.monotonicMs();
    const parameters = batch.parameters();
    const scope = this.#scope();
    const signal = AbortSignal.any([scope.signal, givingUp.signal]);
    const failure = await applyBatch(store, { ...scope, signal }, { ...place, parameters });
    counts.wrote(failure?.kind ?? "written", clock.monotonicMs() - startedMs);
    return failure;
  }

  #commit(loaded: Loaded, { batch, decided }: OpenBatch): void {
    loaded.sent.delete(batch);
    for (const { pending, decision } of decided) {
      loaded.kept.note(decision);
      this.#parts.counts.answered(pending.request.kind, decision.answer, decision.isRepeated);
    }
    loaded.kept.forget([...loaded.sent, loaded.open.batch]);
    this.#committed.push(...decided);
    this.#answer();
  }

  /**
   * Tells callers that their commands were committed, some in each turn of the event loop: what they do next must not keep the
   * next batch, which is larger than a socket takes at once, from its way to the database.
   */
  #answer(): void {
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    this.#parts.eventLoop.afterPoll(() => {
      this.#isAnswering = false;
      const next = this.#committed.splice(0, ledgerServiceLimits.answersPerTurn);
      for (const { pending, decision } of next) pending.resolve(decision.answer);
      if (this.#committed.length > 0) this.#answer();
      else if (!this.isBusy) this.#idle.resolve();
    });
  }

  /** Gives up the state; the commands of the failed batch and those decided after it are decided anew. */
  #retry(loaded: Loaded, failed: OpenBatch, failure: WriteFailure): void {
    const { logger, tenantId } = this.#parts;
    const level = failure.kind === "fault" ? "error" : "warn";
    logger[level](
      { err: failure.cause, tenantId, failure: failure.kind },
      "a batch was not written",
    );
    loaded.isBroken = true;
    // Those behind it wait for it in the database. What became of them is known once the ledger is loaded again.
    loaded.givingUp.abort();
    for (const { pending } of failed.decided) {
      pending.attemptCount += 1;
      const isAlone = failed.decided.length === 1;
      if (failure.kind === "fault" && isAlone) {
        pending.reject(faultOf(failure.cause));
      } else if (
        pending.attemptCount >= ledgerServiceLimits.attemptCountMax &&
        failure.kind !== "fault"
      ) {
        this.#rejectUnknown(pending, "The ledger could not be written.", failure.cause);
      } else {
        pending.isSuspect ||= failure.kind === "fault";
        loaded.again.push(pending);
      }
    }
  }

  /** What was decided on a state that is given up, and was not written, waits again before all others. */
  #forget({ again, open }: Loaded): void {
    this.#loaded = undefined;
    const anew = [...again, ...open.decided.map(({ pending }) => pending)];
    // What was looked up for them was added to the state that is given up.
    for (const pending of anew) this.#lookedUp.delete(pending);
    this.#waiting.unshift(...anew);
  }

  #refuseLate(): void {
    const latestMs = this.#parts.clock.monotonicMs() - ledgerServiceLimits.waitMsMax;
    const [first] = this.#waiting;
    if (first === undefined || first.arrivedMs > latestMs) return;
    const late = this.#waiting.filter(({ arrivedMs }) => arrivedMs <= latestMs);
    this.#waiting = this.#waiting.filter(({ arrivedMs }) => arrivedMs > latestMs);
    for (const pending of late) {
      this.#rejectUnknown(pending, `The command waited for ${ledgerServiceLimits.waitMsMax} ms.`);
    }
  }

  #rejectWaiting(cause: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting)
      this.#rejectUnknown(pending, "The ledger's database cannot be reached.", cause);
  }

  #rejectUnknown(pending: PendingCommand, message: string, cause?: unknown): void {
    this.#parts.counts.unknown(pending.request.kind);
    pending.reject(ledgerUnavailable(message, cause));
  }

  #scope(): TenantScope {
    const { tenantId, clock, signal } = this.#parts;
    return { tenantId, signal: clock.deadline(ledgerServiceLimits.writeMsMax, signal) };
  }
}

/** Where the writer stands after a batch with so many transfers. */
function next({ epoch, sequence, batchCount }: WriterPosition, count: number): WriterPosition {
  return { epoch, sequence: sequence + BigInt(count), batchCount: batchCount + 1n };
}

function faultOf(cause: unknown): PlatformError {
  assert(cause !== undefined, "a fault has a cause");
  return new PlatformError("internal", "The ledger refused what its rules decided.", { cause });
}
