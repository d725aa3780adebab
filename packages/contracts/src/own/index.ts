/** Contracts of one's own: YAML files with expressions in CEL over the same evidence. */

export { type Example, ownContractLimits } from "./definition.ts";
export { compileExpression, type Expression } from "./expression/compile.ts";
export { ExpressionError } from "./expression/fault.ts";
export { compilePattern } from "./expression/patterns.ts";
export { Steps, StepsUsedUp } from "./expression/steps.ts";
export { placeWithin } from "./position.ts";
export { populations } from "./population.ts";
export {
  type OwnContract,
  type OwnContractProblem,
  type OwnContracts,
  readOwnContracts,
} from "./read-own-contracts.ts";
export { type ExampleOutcome, runExamples } from "./run-examples.ts";
