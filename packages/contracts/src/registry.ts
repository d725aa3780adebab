/** The contracts that ship with Faultline, in the order of their boundaries. */

import { callContracts, callControls } from "./calls/contracts.ts";
import { environmentContracts } from "./environment/contracts.ts";
import { fanOutContracts } from "./fan-out/contracts.ts";
import { ledgerContracts } from "./ledger/contracts.ts";
import { lifetimeContracts } from "./lifetimes/contracts.ts";
import type { Contract } from "./model/contract.ts";
import { boundaries } from "./model/finding.ts";
import { populationContracts } from "./populations/contracts.ts";
import { routingContracts } from "./routing/contracts.ts";
import { schedulingContracts } from "./scheduling/contracts.ts";
import { shapeContracts } from "./shapes/contracts.ts";
import { compareText } from "./text/compare-text.ts";
import { toolCallContracts } from "./tool-call/contracts.ts";
import { trainingContracts } from "./training/contracts.ts";
import { versionContracts } from "./versions/contracts.ts";
import { workloadContracts } from "./workload/contracts.ts";

/** Every shipped contract, in the order in which a case runs them. */
export const contracts: readonly Contract[] = inBoundaryOrder([
  ...fanOutContracts,
  ...callContracts,
  ...schedulingContracts,
  ...routingContracts,
  ...workloadContracts,
  ...toolCallContracts,
  ...environmentContracts,
  ...populationContracts,
  ...lifetimeContracts,
  ...versionContracts,
  ...trainingContracts,
  ...shapeContracts,
  ...ledgerContracts,
]);

/**
 * Contracts that guard others against a repair that only hides the fault. What they find is a symptom, so a plain
 * check leaves them out unless it is asked for them.
 */
export const controls: readonly Contract[] = callControls;

/** Orders contracts by the design's list of boundaries, then by id. */
export function inBoundaryOrder(unordered: readonly Contract[]): readonly Contract[] {
  return [...unordered].sort(
    (left, right) =>
      boundaries.indexOf(left.boundary) - boundaries.indexOf(right.boundary) ||
      compareText(left.id, right.id),
  );
}

/** The contract or control of an id, or `undefined` when none has it. */
export function findContract(id: string): Contract | undefined {
  return [...contracts, ...controls].find((contract) => contract.id === id);
}
