/** Expressions in CEL and patterns in RE2, counted and bounded, without the contracts that are written in them. */

export { compileExpression, type Expression } from "./compile.ts";
export { ExpressionError } from "./fault.ts";
export { compilePattern } from "./patterns.ts";
export { Steps, StepsUsedUp } from "./steps.ts";
