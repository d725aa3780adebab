/** Goes through a list of operators up to the first that cannot run. */

import type { OperatorsContent, TensorOperator, TensorShape } from "../model/operators.ts";
import { Dimensions, type Shape, shapeWords } from "./dimensions.ts";
import { OperatorView } from "./operator-view.ts";
import { ruleOf } from "./rules.ts";

export interface OperatorFault {
  readonly index: number;
  readonly operator: TensorOperator;
  readonly expected: string;
  readonly actual: string;
}

export interface JudgedOperators {
  readonly fault: OperatorFault | undefined;
  /** Operators whose shapes were inferred and fit. */
  readonly judgedCount: number;
  /** What was not known, for each operator that was not judged. */
  readonly missing: readonly string[];
}

interface KnownTensor {
  readonly shape?: Shape | undefined;
  readonly dtype?: string | undefined;
}

/** Frameworks that find a common type for inputs of two. */
const promotingFrameworks = /numpy|jax/i;

/** The first operator that cannot run on what it is given, or gives another shape than the record says. */
export function judgeOperators({ operators, framework }: OperatorsContent): JudgedOperators {
  const whole = new Dimensions();
  // Operators that no name links may stand for themselves, each with symbols of its own.
  const isGraph = hasNames(operators);
  const tensors = new Map<string, KnownTensor>();
  const missing: string[] = [];
  let judgedCount = 0;
  for (const [index, operator] of operators.entries()) {
    const inputs = operator.inputs.map((input) => knownOf(input, tensors));
    const rule = ruleOf(operator.operator, framework);
    const dimensions = isGraph ? whole : new Dimensions();
    const view = new OperatorView(operator, inputs, { dimensions, framework });
    const mixed = rule?.isOneType === true ? mixedTypes(view) : undefined;
    // An operator that gave a type has run: something not recorded, such as autocast, makes its inputs one. So may what
    // profilers saw, which is called by the name of ATen.
    const hasRun =
      operator.operator.startsWith("aten::") ||
      operator.outputs.some(({ dtype }) => dtype !== undefined);
    if (mixed !== undefined && !hasRun) {
      const fault = { index, operator, expected: "inputs of one type", actual: mixed };
      return { fault, judgedCount, missing };
    }
    const inferred =
      mixed === undefined
        ? (rule?.rule(view) ?? { kind: "unknown" as const, missing: "its rule" })
        : { kind: "unknown" as const, missing: `how ${mixed} come together (autocast)` };
    if (inferred.kind === "fault") {
      const { expected, actual } = inferred;
      return { fault: { index, operator, expected, actual }, judgedCount, missing };
    }
    const isAssumed = inferred.kind === "fits" && inferred.isAssumed === true;
    const isOther = isAssumed && !hasOutputs(operator, inferred.outputs, dimensions);
    if (!isGraph && isContrary(whole, dimensions))
      missing.push(
        `${nameOf(operator)}: whether its symbols are those of the operators before it.`,
      );
    if (inferred.kind === "unknown") missing.push(`${nameOf(operator)}: ${inferred.missing}.`);
    else if (isOther) missing.push(`${nameOf(operator)}: the attributes that are not recorded.`);
    else judgedCount += 1;
    const outputs = inferred.kind === "fits" && !isAssumed ? inferred.outputs : [];
    for (const [at, output] of operator.outputs.entries()) {
      const shape = outputs[at];
      if (
        shape !== undefined &&
        output.shape !== undefined &&
        !isOne(dimensions, shape, output.shape)
      ) {
        const words = (of: Shape): string =>
          shapeWords(of.map((length) => dimensions.resolve(length)));
        const fault = {
          index,
          operator,
          expected: `an output of ${words(shape)}`,
          actual: `the recorded output is ${words(output.shape)}`,
        };
        return { fault, judgedCount, missing };
      }
      if (output.name !== undefined)
        tensors.set(output.name, { shape: output.shape ?? shape, dtype: output.dtype });
    }
  }
  return { fault: undefined, judgedCount, missing };
}

/** Whether a symbol stands for another number than before; what is new is kept. */
function isContrary(whole: Dimensions, own: Dimensions): boolean {
  return !own.numbers().every(([symbol, length]) => whole.unify(symbol, length));
}

/** Whether tensors of the list bear names, so that it is a graph and its symbols are those of all. */
function hasNames(operators: readonly TensorOperator[]): boolean {
  return operators.some(({ outputs }) => outputs.some(({ name }) => name !== undefined));
}

/** The types of the first two inputs, where a product of them is none in PyTorch. */
function mixedTypes(view: OperatorView): string | undefined {
  const [first, second] = view.dtypes;
  const isFloat = (type: string): boolean => /^(?:b?float|half|double)/.test(type);
  const own = view.has("infeatures inchannels") && view.shapes.length === 1 ? "float32" : second;
  if (first === undefined || own === undefined || first === own) return undefined;
  if (promotingFrameworks.test(view.framework) || view.flag("autocast")) return undefined;
  // Weights of few bits are whole numbers as well, and layers of their own take them.
  const isIndex =
    (/^int(?:32|64)$/.test(first) && isFloat(own)) || (isFloat(first) && own === "int64");
  const isLayer = own !== second;
  return isIndex || (!isLayer && isFloat(first) && isFloat(own))
    ? `${first} and ${own}`
    : undefined;
}

/** Whether the recorded outputs are these, as far as both are known. */
function hasOutputs(
  { outputs }: TensorOperator,
  inferred: readonly (Shape | undefined)[],
  dimensions: Dimensions,
): boolean {
  return outputs.every(({ shape }, at) => {
    const other = inferred[at];
    return shape === undefined || other === undefined || isOne(dimensions, other, shape);
  });
}

/** `matmul (encoder.0)`. */
export function nameOf({ operator, name }: TensorOperator): string {
  return name === undefined || name === operator ? operator : `${operator} (${name})`;
}

function knownOf(
  { name, shape, dtype }: TensorShape,
  tensors: ReadonlyMap<string, KnownTensor>,
): KnownTensor {
  const known = name === undefined ? undefined : tensors.get(name);
  return { shape: shape ?? known?.shape, dtype: dtype ?? known?.dtype };
}

function isOne(dimensions: Dimensions, left: Shape, right: Shape): boolean {
  return (
    left.length === right.length &&
    left.every((length, index) => dimensions.unify(length, right[index]))
  );
}
