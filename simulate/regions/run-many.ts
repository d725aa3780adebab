/** Runs many simulations of regions, and prints what they met. */

import { FaultTable } from "./fault-table.ts";
import { runRegions } from "./run-regions.ts";

/** Runs seeds and prints; gives how many of them were found broken. */
export function runManyRegions(terms: {
  readonly first: number;
  readonly count: number;
  readonly operationCount: number;
  readonly isQuiet: boolean;
  readonly stopsAtFault: boolean;
}): number {
  const { first, count, operationCount, isQuiet, stopsAtFault } = terms;
  const table = new FaultTable();
  const sums = { served: 0, refused: 0, unavailable: 0, events: 0 };
  let [failedCount, ranCount] = [0, 0];
  for (let seed = first; seed < first + count; seed += 1) {
    const result = runRegions(seed, operationCount);
    ranCount += 1;
    table.add(result.table);
    sums.served += result.counts.served;
    sums.refused += result.counts.refused;
    sums.unavailable += result.counts.unavailable;
    sums.events += result.eventCount;
    if (result.violations.length === 0) continue;
    failedCount += 1;
    process.stdout.write(`seed ${seed} is broken:\n`);
    for (const sentence of result.violations) process.stdout.write(`  ${sentence}\n`);
    if (stopsAtFault) break;
  }
  if (isQuiet) return failedCount;
  const lines = [
    `${ranCount} seeds of three regions, ${operationCount} operations each: ${sums.served} served, ${sums.refused} refused, ${sums.unavailable} refused while cut off; ${sums.events} events.`,
    "",
    "How often each fault met each state:",
    table.text(),
    "",
    failedCount === 0
      ? "The auditor found nothing."
      : `The auditor found faults in ${failedCount} seeds.`,
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return failedCount;
}
