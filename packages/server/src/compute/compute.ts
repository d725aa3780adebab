/** Compute as a service: takes reservations, keeps them durably, and lets the scheduler look at them again and again. */

import type { ComputeConfig } from "#config/index.ts";
import { type Clock, type Ids, raceAbort } from "#kernel/index.ts";
import type { DifferenceSource, Ledger, LedgerBooks } from "#ledger/index.ts";
import type { Store, TenantScope } from "#storage/index.ts";
import {
  type LedgerDifference,
  PlatformError,
  type Reservation,
  type ReservationHeartbeat,
  type ReserveComputeRequest,
  type TenantId,
} from "@faultline/protocol";
import type { Logger } from "pino";

import type { Allocator, AllocatorCounts } from "./allocator.ts";
import { staticCapacity } from "./capacity.ts";
import { configureAllocator } from "./configure-allocator.ts";
import { DevicePrices } from "./device-prices.ts";
import { explainWait } from "./explain-wait.ts";
import { HoldLedger, holdOf } from "./hold-ledger.ts";
import { contentOf } from "./request-content.ts";
import { faultOfRequest, type JobRequest } from "./job.ts";
import {
  costMicrosMax,
  loggedCountMax,
  openReservationCountMax,
  reconcileIntervalMs,
  tickIntervalMs,
} from "./limits.ts";
import { mayStart } from "./reservation-work.ts";
import { globalIdOf, ReservationStore } from "./reservation-store.ts";
import type {
  ReservationCounts,
  ReservationRecord,
  ReservationStage,
} from "./reservation-record.ts";
import { Reservations } from "./reservations.ts";
import { showReservation } from "./show-reservation.ts";
import { toldOf, workFinding } from "./work-findings.ts";

export interface ComputeParts {
  readonly config: {
    readonly compute: ComputeConfig;
    /** Shares of tenants; who is not named has 1. */
    readonly gateway: {
      readonly dispatch: { readonly tenantWeights: Readonly<Record<string, number>> };
    };
  };
  readonly store: Store;
  readonly ledger: Ledger;
  readonly ledgerBooks: LedgerBooks;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

/** How compute stands at a moment. */
export interface ComputeUse extends AllocatorCounts {
  readonly counts: ReservationCounts;
  /** Looks at the reservations so far, and what they took together. */
  readonly passCount: number;
  readonly passMsSum: number;
  /** What the latest comparison with the ledger found. */
  readonly differenceCount: number;
}

export class Compute implements AsyncDisposable, DifferenceSource {
  readonly #parts: ComputeParts;
  readonly #store: ReservationStore;
  readonly #allocator: Allocator;
  readonly #reservations: Reservations;
  readonly #prices: DevicePrices;
  readonly #ending = new AbortController();
  readonly #signal: AbortSignal;
  #running: Promise<void> = Promise.resolve();
  /** Work and holds are compared after the next tick, when nothing is under way between them. */
  #isReconcileDue = false;
  #differenceCount = 0;
  #passMsSum = 0;
  #passCount = 0;
  #next: Promise<void> | undefined;

  private constructor(parts: ComputeParts, store: ReservationStore) {
    this.#parts = parts;
    this.#store = store;
    this.#signal = AbortSignal.any([parts.signal, this.#ending.signal]);
    const { compute, gateway } = parts.config;
    this.#allocator = configureAllocator(compute, gateway.dispatch.tenantWeights);
    const holds = new HoldLedger({ ledger: parts.ledger, books: parts.ledgerBooks });
    this.#prices = new DevicePrices(compute.prices);
    this.#reservations = new Reservations(this.#allocator, holds, {
      ...compute,
      prices: this.#prices,
      keeper: store,
      listensSinceMs: parts.clock.nowMs(),
    });
  }

  /** Takes up what an earlier process left open, and begins to look. */
  static async open(parts: ComputeParts): Promise<Compute> {
    const { clock, config, signal } = parts;
    const store = new ReservationStore(parts.store);
    const opened = new Compute(parts, store);
    const nodes = await staticCapacity(config.compute.nodes).listNodes(signal);
    opened.#allocator.setNodes(nodes, clock.nowMs());
    const records = await store.readOpen(signal);
    // Places are taken before anybody is let in.
    for (const record of records) opened.#reservations.restore(record, clock.nowMs());
    clock.every(tickIntervalMs, opened.#signal, () => void opened.tick());
    clock.every(reconcileIntervalMs, opened.#signal, () => {
      opened.#isReconcileDue = true;
    });
    return opened;
  }

  /**
   * Takes a request for devices; the same one again is the same reservation. Throws `price_unknown`, `amount_too_large`,
   * `request_invalid`, `limit_exceeded`, and `conflict` where the id is that of another request.
   */
  async reserve(scope: TenantScope, asked: ReserveComputeRequest): Promise<Reservation> {
    const request = this.#requestOf(scope.tenantId, asked);
    const localId = asked.id ?? this.#parts.ids.next();
    const record: ReservationRecord = {
      request: { ...request, id: globalIdOf(scope.tenantId, localId) },
      stage: { kind: "waiting" },
      placement: [],
    };
    const known = await this.#known(scope, localId);
    if (known !== undefined) return this.#takeAgain(scope, known, record.request);
    if (this.#reservations.openCountOf(scope.tenantId) >= openReservationCountMax)
      throw new PlatformError(
        "limit_exceeded",
        `${openReservationCountMax} reservations of the tenant are open.`,
        { hint: "Withdraw some, or wait until some have ended." },
      );
    if (!(await this.#store.add(scope, record))) {
      const other = await this.#known(scope, localId);
      if (other !== undefined) return this.#takeAgain(scope, other, record.request);
    }
    return this.#submit(scope, record);
  }

  /** Throws `not_found`. */
  async read(scope: TenantScope, localId: string): Promise<Reservation> {
    return this.#show(await this.#find(scope, localId), { withWait: true });
  }

  async list(scope: TenantScope): Promise<Reservation[]> {
    const records = await this.#store.list(scope);
    return records.map((record) =>
      this.#show(this.#reservations.recordOf(record.request.id) ?? record, { withWait: false }),
    );
  }

  /**
   * Takes a sign of life of work. What was said to go on is known to whoever comes after this process, and paid for. Throws
   * `not_found`, and `database_unavailable` where it could not be written down.
   */
  async heartbeat(scope: TenantScope, localId: string): Promise<ReservationHeartbeat> {
    const { request, stage } = await this.#find(scope, localId);
    // What it waited for may be there since the last look.
    if (mayStart(stage)) await raceAbort(this.tick(), scope.signal);
    const answer = this.#reservations.heartbeat(request.id, this.#parts.clock.nowMs());
    if (this.#reservations.recordOf(request.id) !== undefined) await this.#untilKept(scope);
    // The look that wrote it down may have given its devices to another.
    const after = await this.#find(scope, localId);
    const goesOn = answer === "goes-on" && after.stage.kind === "running";
    return { goesOn, reservation: this.#show(after, { withWait: false }) };
  }

  /** Ends work that has started; `conflict` where it has not. Throws `not_found`. */
  async complete(scope: TenantScope, localId: string): Promise<Reservation> {
    const { stage } = await this.#find(scope, localId);
    if (stage.kind !== "running" && stage.kind !== "ended")
      throw new PlatformError("conflict", `It is ${stage.kind}: no work has started.`, {
        hint: "Withdraw it if it is not wanted any more.",
      });
    return this.withdraw(scope, localId);
  }

  /** Ends a reservation; one that has ended stays as it ended. Throws `not_found` and `database_unavailable`. */
  async withdraw(scope: TenantScope, localId: string): Promise<Reservation> {
    const { request, stage } = await this.#find(scope, localId);
    // It was written down, and then nobody heard of it: the next process would let it in.
    if (stage.kind !== "ended") this.#reservations.takeUnheard(request);
    if (this.#reservations.recordOf(request.id) !== undefined) {
      this.#reservations.end(request.id, this.#parts.clock.nowMs());
      await this.#untilKept(scope);
    }
    return this.#show(await this.#find(scope, localId), { withWait: false });
  }

  /**
   * Where a tenant's reservations and the ledger do not agree: those that are open, and of those that ended the newest. Nothing
   * while the ledger was not told all that happened: that is no difference.
   */
  async differences(scope: TenantScope): Promise<readonly LedgerDifference[]> {
    await raceAbort(this.tick(), scope.signal);
    const run = this.#running.then(() => this.#compare(scope));
    // Nothing is told to the ledger before this has ended; how it ends its caller hears.
    this.#running = run.then(
      () => {},
      () => {},
    );
    return raceAbort(run, scope.signal);
  }

  async #compare(scope: TenantScope): Promise<readonly LedgerDifference[]> {
    const ended = await this.#store.list(scope);
    // Looked at after whatever was waited for: a heartbeat that came meanwhile was not told either.
    if (!this.#reservations.isTold) return [];
    const found = await this.#reservations.reconcile(
      scope.tenantId,
      ended.filter(({ stage }) => stage.kind === "ended"),
      scope.signal,
    );
    return toldOf(found).map((one) => workFinding(one, holdOf(one.reservationId)));
  }

  /** Looks at all reservations now. One that begins later than the call; never two at once. Does not reject. */
  tick(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#tickOnce();
      return this.#running;
    });
    return this.#next;
  }

  /** Open reservations by stage. */
  openCounts(): ReadonlyMap<ReservationStage["kind"], number> {
    return this.#reservations.openCounts();
  }

  /** How things stand, for metrics. */
  use(): ComputeUse {
    return {
      ...this.#allocator.counts(),
      counts: this.#reservations.counts,
      passMsSum: this.#passMsSum,
      passCount: this.#passCount,
      differenceCount: this.#differenceCount,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#next;
    await this.#running;
  }

  async #tickOnce(): Promise<void> {
    const { clock, logger } = this.#parts;
    if (this.#signal.aborted) return;
    const startedMs = clock.monotonicMs();
    try {
      await this.#reservations.tick({ nowMs: clock.nowMs(), signal: this.#signal });
    } catch (error) {
      if (!this.#signal.aborted) logger.warn({ err: error }, "reservations were not looked at");
    }
    this.#passMsSum += clock.monotonicMs() - startedMs;
    this.#passCount += 1;
    if (this.#isReconcileDue) await this.#reconcile();
  }

  async #reconcile(): Promise<void> {
    const { logger } = this.#parts;
    // What the ledger was not told yet is no difference.
    if (this.#signal.aborted || !this.#reservations.isTold) return;
    this.#isReconcileDue = false;
    try {
      let count = 0;
      for (const tenantId of this.#reservations.workingTenants()) {
        // A heartbeat may have come while the one before was compared.
        if (!this.#reservations.isTold) {
          this.#isReconcileDue = true;
          return;
        }
        const found = await this.#reservations.reconcile(tenantId, [], this.#signal);
        count += found.length;
        for (const { kind, reservationId } of found.slice(0, loggedCountMax))
          logger.warn({ kind, reservationId }, "reservations and the ledger do not agree");
      }
      this.#differenceCount = count;
    } catch (error) {
      if (!this.#signal.aborted) logger.warn({ err: error }, "reservations were not reconciled");
    }
  }

  #requestOf(tenantId: TenantId, asked: ReserveComputeRequest): Omit<JobRequest, "id"> {
    const { member } = asked;
    const job = {
      id: "",
      tenantId,
      deviceKind: asked.deviceKind,
      memberCount: asked.memberCount ?? 1,
      member: {
        deviceCount: member.deviceCount,
        cpuCores: member.cpuCores ?? 0,
        memoryGigabytes: member.memoryGigabytes ?? 0,
      },
      regions: asked.regions ?? [],
      distinctNodes: asked.distinctNodes ?? false,
      antiAffinityGroup: asked.antiAffinityGroup,
      priority: asked.priority ?? 0,
      durationMs: asked.durationSeconds * 1_000,
      submittedAtMs: this.#parts.clock.nowMs(),
    };
    const price = this.#prices.priceOf(job, job.submittedAtMs);
    if (price === undefined)
      throw new PlatformError("price_unknown", `A '${job.deviceKind}' has no price.`, {
        hint: "The operator sets it in `compute.prices` of the configuration.",
      });
    const { costMicros } = price;
    if (costMicros > costMicrosMax)
      throw new PlatformError("amount_too_large", `It would cost ${costMicros} micros.`, {
        hint: `Reserve for less than ${costMicrosMax} micros at once.`,
      });
    const fault = faultOfRequest({ ...job, costMicros });
    if (fault !== undefined) throw new PlatformError("request_invalid", fault);
    return { ...job, ...price };
  }

  /** A request whose id is known: the same one again, or a conflict. */
  #takeAgain(
    scope: TenantScope,
    known: ReservationRecord,
    request: JobRequest,
  ): Reservation | Promise<Reservation> {
    if (contentOf(known.request) !== contentOf(request))
      throw new PlatformError("conflict", "The id is that of a reservation with other content.", {
        hint: "Give a new request an id of its own.",
      });
    const current = this.#reservations.recordOf(known.request.id);
    // It was written down, and then nobody heard of it: it takes its place now.
    if (current === undefined && known.stage.kind !== "ended") return this.#submit(scope, known);
    // Whoever asks again has seen to what it waited for.
    if (current !== undefined && mayStart(current.stage)) return this.#look(scope, current);
    return this.#show(current ?? known, { withWait: true });
  }

  async #submit(scope: TenantScope, record: ReservationRecord): Promise<Reservation> {
    const outcome = this.#reservations.request(record.request);
    if (outcome.kind === "refused" && outcome.reason === "queue-full") {
      await this.#store.save(
        [{ ...record, stage: { kind: "ended", end: "withdrawn" }, isClosed: true }],
        scope.signal,
      );
      throw new PlatformError("limit_exceeded", "No more jobs may wait.");
    }
    return this.#look(scope, record);
  }

  /** How a reservation stands after a look that begins now. */
  async #look(scope: TenantScope, record: ReservationRecord): Promise<Reservation> {
    await raceAbort(this.tick(), scope.signal);
    const current = this.#reservations.recordOf(record.request.id);
    return this.#show(current ?? record, { withWait: true });
  }

  /** Until all that has changed outlives this process. */
  async #untilKept(scope: TenantScope): Promise<void> {
    const { changeCount } = this.#reservations;
    await raceAbort(this.tick(), scope.signal);
    if (this.#reservations.isKept(changeCount)) return;
    throw new PlatformError("database_unavailable", "The reservation could not be written down.", {
      hint: "Send the same again: until it is answered, nobody may know of it.",
    });
  }

  async #find(scope: TenantScope, localId: string): Promise<ReservationRecord> {
    const record = await this.#known(scope, localId);
    if (record !== undefined) return { ...record };
    throw new PlatformError("not_found", `There is no reservation '${localId}'.`);
  }

  /** What is in memory comes first: what is read while it ends may be older than its end. */
  async #known(scope: TenantScope, localId: string): Promise<ReservationRecord | undefined> {
    const current = this.#reservations.recordOf(globalIdOf(scope.tenantId, localId));
    return current ?? this.#store.find(scope, localId);
  }

  #show(record: ReservationRecord, { withWait }: { readonly withWait: boolean }): Reservation {
    const explains = withWait && record.stage.kind === "waiting";
    return showReservation(
      record,
      explains
        ? explainWait(this.#allocator, record.request.id, this.#parts.clock.nowMs())
        : undefined,
    );
  }
}
