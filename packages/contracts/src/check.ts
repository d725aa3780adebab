/** Runs contracts on a snapshot. */

import type { Contract } from "./model/contract.ts";
import { boundaries, type Finding } from "./model/finding.ts";
import type { Snapshot } from "./model/snapshot.ts";
import { contracts as shippedContracts, inBoundaryOrder } from "./registry.ts";

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
  return inBoundaryOrder(contracts)
    .filter((contract) => contract.reads.some((kind) => kinds.has(kind)))
    .flatMap((contract) => runContract(contract, snapshot))
    .sort((left, right) => boundaries.indexOf(left.boundary) - boundaries.indexOf(right.boundary));
}

function runContract(contract: Contract, snapshot: Snapshot): Finding[] {
  try {
    return contract.check(snapshot);
  } catch (cause) {
    throw new ContractFailure(contract.id, cause);
  }
}
