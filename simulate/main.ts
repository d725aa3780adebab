/**
 * Simulates gateways, a ledger and faults, and audits what they did.
 *
 *     npm run simulate -- --seed 17                one seed
 *     npm run simulate -- --seeds 2000             seeds 1 to 2,000
 *     npm run simulate -- --seeds 100 --from 501   seeds 501 to 600
 *     npm run simulate -- --regions --seeds 500    regions that are cut off from one another
 */

import { parseArgs } from "node:util";

import { Coverage } from "./coverage.ts";
import { runManyRegions } from "./regions/run-many.ts";
import { runSeed } from "./run-seed.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    from: { type: "string", default: "1" },
    operations: { type: "string", default: "300" },
    regions: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
    "first-fault": { type: "boolean", default: false },
  },
});

const first = Number(values.seed ?? values.from);
const count = values.seed === undefined ? Number(values.seeds) : 1;
const operationCount = Number(values.operations);
if (
  ![first, count, operationCount].every((number) => Number.isSafeInteger(number) && number >= 1)
) {
  process.stderr.write(
    "Seeds, their count and the count of operations are whole numbers from 1 on.\n",
  );
  process.exit(64);
}

if (values.regions) {
  const terms = { first, count, operationCount, isQuiet: values.quiet };
  process.exit(runManyRegions({ ...terms, stopsAtFault: values["first-fault"] }) === 0 ? 0 : 1);
}

const coverage = new Coverage();
const sums = { served: 0, refused: 0, unavailable: 0, events: 0 };
let overReportedMicros = 0n;
let debtMadeMicros = 0n;
let failedCount = 0;
let seed = first;
for (; seed < first + count; seed += 1) {
  const result = runSeed(seed, operationCount);
  coverage.add(result.coverage);
  sums.served += result.servedCount;
  sums.refused += result.refusedCount;
  sums.unavailable += result.unavailableCount;
  sums.events += result.eventCount;
  overReportedMicros += result.overReportedMicros;
  debtMadeMicros += result.debtMadeMicros;
  if (result.violations.length === 0) continue;
  failedCount += 1;
  process.stdout.write(`seed ${seed} is broken:\n`);
  for (const sentence of result.violations) process.stdout.write(`  ${sentence}\n`);
  if (values["first-fault"]) break;
}

if (!values.quiet) {
  const ran = Math.min(count, seed - first + 1);
  process.stdout.write(
    [
      `${ran} seeds, ${operationCount} operations each: ${sums.served} served, ${sums.refused} refused, ${sums.unavailable} unavailable; ${sums.events} events.`,
      `Providers reported ${overReportedMicros} micros beyond their bounds; ${debtMadeMicros} of it found no credit and became debt.`,
      "",
      "How often each fault met each state:",
      coverage.table(),
      "",
      failedCount === 0
        ? "The auditor found nothing."
        : `The auditor found faults in ${failedCount} seeds.`,
      "",
    ].join("\n"),
  );
}
process.exitCode = failedCount === 0 ? 0 : 1;
