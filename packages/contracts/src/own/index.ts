/** Contracts of one's own: YAML files with expressions in CEL over the same evidence. */

export { type Example, ownContractLimits } from "./definition.ts";
export { nearestNode, pathOfPointer, placeWithin } from "./position.ts";
export { populations } from "./population.ts";
export {
  type OwnContract,
  type OwnContractProblem,
  type OwnContracts,
  readOwnContracts,
} from "./read-own-contracts.ts";
export { type ExampleOutcome, runExamples } from "./run-examples.ts";
