/** What is wrong with what a loss was given. */

import type { LossCall, TensorFacts } from "../model/training.ts";

export interface LossFault {
  /** Faults of one kind are told once for each loss of a run. */
  readonly kind: string;
  readonly title: string;
  readonly expected: string;
  readonly actual: string;
  readonly fix: string;
}

/** `int64 [32, 10]`, as it stands in findings. */
export function tensorWords({ shape, dtype }: TensorFacts): string {
  return `${dtype === undefined ? "" : `${dtype} `}[${shape.join(", ")}]`;
}

/** The name of a loss without its module and its ending: `crossentropy`. */
export function lossNameOf({ loss }: Pick<LossCall, "loss">): string {
  const last = loss.slice(Math.max(loss.lastIndexOf("."), loss.lastIndexOf(":")) + 1);
  return last
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")
    .replace(/loss$/, "");
}

export function isFloatType(dtype: string): boolean {
  return /^(?:b?float|half|double)/.test(dtype);
}

export function isIntegerType(dtype: string): boolean {
  return /^u?int/.test(dtype);
}

export function sameShape(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((length, index) => length === right[index]);
}

export function elementCountOf({ shape }: TensorFacts): number {
  return shape.reduce((product, length) => product * length, 1);
}
