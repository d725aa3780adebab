/** What the ledger has to be told, in order. What it could not be told stays until it could. */

import type { TenantId } from "@faultline/protocol";

import { ledgerQueueLengthMax } from "./limits.ts";
import type {
  IntervalUse,
  Release,
  Renewal,
  ReservationLedger,
  ReserveRequest,
} from "./reservation-ledger.ts";
import { assert, unreachable } from "#kernel/index.ts";

type Message =
  | ({ readonly kind: "reserve" } & ReserveRequest)
  | ({ readonly kind: "renew" } & Renewal)
  | ({ readonly kind: "consume" } & IntervalUse)
  | ({ readonly kind: "release" } & Release);

/** What the ledger said to a reservation that was asked for. */
export type ReserveAnswer =
  | { readonly kind: "held"; readonly reservationId: string }
  | {
      readonly kind: "refused";
      readonly reservationId: string;
      readonly tenantId: TenantId;
      readonly spendableMicros: bigint;
    };

export class LedgerQueue {
  readonly #ledger: ReservationLedger;
  #messages: Message[] = [];
  #pushedCount = 0;
  /** The intervals of each reservation that were put in; those that repeat are left out. */
  readonly #intervals = new Map<string, Set<number>>();

  constructor(ledger: ReservationLedger) {
    this.#ledger = ledger;
  }

  get length(): number {
    return this.#messages.length;
  }

  /** How many messages were put in so far. */
  get pushedCount(): number {
    return this.#pushedCount;
  }

  /** How many of them the ledger was told. */
  get toldCount(): number {
    return this.#pushedCount - this.#messages.length;
  }

  push(message: Message): void {
    assert(this.#messages.length < ledgerQueueLengthMax, "the ledger's queue has a limit");
    this.#messages.push(message);
    this.#pushedCount += 1;
    if (message.kind === "release") this.#intervals.delete(message.reservationId);
  }

  pushUse(use: IntervalUse): void {
    const intervals = this.#intervals.get(use.reservationId) ?? new Set();
    this.#intervals.set(use.reservationId, intervals);
    if (intervals.has(use.interval)) return;
    intervals.add(use.interval);
    this.push({ kind: "consume", ...use });
  }

  /** Tells the ledger as much as it can be told now, up to a count of messages; the answers to what was to be reserved. */
  async flush(toldCountMax: number, signal: AbortSignal): Promise<ReserveAnswer[]> {
    const answers: ReserveAnswer[] = [];
    let message = this.#messages[0];
    while (message !== undefined && this.toldCount < toldCountMax) {
      try {
        const answer = await this.#tell(message, signal);
        if (answer !== undefined) answers.push(answer);
      } catch (error) {
        if (signal.aborted) throw error;
        // The ledger cannot be reached: the message stays the first.
        return answers;
      }
      this.#messages.shift();
      message = this.#messages[0];
    }
    return answers;
  }

  async #tell(message: Message, signal: AbortSignal): Promise<ReserveAnswer | undefined> {
    switch (message.kind) {
      case "reserve": {
        const { reservationId, tenantId } = message;
        const outcome = await this.#ledger.reserve(message, signal);
        return outcome.kind === "held"
          ? { kind: "held", reservationId }
          : { ...outcome, reservationId, tenantId };
      }
      case "renew":
        await this.#ledger.renew(message, signal);
        return undefined;
      case "consume":
        await this.#ledger.consume(message, signal);
        return undefined;
      case "release":
        await this.#ledger.release(message, signal);
        return undefined;
      default:
        return unreachable(message);
    }
  }
}
