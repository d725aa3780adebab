/**
 * For tests: a control process as far as compute needs one, on a server that is named. In `work` it reserves, works and
 * completes without end, and says what it was answered; in `end` it waits until nothing is open, and ends.
 */

import { loadConfig } from "#config/index.ts";
import { createIds, systemClock, systemEventLoop, systemRandom } from "#kernel/index.ts";
import { Ledger, LedgerBooks } from "#ledger/index.ts";
import { embeddedConfigs, embeddedSuperuser, openStore } from "#storage/index.ts";
import type { TenantId } from "@faultline/protocol";
import { pino } from "pino";

import { Compute } from "../compute.ts";

const [socketFolder = "", mode = "", grantedMicros = "0"] = process.argv.slice(2);
const { signal } = new AbortController();
// The test makes it under this name.
const tenantId = "crash" as TenantId;
const scope = { tenantId, signal };
const address = { socketFolder, database: "faultline", superuser: embeddedSuperuser };
const postgres = {
  kind: "embedded" as const,
  version: "18",
  description: "the server of the test",
  lost: new Promise<never>(() => {}),
  async [Symbol.asyncDispose]() {},
  ...embeddedConfigs(address),
};
const base = { clock: systemClock, logger: pino({ level: "silent" }), signal };
const store = await openStore({ ...base, postgres });
const ids = createIds(systemClock, systemRandom);
const parts = { ...base, store, ids, eventLoop: systemEventLoop };
const ledger = Ledger.open(parts);
const ledgerBooks = new LedgerBooks(parts);
const account = { kind: "open-account", id: "open", currency: "USD", limitMicros: 0n } as const;
await ledger.submit(scope, account);
const gift = { kind: "grant", id: "gift", currency: "USD", priority: 0 } as const;
const amountMicros = BigInt(grantedMicros);
await ledger.submit(scope, { ...gift, amountMicros, expiresAtMs: undefined });

const config = loadConfig({ environment: {}, workingFolder: "/nonexistent" });
const node = { id: "n1", region: "eu", deviceKind: "h100", cpuCores: 64, memoryGigabytes: 512 };
const compute = await Compute.open({
  ...parts,
  ledger,
  ledgerBooks,
  config: {
    ...config,
    compute: {
      ...config.compute,
      nodes: [{ ...node, deviceCount: 16 }],
      prices: [{ deviceKind: "h100", microsPerDeviceSecond: 100, priorityPercent: 10 }],
      startMsMax: 1_500,
      intervalMs: 50,
      silenceMsMax: 1_500,
    },
  },
});

/** Asks again and again with the same id, as a client does who does not know what became of its request. */
async function insist<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    try {
      return await ask();
    } catch {
      await systemClock.sleep(50, signal);
    }
  }
}

async function work(): Promise<void> {
  for (let count = 0; ; count += 1) {
    const id = ids.next();
    const job = { deviceKind: "h100", member: { deviceCount: 2 }, durationSeconds: 30 };
    const { stage } = await insist(() => compute.reserve(scope, { ...job, id }));
    process.stdout.write(`${id} ${stage}\n`);
    if (stage === "waiting" || stage === "reserving" || count % 5 === 4) {
      await insist(() => compute.withdraw(scope, id));
      process.stdout.write(`${id} withdrawn\n`);
      continue;
    }
    await insist(() => compute.heartbeat(scope, id));
    await systemClock.sleep(120, signal);
    await insist(() => compute.heartbeat(scope, id));
    const ended = await insist(() => compute.complete(scope, id));
    // What was silent for too long, because its process was away, has ended otherwise.
    process.stdout.write(`${id} ${ended.end ?? ended.stage}\n`);
  }
}

if (mode === "work") await Promise.all(Array.from({ length: 8 }, work));
else {
  while ((await compute.list(scope)).some(({ stage }) => stage !== "ended")) {
    await systemClock.sleep(50, signal);
    await compute.tick();
  }
  await compute[Symbol.asyncDispose]();
  await ledger[Symbol.asyncDispose]();
  process.exit(0);
}
