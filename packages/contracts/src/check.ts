/** Runs contracts on a snapshot. */

import { fanOutContracts } from "./fan-out/contracts.ts";
import type { Contract } from "./model/contract.ts";
import { boundaries, type Finding } from "./model/finding.ts";
import type { Snapshot } from "./model/snapshot.ts";
import { contracts as shippedContracts, inBoundaryOrder } from "./registry.ts";
import { unitsOf } from "./traces/trace-units.ts";

/** A contract threw: a fault of the contract, never of the evidence. */
export class ContractFailure extends Error {
  override readonly name = "ContractFailure";
  readonly contract: string;

  constructor(contract: string, cause: unknown) {
    super(`The contract ${contract} failed instead of giving a verdict.`, { cause });
    this.contract = contract;
  }
}

/**
 * The findings of the contracts on a snapshot: in the order of the boundaries that they lie at, within a
 * boundary by contract, within a contract in its own stable order. The same snapshot always gets the same findings.
 */
export function checkSnapshot(
  snapshot: Snapshot,
  contracts: readonly Contract[] = shippedContracts,
): Finding[] {
  const kinds = new Set(snapshot.evidence.map((item) => item.content.kind));
  const chosen = inBoundaryOrder(contracts).filter((contract) =>
    contract.reads.some((kind) => kinds.has(kind)),
  );
  // Spans are put in order for the first who asks. Units are made of them then, while they are in the processor's cache.
  const reader = chosen.find(({ id }) => unitReaders.has(id));
  if (reader !== undefined) run(reader.id, () => unitsOf(snapshot));
  return chosen
    .flatMap((contract) => run(contract.id, () => contract.check(snapshot)))
    .sort((left, right) => boundaries.indexOf(left.boundary) - boundaries.indexOf(right.boundary));
}

/** The contracts that take traces apart into units of work. */
const unitReaders: ReadonlySet<string> = new Set(fanOutContracts.map(({ id }) => id));

function run<T>(contract: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ContractFailure(contract, cause);
  }
}
