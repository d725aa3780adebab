/**
 * Prints the benchmark tables.
 *
 *     npm run bench                         every benchmark, large
 *     npm run bench -- --small [NAME…]      small, as in the tests
 *     npm run bench -- gateway --peers      beside other products, which are installed below bench/peers first
 *     npm run bench -- --check [NAME…]      exits with 1 when a figure surely misses its goal
 */

import { cpus } from "node:os";
import { parseArgs } from "node:util";

import { run as allocator } from "./ledger/allocator.ts";
import type { Bench, BenchFigure, BenchResult } from "./bench.ts";
import { run as contracts } from "./contracts/traces.ts";
import { run as contractsLifetimes } from "./contracts/lifetimes.ts";
import { run as contractsPopulations } from "./contracts/populations.ts";
import { run as gateway } from "./gateway/calls.ts";
import { run as gatewayCredit } from "./gateway/credit.ts";
import { run as gatewayForms } from "./gateway/forms.ts";
import { run as gatewayGrowth } from "./gateway/growth.ts";
import { run as gatewayIdle } from "./gateway/idle.ts";
import { run as gatewayLatency } from "./gateway/latency.ts";
import { run as gatewaySlowStreams } from "./gateway/slow-streams.ts";
import { standingsOf } from "./goals.ts";
import { run as journal } from "./journal/log.ts";
import { run as journalStore } from "./journal/store.ts";
import { run as ledger } from "./ledger/settlement.ts";
import { run as ledgerAdmission } from "./ledger/admission.ts";
import { run as otlp } from "./otlp.ts";
import { run as scheduling } from "./contracts/scheduling.ts";
import { run as startup } from "./startup.ts";

const benches: Readonly<Record<string, Bench>> = {
  startup,
  contracts,
  scheduling,
  "contracts-lifetimes": contractsLifetimes,
  "contracts-populations": contractsPopulations,
  allocator,
  otlp,
  gateway,
  "gateway-forms": gatewayForms,
  "gateway-credit": gatewayCredit,
  "gateway-slow-streams": gatewaySlowStreams,
  "gateway-latency": gatewayLatency,
  "gateway-idle": gatewayIdle,
  "gateway-growth": gatewayGrowth,
  journal,
  "journal-store": journalStore,
  ledger,
  "ledger-admission": ledgerAdmission,
};

const { values, positionals } = parseArgs({
  options: {
    small: { type: "boolean", default: false },
    peers: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

const names = positionals.length === 0 ? Object.keys(benches) : positionals;
for (const name of names) {
  if (!Object.hasOwn(benches, name)) {
    process.stderr.write(
      `There is no benchmark '${name}'. There are: ${Object.keys(benches).join(", ")}.\n`,
    );
    process.exit(64);
  }
}

console.log(
  `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, Node ${process.version}`,
);
for (const name of names) {
  const result = await benches[name]?.({ small: values.small, peers: values.peers });
  if (result === undefined) continue;
  console.log(`\n${table(result)}`);
  if (values.check) check(result);
}

/** Holds the figures against their goals. Where the interval of a median lies on both sides, more rounds would decide. */
function check(result: BenchResult): void {
  for (const { figure, goal, verdict } of standingsOf(result)) {
    console.log(`  ${verdict}: ${figure.name}, ${goal}: ${valueText(figure)}`);
    if (verdict === "missed") process.exitCode = 1;
  }
}

function table(result: BenchResult): string {
  const width = Math.max(...result.figures.map((figure) => figure.name.length));
  return [
    result.name,
    ...result.figures.map((figure) => `  ${figure.name.padEnd(width)}  ${valueText(figure)}`),
    `  ${"hash of the result".padEnd(width)}  ${result.resultHash.slice(0, 16)}`,
    ...(result.notes ?? []).map((note) => `  ${note}`),
  ].join("\n");
}

function valueText({ value, unit, spread }: BenchFigure): string {
  const format = (number: number): string =>
    number.toLocaleString("en-US", { maximumFractionDigits: number < 10 ? 3 : 0 });
  const range = spread === undefined ? "" : ` (${format(spread[0])} to ${format(spread[1])})`;
  return `${format(value)} ${unit}${range}`;
}
