/** The credit of all tenants in one worker, and its messages with the control process. */

import type { Clock, EventLoop } from "#kernel/index.ts";
import type { TenantId } from "@faultline/protocol";

import type { CreditDown, CreditUp, WorkerLife } from "./credit-messages.ts";
import { readBootId, readProcessMark } from "./process-mark.ts";
import { type CreditUse, TenantCredit } from "./tenant-credit.ts";
import { UsageJournal } from "./usage-journal.ts";

/** What a worker is started with. */
export interface CreditStart {
  readonly life: WorkerLife;
  readonly leaseDurationMs: number;
  /** Holds the journals of usage of all workers. */
  readonly folder: string;
  /** A file of the journal is closed when it is this long. */
  readonly fileBytesMax: number;
}

export interface CreditDeskParts {
  readonly start: CreditStart;
  readonly clock: Clock;
  readonly eventLoop: EventLoop;
  readonly processId: number;
  readonly send: (messages: readonly CreditUp[]) => void;
}

export class CreditDesk {
  readonly #parts: CreditDeskParts;
  readonly #journal: UsageJournal;
  readonly #tenants = new Map<TenantId, TenantCredit>();
  readonly #awake = new Set<TenantCredit>();
  #outbox: CreditUp[] = [];
  #holdCount = 0;
  #isScheduled = false;
  #whenIdle: (() => void) | undefined;

  constructor(parts: CreditDeskParts) {
    this.#parts = parts;
    const { start, eventLoop, processId } = parts;
    const { folder, life, fileBytesMax } = start;
    const processMark = readProcessMark(processId) ?? String(processId);
    this.#journal = new UsageJournal({
      folder,
      life,
      bootId: readBootId(),
      processMark,
      eventLoop,
      fileBytesMax,
    });
  }

  /** Begins the journal of this life. Where the disk does not take it, nobody who pays is served until it does. */
  open(): void {
    this.#journal.open();
  }

  /** Why the journal takes no records; empty when it does. */
  failedJournals(): string[] {
    const { failure } = this.#journal;
    return failure === undefined ? [] : [failure.message];
  }

  /** How the credit of all tenants stands together, for metrics. */
  use(): CreditUse {
    const sum = { idleMicros: 0, waitingCount: 0, unreportedCount: 0 };
    for (const tenant of this.#tenants.values()) {
      const { idleMicros, waitingCount, unreportedCount } = tenant.use();
      sum.idleMicros += idleMicros;
      sum.waitingCount += waitingCount;
      sum.unreportedCount += unreportedCount;
    }
    return sum;
  }

  /** The credit of a tenant that pays. */
  of(tenantId: TenantId): TenantCredit {
    const known = this.#tenants.get(tenantId);
    if (known !== undefined) return known;
    const { start, clock } = this.#parts;
    const tenant: TenantCredit = new TenantCredit({
      ...start,
      tenantId,
      clock,
      journal: this.#journal,
      send: (message) => this.#outbox.push(message),
      wake: () => this.#wake(tenant),
      nextNumber: () => (this.#holdCount += 1),
    });
    this.#tenants.set(tenantId, tenant);
    return tenant;
  }

  onMessages(messages: readonly CreditDown[]): void {
    for (const message of messages) {
      const tenant = this.of(message.tenantId);
      if (message.kind === "recall") tenant.recall(message.round);
      else tenant.onAnswer(message.commandId, message.answer, message.budgets);
    }
    this.#flush();
  }

  /** Called every `reportMs`. */
  tick(): void {
    this.#journal.retry();
    for (const tenant of this.#tenants.values()) tenant.tick();
    this.#flush();
  }

  /** Returns all credit, as far as that is possible until the signal aborts, and closes the journal. */
  async close(signal: AbortSignal): Promise<void> {
    for (const tenant of this.#tenants.values()) tenant.stop();
    this.#flush();
    if (!this.#isIdle && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    this.#journal.close(this.#isIdle);
  }

  get #isIdle(): boolean {
    for (const tenant of this.#tenants.values()) if (!tenant.isIdle) return false;
    return true;
  }

  /** What calls of one turn need is asked for together. */
  #wake(tenant: TenantCredit): void {
    this.#awake.add(tenant);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#parts.eventLoop.afterPoll(() => {
      this.#isScheduled = false;
      const awake = [...this.#awake];
      this.#awake.clear();
      for (const one of awake) one.pump();
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#outbox.length > 0) {
      const messages = this.#outbox;
      this.#outbox = [];
      this.#parts.send(messages);
    }
    if (this.#whenIdle !== undefined && this.#isIdle) this.#whenIdle();
  }
}
