/** Metrics of the ledger: what was asked and refused, how its writing goes, and how near its bounds are. */

import { Counter, Gauge, type Registry } from "prom-client";

import type { ScheduledReconciliation } from "../reconcile/scheduled-reconciliation.ts";
import type { Ledger } from "./ledger.ts";
import { ledgerServiceLimits } from "./limits.ts";

type Source = Pick<Ledger, "counts" | "use" | "leasedMicros" | "overdueCount">;
type Reconciled = Pick<ScheduledReconciliation, "differenceCount">;

const microsPerUnit = 1e6;

/** Registers metrics that look at the ledger whenever they are collected. */
export function registerLedgerMetrics(
  registry: Registry,
  ledger: Source,
  reconciliation: Reconciled,
): void {
  registerCommands([registry], ledger);
  registerWriting([registry], ledger);
  registerUse([registry], ledger);
  const differences: Gauge = new Gauge({
    name: "faultline_ledger_differences",
    help: "What the last scheduled reconciliation found, over all ledgers in use.",
    registers: [registry],
    collect() {
      differences.set(reconciliation.differenceCount);
    },
  });
}

function registerCommands(registers: Registry[], ledger: Source): void {
  const commands = new Counter({
    name: "faultline_ledger_commands_total",
    help: "Commands by kind and outcome: `ok`, `repeated`, the code of a refusal, or `unknown`.",
    labelNames: ["command", "outcome"],
    registers,
    collect() {
      commands.reset();
      for (const [command, outcomes] of ledger.counts.commands) {
        for (const [outcome, count] of outcomes) commands.inc({ command, outcome }, count);
      }
    },
  });
}

function registerWriting(registers: Registry[], ledger: Source): void {
  const batches = new Counter({
    name: "faultline_ledger_batches_total",
    help: "Batches by how their writing ended; `fault` means that the database refused what the rules decided.",
    labelNames: ["outcome"],
    registers,
    collect() {
      batches.reset();
      for (const [outcome, count] of ledger.counts.batches) batches.inc({ outcome }, count);
    },
  });
  const seconds: Counter = new Counter({
    name: "faultline_ledger_write_seconds_total",
    help: "Time from handing a batch to PostgreSQL to its commit, over all batches.",
    registers,
    collect() {
      seconds.reset();
      seconds.inc(ledger.counts.writeMsSum / 1_000);
    },
  });
  const loads: Counter = new Counter({
    name: "faultline_ledger_loads_total",
    help: "Ledgers that were read from the database: on first use, and after a write that failed.",
    registers,
    collect() {
      loads.reset();
      loads.inc(ledger.counts.loadCount);
    },
  });
}

function registerUse(registers: Registry[], ledger: Source): void {
  const waiting = new Gauge({
    name: "faultline_ledger_waiting_commands",
    help: "Commands that wait, of the tenant with the most, and the most that may.",
    labelNames: ["state"],
    registers,
    collect() {
      waiting.set({ state: "waiting" }, ledger.use().waitingCountMax);
      waiting.set({ state: "limit" }, ledgerServiceLimits.waitingCountMax);
    },
  });
  const tenants = new Gauge({
    name: "faultline_ledger_tenants",
    help: "Ledgers in memory, and the most that may be.",
    labelNames: ["state"],
    registers,
    collect() {
      tenants.set({ state: "loaded" }, ledger.use().tenantCount);
      tenants.set({ state: "limit" }, ledgerServiceLimits.tenantCountMax);
    },
  });
  const leased = new Gauge({
    name: "faultline_ledger_leased",
    help: "Credit that open leases of the ledgers in memory hold, by currency, in whole units.",
    labelNames: ["currency"],
    registers,
    collect() {
      leased.reset();
      for (const [currency, micros] of ledger.leasedMicros())
        leased.set({ currency }, Number(micros) / microsPerUnit);
    },
  });
  const overdue: Gauge = new Gauge({
    name: "faultline_ledger_overdue",
    help: "Open holds and leases whose time is over, which wait for the sweeper or for recovery.",
    registers,
    collect() {
      overdue.set(ledger.overdueCount());
    },
  });
  const open = new Gauge({
    name: "faultline_ledger_open",
    help: "Open holds and leases of the ledgers in memory, and accounts in debt beyond their line.",
    labelNames: ["what"],
    registers,
    collect() {
      const { openHoldCount, openLeaseCount, indebtedCount } = ledger.use();
      open.set({ what: "holds" }, openHoldCount);
      open.set({ what: "leases" }, openLeaseCount);
      open.set({ what: "indebted-accounts" }, indebtedCount);
    },
  });
}
