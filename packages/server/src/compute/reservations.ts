/**
 * The life of reservations, between the allocator and the ledger: what waits is admitted, what is admitted is held for, what
 * is held is used by intervals, and what is not used goes back. Calls come one after another; what the ledger could not be
 * told is told again with the next.
 */

import { assert } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { Allocator, SubmitOutcome } from "./allocator.ts";
import type { Decision, Placement } from "./decision.ts";
import type { DevicePrices } from "./device-prices.ts";
import { intervalCosts, type WorkedTime } from "./interval-cost.ts";
import type { JobRequest } from "./job.ts";
import { LedgerQueue } from "./ledger-queue.ts";
import { costMicrosMax } from "./limits.ts";
import type { ReservationLedger, WorkDifference } from "./reservation-ledger.ts";
import { spendableOr } from "./spendable.ts";
import type {
  ReservationCounts,
  ReservationEnd,
  ReservationKeeper,
  ReservationRecord,
  ReservationStage,
} from "./reservation-record.ts";
import { useDetails } from "./use-details.ts";
import { isHeldFor, workedTime, workOf } from "./reservation-work.ts";

export interface ReservationOptions {
  /** Work that has not sent its first heartbeat by then never starts: its reservation expires. */
  readonly startMsMax: number;
  /** Use is counted by intervals of so much. */
  readonly intervalMs: number;
  /** Work that is silent for longer is lost: it pays up to what was heard last. */
  readonly silenceMsMax: number;
  /** Without one nothing outlives the process. */
  readonly keeper?: ReservationKeeper;
  /** Without one a reservation costs what its request says, whenever it is admitted. */
  readonly prices?: DevicePrices;
  /** Nobody could be heard before; work is not silent for what came earlier. */
  readonly listensSinceMs?: number;
}

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
}

export class Reservations {
  readonly #allocator: Allocator;
  readonly #options: ReservationOptions;
  readonly #ledger: ReservationLedger;
  readonly #queue: LedgerQueue;
  readonly #reservations = new Map<string, Reservation>();
  /** Changed, and not kept yet. */
  readonly #unkept = new Set<string>();
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
  restore({ request, stage, placement }: ReservationRecord, nowMs: number): void {
    assert(stage.kind !== "ended", "only what is open is restored");
    const reservation = { request, stage, placement, renewedAtMs: nowMs };
    this.#reservations.set(request.id, reservation);
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
    this.#consume(reservation, running, { toMs: heardAtMs, isWhole: true });
    // Silence is noticed after half of what a hold lasts, so renewing by quarters never lets one expire under its work.
    if (heardAtMs - reservation.renewedAtMs >= this.#holdMs() / 4)
      this.#renew(reservation, heardAtMs);
    return heardAtMs < admittedAtMs + reservation.request.durationMs ? "goes-on" : "stops";
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
      this.#unkept.add(request.id);
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
    this.#unkept.add(reservation.request.id);
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
    reservation.worked = { fromMs: 0, toMs: 0, intervalMs };
    this.#unheard.delete(request.id);
    if (stage.kind === "running") {
      reservation.worked = workedTime(stage, { toMs: usedUntilMs, isWhole: false, intervalMs });
      this.#consume(reservation, stage, { toMs: usedUntilMs, isWhole: false });
    }
    // A hold that was asked for may have been placed, whatever was heard of it.
    if (stage.kind !== "waiting")
      this.#queue.push({
        kind: "release",
        reservationId: request.id,
        tenantId: request.tenantId,
        atMs: usedUntilMs,
      });
    this.#set(reservation, { kind: "ended", end });
    this.#counts.ended.set(end, (this.#counts.ended.get(end) ?? 0) + 1);
  }

  #consume(
    { request }: Reservation,
    stage: ReservationStage & { readonly kind: "running" },
    { toMs, isWhole }: { readonly toMs: number; readonly isWhole: boolean },
  ): void {
    const { intervalMs } = this.#options;
    const costs = intervalCosts(request, workedTime(stage, { toMs, isWhole, intervalMs }));
    for (const { interval, amountMicros, usedMs: ms } of costs)
      this.#queue.pushUse({
        reservationId: request.id,
        tenantId: request.tenantId,
        interval,
        amountMicros,
        atMs: toMs,
        details: useDetails(request, ms),
      });
  }

  async #flush({ nowMs, signal }: Moment): Promise<void> {
    // The ledger is asked to hold only for what is not forgotten: so nothing is ever held for twice.
    await this.#keep(signal);
    for (const answer of await this.#queue.flush(signal)) {
      const reservation = this.#reservations.get(answer.reservationId);
      if (reservation?.stage.kind !== "reserving") continue;
      const { request, stage } = reservation;
      if (answer.kind === "held") {
        this.#set(reservation, { kind: "reserved", admittedAtMs: stage.admittedAtMs });
        continue;
      }
      // The ledger knows better than what it said last: the job waits again, now for credit.
      this.#allocator.end(request.id, nowMs);
      this.#allocator.setCredit(request.tenantId, answer.spendableMicros);
      this.#allocator.submit(request);
      reservation.placement = [];
      this.#set(reservation, { kind: "waiting" });
    }
    await this.#keep(signal);
  }

  /** Keeps what has changed; an end only once the ledger knows all of it, as nothing tells it of what is ended later. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { keeper } = this.#options;
    if (keeper === undefined) return;
    const isTold = this.#queue.length === 0;
    const records: ReservationRecord[] = [];
    for (const id of this.#unkept) {
      const reservation = this.#reservations.get(id);
      if (reservation !== undefined && (isTold || reservation.stage.kind !== "ended"))
        records.push({ ...reservation });
    }
    if (records.length === 0) return;
    for (const { request } of records) this.#unkept.delete(request.id);
    try {
      await keeper.save(records, signal);
    } catch (error) {
      for (const { request } of records) this.#unkept.add(request.id);
      throw error;
    }
    for (const { request, stage } of records)
      if (stage.kind === "ended") this.#reservations.delete(request.id);
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
