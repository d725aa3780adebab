/**
 * The worker side of the limits: decides calls in memory on slices that the control process lent, over all layers at once,
 * and asks it when a slice does not hold enough. One message is under way at a time; what comes meanwhile goes with the
 * next, so that a flood of calls is no flood of messages.
 */

import { notLimited } from "#config/index.ts";
import type { Clock } from "#kernel/index.ts";

import { LinkedList, type ListNode, listNode } from "../dispatch/linked-list.ts";
import { AskedCalls } from "./asked-calls.ts";
import { FailedKeys } from "./failed-keys.ts";
import { type Grant, type GrantOwner, LimitedGrant, unlimitedGrant } from "./grant.ts";
import { type Layer, sameLimits } from "./layer.ts";
import type { AdmissionRequest, LayerTable } from "./layer-table.ts";
import { leaseBounds } from "./lease-bounds.ts";
import type { LeaseAnswer, LeaseAsk, LeaseDown, LeaseUp, SliceReport } from "./lease-messages.ts";
import type { LimitRefusal } from "./limit-refusal.ts";
import { RefusalMemory } from "./refusal-memory.ts";
import { Slice, type Taken } from "./slice.ts";

export type LimitOutcome =
  | { readonly kind: "admitted"; readonly grant: Grant }
  | { readonly kind: "refused"; readonly refusal: LimitRefusal };

export interface LimitsParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly table: LayerTable;
  readonly send: (message: LeaseUp) => void;
}

/** A call that waits for the control process. */
interface Waiting {
  readonly request: AdmissionRequest;
  readonly sinceMs: number;
  readonly tell: (outcome: LimitOutcome) => void;
  /** Layers that the slices of this worker did not hold enough of. */
  lacking: readonly Layer[];
  /** What was charged for the other layers. */
  taken: Taken[];
  /** Its place among those whose asks were not sent yet. */
  queued: ListNode<Waiting> | undefined;
  /** 0 until it was asked. */
  askId: number;
  hasLeft: boolean;
}

const nothingToCancel = (): void => {};

export class Limits {
  readonly #monotonicMs: () => number;
  readonly #owner: GrantOwner;
  readonly #send: (message: LeaseUp) => void;
  /** Throttles addresses whose keys fail; it shares the messages of the limits. */
  readonly failedKeys: FailedKeys;
  readonly #refusals = new RefusalMemory();
  readonly #slices = new Map<string, Slice>();
  /** Calls whose ask was not sent yet, in the order of arrival. */
  readonly #queue = new LinkedList<Waiting>();
  readonly #asked = new AskedCalls<Waiting>(leaseBounds.waitingCountMax);
  /** Slices whose idle units go with the next message, with the number of the recall. */
  readonly #recalled = new Map<string, number>();
  /** Slices that keep nothing idle, because calls elsewhere wait for it. */
  readonly #calledBack = new Set<string>();
  #table: LayerTable;
  #isUnacknowledged = false;
  #reportDue = false;

  constructor({ clock, table, send }: LimitsParts) {
    this.#monotonicMs = () => clock.monotonicMs();
    this.#owner = { monotonicMs: this.#monotonicMs, onFreed: () => this.#onFreed() };
    this.#table = table;
    this.failedKeys = new FailedKeys(() => this.#table.failedKeys);
    this.#send = send;
  }

  /** Calls that wait for the control process. */
  get waitingCount(): number {
    return this.#queue.size + this.#asked.size;
  }

  /** Layers of which this worker holds a slice. */
  get sliceCount(): number {
    return this.#slices.size;
  }

  /** Works by a new snapshot: idle units that were lent under other limits go back before they are used. */
  apply(table: LayerTable): void {
    this.#table = table;
    this.#refusals.clear();
    for (const slice of this.#slices.values()) {
      const limits = table.limitsOf(slice.layer, slice.tenantId) ?? notLimited;
      if (sameLimits(limits, slice.limits)) continue;
      slice.limits = limits;
      this.#recalled.set(slice.id, 0);
    }
    this.flush();
  }

  /**
   * Calls `then` exactly once, at once when the slices decide, later when the control process must be asked. Gives the
   * way to leave while waiting; after that `then` is not called.
   */
  admit(request: AdmissionRequest, then: (outcome: LimitOutcome) => void): () => void {
    return this.#admitTo(this.#table.layersOf(request), request, then);
  }

  /** Likewise, for the layers of another target alone: all others were charged when the call was admitted. */
  admitTarget(request: AdmissionRequest, then: (outcome: LimitOutcome) => void): () => void {
    return this.#admitTo(this.#table.layersOfTarget(request), request, then);
  }

  #admitTo(
    layers: readonly Layer[],
    request: AdmissionRequest,
    then: (outcome: LimitOutcome) => void,
  ): () => void {
    if (layers.length === 0) {
      then({ kind: "admitted", grant: unlimitedGrant });
      return nothingToCancel;
    }
    const nowMs = this.#monotonicMs();
    const tooLarge = layers.find(
      ({ limits }) => request.tokens > (limits.tokensPerMinute ?? Infinity),
    );
    if (tooLarge !== undefined) {
      then({ kind: "refused", refusal: refuseTokens(tooLarge, request.tokens) });
      return nothingToCancel;
    }
    const waiting: Waiting = {
      request,
      sinceMs: nowMs,
      tell: then,
      lacking: layers,
      taken: [],
      queued: undefined,
      askId: 0,
      hasLeft: false,
    };
    if (this.#take(waiting, nowMs)) {
      this.#admit(waiting);
      return nothingToCancel;
    }
    const refusal = this.#refuseAtOnce(waiting, nowMs);
    if (refusal !== undefined) {
      this.#refuse(waiting, refusal);
      return nothingToCancel;
    }
    waiting.queued = listNode(waiting);
    this.#queue.append(waiting.queued);
    this.flush();
    return () => this.#leave(waiting);
  }

  onMessage(message: LeaseDown): void {
    const nowMs = this.#monotonicMs();
    for (const { id, levels } of message.levels) this.#slices.get(id)?.noteLevels(levels, nowMs);
    this.failedKeys.block(message.blocked, nowMs);
    for (const { id, number } of message.recalls) {
      this.#recalled.set(id, number);
      this.#calledBack.add(id);
    }
    for (const id of message.resumes) this.#calledBack.delete(id);
    for (const answer of message.answers) this.#onAnswer(answer, nowMs);
    if (message.acknowledges) this.#isUnacknowledged = false;
    this.flush();
  }

  /** Called every `reportMs`: reports, gives back what is idle, and refuses who has waited too long. */
  tick(): void {
    const nowMs = this.#monotonicMs();
    const all: Waiting[] = [];
    this.#asked.each((waiting) => all.push(waiting));
    for (let node = this.#queue.head; node !== undefined; node = node.next) all.push(node.value);
    // The end of one wait may be that of another.
    for (const waiting of all) if (this.#waits(waiting)) this.#endWait(waiting, nowMs);
    this.failedKeys.sweep(nowMs);
    this.#reportDue = true;
    this.flush();
  }

  /** Without an answer of the control process: goes on with what this worker holds by now, or not at all. */
  #endWait(waiting: Waiting, nowMs: number): void {
    if (waiting.queued !== undefined && this.#take(waiting, nowMs)) {
      this.#unqueue(waiting);
      this.#admit(waiting);
    } else if (nowMs - waiting.sinceMs >= leaseBounds.askMsMax) {
      const refusal = refuseUnanswered(waiting);
      this.#leave(waiting);
      waiting.tell({ kind: "refused", refusal });
    }
  }

  /** Sends what there is to say, unless a message is under way. */
  flush(): void {
    if (this.#isUnacknowledged) return;
    const nowMs = this.#monotonicMs();
    const reports: SliceReport[] = [];
    const admitted: Waiting[] = [];
    const asks = this.#takeAsks({ reports, admitted, nowMs });
    const recalled = [...this.#recalled].map(([id, number]) => ({ id, number }));
    this.#recalled.clear();
    for (const { id } of recalled) this.#report(this.#slices.get(id), reports, nowMs);
    for (const id of this.#calledBack) {
      const slice = this.#slices.get(id);
      if (slice?.hasIdle === true) this.#report(slice, reports, nowMs);
    }
    if (this.#reportDue) this.#reportAll(reports, nowMs);
    const failedAddresses = this.failedKeys.takeUnreported();
    if (asks.length + reports.length + recalled.length + failedAddresses.length > 0) {
      this.#isUnacknowledged = true;
      this.#send({ asks, reports, recalled, failedAddresses });
    }
    for (const waiting of admitted) {
      // Who was told before it may have let it leave.
      if (waiting.hasLeft) this.#giveUp(waiting);
      else this.#admit(waiting);
    }
  }

  /** Charges the slices that hold enough; says whether all of them did. */
  #take(waiting: Waiting, nowMs: number): boolean {
    const { tokens } = waiting.request;
    waiting.lacking = waiting.lacking.filter((layer) => {
      const slice = this.#slices.get(layer.id);
      if (slice?.holds(tokens) !== true || this.#calledBack.has(slice.id)) return true;
      waiting.taken.push(slice.take(tokens, nowMs));
      return false;
    });
    return waiting.lacking.length === 0;
  }

  #waits(waiting: Waiting): boolean {
    if (waiting.queued !== undefined) return true;
    return !waiting.hasLeft && this.#asked.get(waiting.askId) === waiting;
  }

  #unqueue(waiting: Waiting): void {
    if (waiting.queued !== undefined) this.#queue.remove(waiting.queued);
    waiting.queued = undefined;
  }

  #putBack(waiting: Waiting): void {
    for (const taken of waiting.taken) taken.slice.putBack(taken);
    waiting.taken = [];
  }

  #admit({ taken, tell }: Waiting): void {
    tell({ kind: "admitted", grant: new LimitedGrant(taken, this.#owner) });
  }

  #refuse(waiting: Waiting, refusal: LimitRefusal): void {
    this.#putBack(waiting);
    waiting.tell({ kind: "refused", refusal });
  }

  #leave(waiting: Waiting): void {
    const isWaiting = this.#waits(waiting);
    waiting.hasLeft = true;
    if (!isWaiting) return;
    // What is under way already will be answered; what comes then is for others.
    this.#unqueue(waiting);
    this.#giveUp(waiting);
  }

  #giveUp(waiting: Waiting): void {
    this.#putBack(waiting);
    this.#onFreed();
  }

  /** Units are idle again: those that others wait for go to them at once. */
  #onFreed(): void {
    if (this.#calledBack.size > 0) this.flush();
  }

  /** The refusal of a call that need not ask: the queue is full, or the answer is known already. */
  #refuseAtOnce(waiting: Waiting, nowMs: number): LimitRefusal | undefined {
    if (this.waitingCount >= leaseBounds.waitingCountMax) return refuseUnanswered(waiting);
    return this.#refusals.find(waiting.lacking, waiting.request.tokens, nowMs);
  }

  #onAnswer(answer: LeaseAnswer, nowMs: number): void {
    const waiting = this.#asked.get(answer.askId);
    if (waiting === undefined) return;
    this.#asked.remove(answer.askId);
    if (answer.kind === "refused") {
      this.#refusals.note(answer.refusal, nowMs);
      if (waiting.hasLeft) return;
      // Meanwhile other calls may have given back what this one needs.
      if (this.#take(waiting, nowMs)) this.#admit(waiting);
      else this.#refuse(waiting, answer.refusal);
      return;
    }
    for (const grant of answer.grants) {
      const layer = waiting.lacking[grant.layerIndex];
      if (layer === undefined) continue;
      const slice = this.#sliceOf(grant.id, layer, waiting.request);
      if (waiting.hasLeft) slice.add(grant, nowMs);
      else waiting.taken.push(slice.takeGranted(grant, waiting.request.tokens, nowMs));
    }
    if (!waiting.hasLeft) this.#admit(waiting);
  }

  #sliceOf(id: string, layer: Layer, { key }: AdmissionRequest): Slice {
    const known = this.#slices.get(id);
    if (known !== undefined) return known;
    // Since it was asked for, other limits may have come.
    const limits = this.#table.limitsOf(layer, key.tenantId) ?? notLimited;
    const slice = new Slice(id, { ...layer, limits }, key.tenantId);
    this.#slices.set(id, slice);
    return slice;
  }

  /** Turns calls that wait into asks, save those that can go on by now. */
  #takeAsks(into: { reports: SliceReport[]; admitted: Waiting[]; nowMs: number }): LeaseAsk[] {
    const asks: LeaseAsk[] = [];
    for (let head = this.#queue.head; head !== undefined; head = this.#queue.head) {
      if (asks.length === leaseBounds.askBatchMax) break;
      const waiting = head.value;
      this.#unqueue(waiting);
      if (this.#take(waiting, into.nowMs)) {
        into.admitted.push(waiting);
        continue;
      }
      const { request, lacking } = waiting;
      // What a slice holds too little of goes back, so that the control process has all of it to decide with.
      for (const { id } of lacking) this.#report(this.#slices.get(id), into.reports, into.nowMs);
      waiting.askId = this.#asked.add(waiting);
      asks.push({
        askId: waiting.askId,
        tenantId: request.key.tenantId,
        tokens: request.tokens,
        layers: lacking.map(({ scope, name }) => ({ scope, name })),
      });
    }
    return asks;
  }

  /** Gives back all that is idle in a slice. */
  #report(slice: Slice | undefined, reports: SliceReport[], nowMs: number): void {
    const report = slice?.report("nothing", nowMs);
    if (report !== undefined) reports.push(report);
  }

  #reportAll(reports: SliceReport[], nowMs: number): void {
    this.#reportDue = false;
    for (const slice of this.#slices.values()) {
      const report = slice.report("reserve", nowMs);
      if (report !== undefined) reports.push(report);
      else if (slice.isSpent(nowMs)) this.#slices.delete(slice.id);
    }
  }
}

function refuseTokens(layer: Layer, needed: number): LimitRefusal {
  const limit = layer.limits.tokensPerMinute ?? 0;
  const { scope, name } = layer;
  const rest = { left: limit, needed, retryAfterMs: 0, reason: "exhausted" } as const;
  return { scope, name, dimension: "tokens", limit, ...rest };
}

/** The control process did not say in time whether there is more. */
function refuseUnanswered({ lacking, request }: Waiting): LimitRefusal {
  // Who waits lacks at least one layer.
  const { scope, name, limits } = lacking[0] as Layer;
  const { requestsPerMinute, tokensPerMinute, concurrencyMax } = limits;
  const rest = { scope, name, left: 0, retryAfterMs: 1_000, reason: "unanswered" } as const;
  if (requestsPerMinute !== undefined) {
    return { ...rest, dimension: "requests", limit: requestsPerMinute, needed: 1 };
  }
  if (tokensPerMinute !== undefined) {
    return { ...rest, dimension: "tokens", limit: tokensPerMinute, needed: request.tokens };
  }
  return { ...rest, dimension: "concurrency", limit: concurrencyMax ?? 0, needed: 1 };
}
