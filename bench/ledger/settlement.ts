/**
 * How many operations a second the ledger holds and settles on one hot account with durable commit, beside the usual way: a
 * transaction for each step that locks the account's row by `SELECT … FOR UPDATE`. On one PostgreSQL, in alternating rounds.
 */

import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseTenantId, type TenantId } from "@faultline/protocol";
import { createLogger } from "@faultline/server/create-logger.ts";
import {
  assert,
  createIds,
  type Ids,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "@faultline/server/kernel/index.ts";
import { Ledger, type LedgerRequest } from "@faultline/server/ledger/index.ts";
import {
  openPostgres,
  openStore,
  type PostgresConnection,
} from "@faultline/server/storage/index.ts";

import type { BenchOptions, BenchResult } from "../bench.ts";
import { figureOfRounds } from "../figure-of-rounds.ts";
import { type LockingLedger, openLockingLedger } from "./locking.ts";

/** Operations under way at once, as of so many connections. */
const callerCount = 4_096;
const pairCountSmall = 8_000;
const pairCountLarge = 100_000;
const lockingPairCountSmall = 100;
const lockingPairCountLarge = 2_000;
const roundCountSmall = 2;
const roundCountLarge = 5;
const heldMicros = 1_000n;
const chargedMicros = 700n;

/** Measures settled pairs of both ways, and checks that every one of them was charged once. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const dataFolder = await mkdtemp(join(tmpdir(), "faultline-bench-ledger-"));
  try {
    return await runIn(dataFolder, small);
  } finally {
    await rm(dataFolder, { recursive: true, force: true });
  }
}

async function runIn(dataFolder: string, small: boolean): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const { signal } = new AbortController();
  const base = {
    clock: systemClock,
    logger: createLogger({ level: "error", format: "json" }),
    signal,
  };
  const postgres: PostgresConnection = stack.use(await openPostgres({ ...base, dataFolder }));
  const store = stack.use(await openStore({ ...base, postgres }));
  const tenantId = parseTenantId("bench");
  assert(tenantId !== undefined, "the bench names its tenant as tenants are named");
  await store.system(signal, (writer) =>
    writer.insertInto("tenant").values({ id: tenantId }).execute(),
  );
  const ids = createIds(systemClock, systemRandom);
  const ledger = stack.use(Ledger.open({ ...base, store, ids, eventLoop: systemEventLoop }));
  const locking = stack.use(await openLockingLedger(postgres, signal));
  const account: HotAccount = { ledger, tenantId, ids, signal };
  await openAccount(account);

  const pairCount = small ? pairCountSmall : pairCountLarge;
  const lockingPairCount = small ? lockingPairCountSmall : lockingPairCountLarge;
  const roundCount = small ? roundCountSmall : roundCountLarge;
  // The first pairs load the ledger and warm both up.
  await settlePairs(account, callerCount);
  await lockPairs(locking, lockingPairCountSmall);
  const batched: number[] = [];
  const locked: number[] = [];
  for (let round = 0; round < roundCount; round += 1) {
    batched.push(await ratePerSecond(pairCount, () => settlePairs(account, pairCount)));
    locked.push(await ratePerSecond(lockingPairCount, () => lockPairs(locking, lockingPairCount)));
  }
  const charged = ledger.stateOf(tenantId)?.balances.get("usage:tokens/USD");
  const expected = BigInt(callerCount + roundCount * pairCount) * chargedMicros;
  assert(charged === expected, "every pair was charged once");
  const lockedPairs = lockingPairCountSmall + roundCount * lockingPairCount;
  assert((await locking.chargedCount()) === lockedPairs, "every locked pair was charged once");
  return {
    name: "ledger",
    figures: [
      figureOfRounds("hold and settle on one account, durable", "pairs/s", batched),
      figureOfRounds("the same by SELECT … FOR UPDATE", "pairs/s", locked),
      figureOfRounds(
        "against SELECT … FOR UPDATE",
        "times",
        batched.map((rate, index) => rate / (locked[index] ?? Number.NaN)),
      ),
    ],
    resultHash: createHash("sha256").update(`${charged} ${lockedPairs}`).digest("hex"),
    notes: [
      `${pairCount} pairs in each round by ${callerCount} callers; ${lockingPairCount} by 16 connections beside.`,
    ],
  };
}

interface HotAccount {
  readonly ledger: Ledger;
  readonly tenantId: TenantId;
  readonly ids: Ids;
  readonly signal: AbortSignal;
}

async function openAccount(account: HotAccount): Promise<void> {
  await ask(account, { kind: "open-account", id: "open", currency: "USD", limitMicros: 0n });
  await ask(account, {
    kind: "grant",
    id: "grant",
    currency: "USD",
    amountMicros: 1_000_000_000_000n,
    priority: 0,
    expiresAtMs: undefined,
  });
}

async function settlePairs(account: HotAccount, pairCount: number): Promise<void> {
  let left = pairCount;
  const call = async (): Promise<void> => {
    // Each caller has a signal of its own, as each request has.
    const own = { ...account, signal: new AbortController().signal };
    while (left > 0) {
      left -= 1;
      const holdId = account.ids.next();
      const hold = { currency: "USD", amountMicros: heldMicros, durationMs: 60_000 } as const;
      await ask(own, { kind: "hold", id: holdId, ...hold, attribution: { keyId: "bench" } });
      const usageId = account.ids.next();
      const charge = { usageId, usageKind: "tokens", amountMicros: chargedMicros } as const;
      await ask(own, { kind: "settle", id: usageId, holdId, charge, isFinal: true });
    }
  };
  await Promise.all(Array.from({ length: callerCount }, call));
}

async function ask({ ledger, tenantId, signal }: HotAccount, request: LedgerRequest) {
  const answer = await ledger.submit({ tenantId, signal }, request);
  assert(answer.kind !== "refused", "the bench asks for what it may");
}

async function lockPairs(locking: LockingLedger, pairCount: number): Promise<void> {
  let left = pairCount;
  await locking.each(async (session) => {
    while (left > 0) {
      left -= 1;
      await session.settle(await session.hold(heldMicros), chargedMicros);
    }
  });
}

async function ratePerSecond(pairCount: number, work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return pairCount / ((performance.now() - startedMs) / 1_000);
}
