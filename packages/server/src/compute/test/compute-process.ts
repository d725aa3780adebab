/** For tests: compute and its ledger as a control process opens them, at a time that the test sets. */

import { type LedgerDifference, parseTenantId, type TenantId } from "@faultline/protocol";
import { pino } from "pino";

import { loadConfig } from "#config/index.ts";
import {
  assert,
  type Clock,
  createIds,
  systemClock,
  systemEventLoop,
  systemRandom,
} from "#kernel/index.ts";
import { Ledger, LedgerBooks } from "#ledger/index.ts";
import type { Store } from "#storage/index.ts";

import { Compute } from "../compute.ts";

/** What whoever runs the work does, and when. Sent again, a step changes nothing more. */
export interface WorkStep {
  readonly kind: "reserve" | "heartbeat" | "complete";
  readonly nowMs: number;
}

export interface ComputeProcess extends AsyncDisposable {
  readonly ledger: Ledger;
  readonly books: LedgerBooks;
  take(step: WorkStep): Promise<void>;
  /** What stands at a later moment, at which nobody was heard. */
  lookAt(nowMs: number): Promise<readonly LedgerDifference[]>;
}

export interface ComputeProcessTerms {
  readonly store: Store;
  readonly tenant: string;
  readonly startMs: number;
  /** Called around everything that is written, with what that is; it may never resolve. */
  readonly around?: (point: string) => Promise<void>;
}

const { signal } = new AbortController();
/** 240,000 micros for the whole, 24,000 for each interval of a minute. */
const job = { id: "j", deviceKind: "h100", member: { deviceCount: 4 }, durationSeconds: 600 };
const node = { id: "n1", region: "eu", deviceKind: "h100", deviceCount: 8 };
const price = { deviceKind: "h100", microsPerDeviceSecond: 100, priorityPercent: 0, changes: [] };

/** Opens them. What an earlier process left open is taken up. */
export async function openComputeProcess(terms: ComputeProcessTerms): Promise<ComputeProcess> {
  const { store, startMs, around = async () => {} } = terms;
  const tenantId = tenantOf(terms.tenant);
  let nowMs = startMs;
  await using stack = new AsyncDisposableStack();
  const background = new AbortController();
  stack.defer(() => background.abort());
  const clock: Clock = { ...systemClock, nowMs: () => nowMs, every: () => {} };
  const config = loadConfig({ environment: {}, workingFolder: "/nonexistent" });
  const nodes = [{ ...node, cpuCores: 96, memoryGigabytes: 1_024 }];
  const compute = { ...config.compute, nodes, prices: [price] };
  const parts = {
    clock,
    ids: createIds(clock, systemRandom),
    logger: pino({ level: "silent" }),
    signal: background.signal,
    config: { ...config, compute },
  };
  const ledger = stack.use(Ledger.open({ ...parts, store, eventLoop: systemEventLoop }));
  const books = new LedgerBooks({ store, clock });
  const opened = stack.use(
    await Compute.open({
      ...parts,
      store: watchedStore(store, around),
      ledger: watchedLedger(ledger, around),
      ledgerBooks: books,
    }),
  );
  const running = stack.move();
  return {
    ledger,
    books,
    async take(step) {
      ({ nowMs } = step);
      const scope = { tenantId, signal };
      if (step.kind === "reserve") await opened.reserve(scope, job);
      else await opened[step.kind](scope, job.id);
    },
    async lookAt(laterMs) {
      nowMs = laterMs;
      return opened.differences({ tenantId, signal });
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function tenantOf(name: string): TenantId {
  const tenantId = parseTenantId(name);
  assert(tenantId !== undefined, "a test names its tenants as tenants are named");
  return tenantId;
}

/** Reservations use nothing else of a store. */
function watchedStore(store: Store, around: (point: string) => Promise<void>): Store {
  const watched: Pick<Store, "read" | "transact" | "system"> = {
    read: (scope, run) => store.read(scope, run),
    system: (stop, run) => store.system(stop, run),
    async transact(scope, run) {
      await around("before a reservation is written");
      const result = await store.transact(scope, run);
      await around("after a reservation was written");
      return result;
    },
  };
  return watched as Store;
}

/** Compute asks nothing else of the ledger. */
function watchedLedger(ledger: Ledger, around: (point: string) => Promise<void>): Ledger {
  const watched: Pick<Ledger, "submit"> = {
    async submit(scope, request, options) {
      await around(`before ${request.kind}`);
      const answer = await ledger.submit(scope, request, options);
      await around(`after ${request.kind}`);
      return answer;
    },
  };
  return watched as Ledger;
}
