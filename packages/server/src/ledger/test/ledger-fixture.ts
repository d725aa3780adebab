/** For tests: the ledger over a real database, with a clock that the test moves. */

import type { TenantId } from "@faultline/protocol";
import { pino } from "pino";

import {
  type Clock,
  createIds,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "#kernel/index.ts";
import type { Store } from "#storage/index.ts";

import { Ledger } from "../service/ledger.ts";
import type { LedgerAnswer, LedgerRequest } from "../service/ledger-request.ts";

export interface LedgerFixture extends AsyncDisposable {
  readonly ledger: Ledger;
  /** Moves the time forward. */
  advance(durationMs: number): void;
  /** Sends a command with a fresh id, unless it has one. */
  ask(
    request: { readonly kind: LedgerRequest["kind"] } & Readonly<Record<string, unknown>>,
    tenantId?: TenantId,
  ): Promise<LedgerAnswer>;
}

/** Opens a ledger. */
export function openLedgerFixture(database: {
  readonly store: Store;
  readonly tenantId: TenantId;
  /** Default: the system's, which the fixture moves. */
  readonly clock?: Clock;
}): LedgerFixture {
  let aheadMs = 0;
  const clock: Clock = database.clock ?? {
    ...systemClock,
    nowMs: () => systemClock.nowMs() + aheadMs,
    monotonicMs: () => systemClock.monotonicMs() + aheadMs,
    // Tests sweep by themselves, when they have moved the clock.
    every: () => {},
  };
  const ids = createIds(clock, systemRandom);
  const background = new AbortController();
  const ledger = Ledger.open({
    store: database.store,
    clock,
    ids,
    eventLoop: systemEventLoop,
    logger: pino({ level: "silent" }),
    signal: background.signal,
  });
  return {
    ledger,
    advance: (durationMs) => void (aheadMs += durationMs),
    ask: (request, tenantId = database.tenantId) =>
      ledger.submit(
        { tenantId, signal: background.signal },
        // A test writes commands as they are, save the id.
        { id: ids.next(), ...request } as LedgerRequest,
      ),
    async [Symbol.asyncDispose]() {
      await ledger[Symbol.asyncDispose]();
      background.abort();
    },
  };
}

/** A charge of tokens. */
export function chargeOf(usageId: string, amountMicros: bigint) {
  return { usageId, usageKind: "tokens", amountMicros } as const;
}
