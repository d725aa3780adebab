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
  const dimensions = new Dimensions();
  const tensors = new Map<string, KnownTensor>();
  const missing: string[] = [];
  let judgedCount = 0;
  for (const [index, operator] of operators.entries()) {
    const inputs = operator.inputs.map((input) => knownOf(input, tensors));
    const rule = ruleOf(operator.operator, framework);
    const view = new OperatorView(operator, inputs, dimensions);
    const types = [...new Set(view.dtypes.slice(0, 2).filter((dtype) => dtype !== undefined))];
    const isMixed =
      rule?.isOneType === true &&
      types.length > 1 &&
      !promotingFrameworks.test(framework ?? "") &&
      !view.flag("autocast") &&
      types.every((type) => /^(?:b?float|half|double)/.test(type));
    if (isMixed) {
      const fault = {
        index,
        operator,
        expected: "inputs of one type",
        actual: types.join(" and "),
      };
      return { fault, judgedCount, missing };
    }
    const inferred = rule?.rule(view) ?? { kind: "unknown" as const, missing: "its rule" };
    if (inferred.kind === "fault") {
      const { expected, actual } = inferred;
      return { fault: { index, operator, expected, actual }, judgedCount, missing };
    }
    if (inferred.kind === "unknown") missing.push(`${nameOf(operator)}: ${inferred.missing}.`);
    else judgedCount += 1;
    const outputs = inferred.kind === "fits" ? inferred.outputs : [];
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
