/**
 * The life of reservations, between the allocator and the ledger: what waits is admitted, what is admitted is held for, what
 * is held is used by intervals, and what is not used goes back. Calls come one after another; what the ledger could not be
 * told is told again with the next.
 */

import { assert } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { Allocator, SubmitOutcome } from "./allocator.ts";
import type { Decision, Placement } from "./decision.ts";
import { intervalCosts, type WorkedTime } from "./interval-cost.ts";
import type { JobRequest } from "./job.ts";
import { LedgerQueue, type ReserveAnswer } from "./ledger-queue.ts";
import { costMicrosMax, tellRoundCountMax } from "./limits.ts";
import type { ReservationLedger, WorkDifference } from "./reservation-ledger.ts";
import type { ReservationOptions } from "./reservation-options.ts";
import { ReservationWriter } from "./reservation-writer.ts";
import { spendableOr } from "./spendable.ts";
import type {
  ReservationCounts,
  ReservationEnd,
  ReservationRecord,
  ReservationStage,
} from "./reservation-record.ts";
import { useDetails } from "./use-details.ts";
import { isHeldFor, workedTime, workOf } from "./reservation-work.ts";

/** The moment of a call, and what stops it. */
export interface Moment {
  readonly nowMs: number;
  readonly signal: AbortSignal;
}

interface Reservation {
  request: JobRequest;
  stage: ReservationStage;
  placement: readonly Placement[];
  /** When the hold was placed or renewed last. */
  renewedAtMs: number;
  /** Once it has ended. */
  worked?: WorkedTime;
  toldAfter?: number;
}

export class Reservations {
  readonly #allocator: Allocator;
  readonly #options: ReservationOptions;
  readonly #ledger: ReservationLedger;
  readonly #queue: LedgerQueue;
  readonly #reservations = new Map<string, Reservation>();
  readonly #writer: ReservationWriter;
  /** At work, and not heard by this process: the one before may not have told the ledger all of it. */
  readonly #unheard = new Set<string>();
  /** Up to when prices that changed are those of the reservations that wait. */
  #pricedAtMs = Number.NEGATIVE_INFINITY;
  readonly #counts = { admitted: 0, waitMsSum: 0, ended: new Map<ReservationEnd, number>() };

  constructor(allocator: Allocator, ledger: ReservationLedger, options: ReservationOptions) {
    this.#allocator = allocator;
    this.#ledger = ledger;
    this.#options = options;
    this.#queue = new LedgerQueue(ledger);
    this.#writer = new ReservationWriter(options.keeper);
  }

  stageOf(jobId: string): ReservationStage | undefined {
    return this.#reservations.get(jobId)?.stage;
  }

  /** What happened so far; waits are those of what was admitted. */
  get counts(): ReservationCounts {
    return this.#counts;
  }

  /** How many stand in each stage that is not the end. */
  openCounts(): ReadonlyMap<ReservationStage["kind"], number> {
    const counts = new Map<ReservationStage["kind"], number>();
    for (const { stage } of this.#reservations.values())
      if (stage.kind !== "ended") counts.set(stage.kind, (counts.get(stage.kind) ?? 0) + 1);
    return counts;
  }

  /** Whether the ledger knows all that happened. */
  get isTold(): boolean {
    return this.#queue.length === 0;
  }

  /** How many changes there were so far. */
  get changeCount(): number {
    return this.#writer.changeCount;
  }

  /** Whether a later process would know of the changes up to a count. */
  isKept(changeCount: number): boolean {
    return this.#writer.isKept(changeCount);
  }

  /** How many of a tenant have not ended. */
  openCountOf(tenantId: TenantId): number {
    let count = 0;
    for (const { request, stage } of this.#reservations.values())
      if (request.tenantId === tenantId && stage.kind !== "ended") count += 1;
    return count;
  }

  recordOf(jobId: string): ReservationRecord | undefined {
    return this.#reservations.get(jobId);
  }

  /** Takes up what an earlier process has kept. What cannot stand where it stood, or was held for too long ago, ends. */
  restore({ request, stage, placement, worked }: ReservationRecord, nowMs: number): void {
    const reservation = { request, stage, placement, renewedAtMs: nowMs };
    this.#reservations.set(request.id, reservation);
    if (stage.kind === "ended") {
      this.#close(reservation, worked, nowMs);
      this.#writer.noteClosing(reservation);
      return;
    }
    if (stage.kind === "waiting") {
      this.#allocator.submit(request);
      return;
    }
    if (stage.kind === "reserving") this.#reserve(reservation, stage.admittedAtMs);
    if (stage.kind === "running") {
      this.#unheard.add(request.id);
      this.#renew(reservation, nowMs);
    }
    if (this.#allocator.resume(request, placement, stage.admittedAtMs)) return;
    this.#finish(reservation, "lost", stage.kind === "running" ? stage.heardAtMs : nowMs);
  }

  /** Asks for a reservation. It waits until the next tick at least. */
  request(request: JobRequest): SubmitOutcome {
    const outcome = this.#reservations.has(request.id)
      ? ({ kind: "refused", reason: "job-known" } as const)
      : this.#allocator.submit(request);
    if (outcome.kind === "waiting")
      this.#reservations.set(request.id, {
        request,
        stage: { kind: "waiting" },
        placement: [],
        renewedAtMs: 0,
      });
    return outcome;
  }

  /** Work tells that it goes on. Says whether it may: work that may not has to stop. */
  heartbeat(jobId: string, nowMs: number): "goes-on" | "stops" {
    const reservation = this.#reservations.get(jobId);
    const stage = reservation?.stage;
    if (reservation === undefined || stage === undefined) return "stops";
    if (stage.kind !== "reserved" && stage.kind !== "running") return "stops";
    const startedAtMs = stage.kind === "running" ? stage.startedAtMs : nowMs;
    // A late heartbeat tells nothing new.
    const heardAtMs = stage.kind === "running" ? Math.max(stage.heardAtMs, nowMs) : nowMs;
    const { admittedAtMs } = stage;
    const running = { kind: "running", admittedAtMs, startedAtMs, heardAtMs } as const;
    this.#set(reservation, running);
    this.#unheard.delete(jobId);
    const { intervalMs } = this.#options;
    const worked = workedTime(running, { toMs: heardAtMs, isWhole: true, intervalMs });
    this.#consume(reservation.request, worked, heardAtMs);
    // Silence is noticed after half of what a hold lasts, so renewing by quarters never lets one expire under its work.
    if (heardAtMs - reservation.renewedAtMs >= this.#holdMs() / 4)
      this.#renew(reservation, heardAtMs);
    return heardAtMs < admittedAtMs + reservation.request.durationMs ? "goes-on" : "stops";
  }

  /** Takes up one that waits by what was written down of it, only to end it: it needs no place in the queue. */
  takeUnheard(request: JobRequest): void {
    if (this.#reservations.has(request.id)) return;
    const stage = { kind: "waiting" } as const;
    this.#reservations.set(request.id, { request, stage, placement: [], renewedAtMs: 0 });
  }

  /** Work has ended by itself, or is not wanted any more. */
  end(jobId: string, nowMs: number): void {
    const reservation = this.#reservations.get(jobId);
    if (reservation === undefined || reservation.stage.kind === "ended") return;
    const wasRunning = reservation.stage.kind === "running";
    this.#allocator.end(jobId, nowMs);
    this.#finish(reservation, wasRunning ? "completed" : "withdrawn", nowMs);
  }

  /** Jobs that the allocator lost with their nodes. */
  applyLost(decisions: readonly Decision[], nowMs: number): void {
    for (const decision of decisions) {
      const reservation = this.#reservations.get(decision.jobId);
      if (decision.kind === "lost" && reservation !== undefined)
        this.#finish(reservation, "lost", nowMs);
    }
  }

  /** Ends what is overdue, tells the ledger what it has to know, and admits what may start. */
  async tick({ nowMs, signal }: Moment): Promise<void> {
    for (const reservation of this.#reservations.values()) this.#endOverdue(reservation, nowMs);
    this.#reprice(nowMs);
    await this.#flush({ nowMs, signal });
    await this.#tellCredit(signal);
    for (const decision of this.#allocator.pass(nowMs)) this.#apply(decision, nowMs);
    await this.#flush({ nowMs, signal });
  }

  /** Tenants that have something at work. */
  workingTenants(): ReadonlySet<TenantId> {
    const working = [...this.#reservations.values()].filter(({ stage }) => isHeldFor(stage));
    return new Set(working.map(({ request }) => request.tenantId));
  }

  /**
   * Compares a tenant's work that is under way, and some that has ended, with the ledger's holds and uses. Nothing may be told to
   * the ledger meanwhile, and all that happened must be told.
   */
  async reconcile(
    tenantId: TenantId,
    ended: readonly ReservationRecord[],
    signal: AbortSignal,
  ): Promise<WorkDifference[]> {
    assert(this.isTold, "what the ledger was not told yet is no difference");
    const own = [...this.#reservations.values()].filter(
      ({ request, stage }) => request.tenantId === tenantId && isHeldFor(stage),
    );
    const { intervalMs } = this.#options;
    const works = [...own, ...ended].map((record) =>
      workOf(record, { intervalMs, isUntold: this.#unheard.has(record.request.id) }),
    );
    return this.#ledger.reconcile(tenantId, works, signal);
  }

  /** What waits costs what the version says that is valid when it is admitted. Its place in the queue stays. */
  #reprice(nowMs: number): void {
    const { prices } = this.#options;
    if (prices?.isChanged(this.#pricedAtMs, nowMs) !== true) return;
    this.#pricedAtMs = nowMs;
    for (const reservation of this.#reservations.values()) {
      if (reservation.stage.kind !== "waiting") continue;
      const request = prices.repriced(reservation.request, nowMs);
      if (request === reservation.request) continue;
      this.#allocator.end(request.id, nowMs);
      if (request.costMicros > costMicrosMax) {
        // The ledger would never hold for it, so that it would wait for ever.
        this.#finish(reservation, "overpriced", nowMs);
        continue;
      }
      this.#allocator.submit(request);
      reservation.request = request;
      this.#writer.note(reservation);
    }
  }

  #apply(decision: Decision, nowMs: number): void {
    const reservation = this.#reservations.get(decision.jobId);
    assert(reservation !== undefined, "the allocator knows no jobs but those of reservations");
    if (decision.kind === "admitted") {
      reservation.placement = decision.placement;
      this.#counts.admitted += 1;
      this.#counts.waitMsSum += Math.max(0, nowMs - reservation.request.submittedAtMs);
      this.#set(reservation, { kind: "reserving", admittedAtMs: nowMs });
      this.#reserve(reservation, nowMs);
    } else this.#finish(reservation, decision.kind, nowMs);
  }

  #reserve(reservation: Reservation, atMs: number): void {
    const { id, tenantId, costMicros } = reservation.request;
    const expiresAtMs = atMs + this.#holdMs();
    reservation.renewedAtMs = atMs;
    const reserved = { reservationId: id, tenantId, amountMicros: costMicros };
    this.#queue.push({ kind: "reserve", ...reserved, expiresAtMs, atMs });
  }

  #renew(reservation: Reservation, atMs: number): void {
    const { id, tenantId } = reservation.request;
    const expiresAtMs = atMs + this.#holdMs();
    reservation.renewedAtMs = atMs;
    this.#queue.push({ kind: "renew", reservationId: id, tenantId, expiresAtMs, atMs });
  }

  #set(reservation: Reservation, stage: ReservationStage): void {
    reservation.stage = stage;
    this.#writer.note(reservation);
  }

  #endOverdue(reservation: Reservation, nowMs: number): void {
    const { request, stage } = reservation;
    const { startMsMax, silenceMsMax, listensSinceMs = 0 } = this.#options;
    const isUnstarted = stage.kind === "reserving" || stage.kind === "reserved";
    if (isUnstarted && nowMs - stage.admittedAtMs > startMsMax) {
      this.#allocator.end(request.id, nowMs);
      this.#finish(reservation, "expired", nowMs);
    }
    if (stage.kind !== "running") return;
    if (nowMs >= stage.admittedAtMs + request.durationMs) {
      this.#allocator.end(request.id, nowMs);
      // What ran out while nobody could be heard pays for what is known of it.
      const usedUntilMs = stage.heardAtMs < listensSinceMs ? stage.heardAtMs : nowMs;
      this.#finish(reservation, "completed", usedUntilMs);
    } else if (nowMs - Math.max(stage.heardAtMs, listensSinceMs) > silenceMsMax) {
      this.#allocator.end(request.id, nowMs);
      this.#finish(reservation, "silent", stage.heardAtMs);
    }
  }

  /** Charges what was used until `usedUntilMs`, and gives the rest back. */
  #finish(reservation: Reservation, end: ReservationEnd, usedUntilMs: number): void {
    const { stage, request } = reservation;
    const { intervalMs } = this.#options;
    this.#unheard.delete(request.id);
    const worked =
      stage.kind === "running"
        ? workedTime(stage, { toMs: usedUntilMs, isWhole: false, intervalMs })
        : { fromMs: 0, toMs: 0, intervalMs };
    // A hold that was asked for may have been placed, whatever was heard of it.
    if (stage.kind === "waiting") Object.assign(reservation, { worked, toldAfter: 0 });
    else this.#close(reservation, worked, usedUntilMs);
    this.#set(reservation, { kind: "ended", end });
    this.#counts.ended.set(end, (this.#counts.ended.get(end) ?? 0) + 1);
  }

  /** Tells the ledger all that was worked, and that no more will be. */
  #close(reservation: Reservation, worked: WorkedTime | undefined, atMs: number): void {
    const { id: reservationId, tenantId } = reservation.request;
    if (worked !== undefined) {
      reservation.worked = worked;
      this.#consume(reservation.request, worked, atMs);
    }
    this.#queue.push({ kind: "release", reservationId, tenantId, atMs });
    reservation.toldAfter = this.#queue.pushedCount;
  }

  #consume(request: JobRequest, worked: WorkedTime, atMs: number): void {
    for (const { interval, amountMicros, usedMs } of intervalCosts(request, worked))
      this.#queue.pushUse({
        reservationId: request.id,
        tenantId: request.tenantId,
        interval,
        amountMicros,
        atMs,
        details: useDetails(request, usedMs),
      });
  }

  /**
   * Tells the ledger what a later process would tell it too, and nothing more: so nothing is held for twice, and nothing is
   * charged of which nobody would know.
   */
  async #flush({ nowMs, signal }: Moment): Promise<void> {
    for (let round = 0; round < tellRoundCountMax; round += 1) {
      const pushedCount = this.#queue.pushedCount;
      await this.#keep(signal);
      for (const answer of await this.#queue.flush(pushedCount, signal)) this.#hear(answer, nowMs);
      // Whether the ledger is away, or knows everything.
      if (this.#queue.toldCount < pushedCount || this.#queue.length === 0) break;
    }
    await this.#keep(signal);
  }

  #hear(answer: ReserveAnswer, nowMs: number): void {
    const reservation = this.#reservations.get(answer.reservationId);
    if (reservation?.stage.kind !== "reserving") return;
    const { request, stage } = reservation;
    if (answer.kind === "held") {
      this.#set(reservation, { kind: "reserved", admittedAtMs: stage.admittedAtMs });
      return;
    }
    // The ledger knows better than what it said last: the job waits again, now for credit.
    this.#allocator.end(request.id, nowMs);
    this.#allocator.setCredit(request.tenantId, answer.spendableMicros);
    this.#allocator.submit(request);
    reservation.placement = [];
    this.#set(reservation, { kind: "waiting" });
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const over = await this.#writer.write(this.#queue.toldCount, signal);
    for (const { request } of over) this.#reservations.delete(request.id);
  }

  async #tellCredit(signal: AbortSignal): Promise<void> {
    // What is not told yet would be spent twice.
    if (this.#queue.length > 0) return;
    const tenantIds = new Set<TenantId>();
    for (const { request, stage } of this.#reservations.values())
      if (stage.kind === "waiting") tenantIds.add(request.tenantId);
    for (const tenantId of tenantIds) {
      const spendableMicros = await spendableOr(this.#ledger, tenantId, signal);
      if (spendableMicros !== undefined) this.#allocator.setCredit(tenantId, spendableMicros);
    }
  }

  #holdMs(): number {
    return Math.max(this.#options.startMsMax, this.#options.silenceMsMax) * 2;
  }
}
