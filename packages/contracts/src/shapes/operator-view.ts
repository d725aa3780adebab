/** An operator as the rules see it, and what a rule says of it. */

import type { OperatorAttribute, TensorOperator } from "../model/operators.ts";
import { type Dimensions, type Shape, shapeWords } from "./dimensions.ts";

/** What comes of an operator: the shapes that come out, why it cannot run, or what is not known. */
export type Inferred =
  | {
      readonly kind: "fits";
      readonly outputs: readonly (Shape | undefined)[];
      /** Whether an attribute that is not recorded was taken to have its usual value. */
      readonly isAssumed?: boolean;
    }
  | { readonly kind: "fault"; readonly expected: string; readonly actual: string }
  | { readonly kind: "unknown"; readonly missing: string };

export type Rule = (view: OperatorView) => Inferred;

/** One operator with what is known of its inputs. */
export class OperatorView {
  readonly operator: TensorOperator;
  readonly shapes: readonly (Shape | undefined)[];
  readonly dtypes: readonly (string | undefined)[];
  readonly dimensions: Dimensions;
  /** As the list names it; empty where it does not. */
  readonly framework: string;
  readonly #attributes: ReadonlyMap<string, OperatorAttribute>;

  constructor(
    operator: TensorOperator,
    inputs: readonly { readonly shape?: Shape | undefined; readonly dtype?: string | undefined }[],
    { dimensions, framework = "" }: { dimensions: Dimensions; framework?: string | undefined },
  ) {
    this.operator = operator;
    this.framework = framework;
    this.shapes = inputs.map(({ shape }) => shape);
    this.dtypes = inputs.map(({ dtype }) => dtype);
    this.dimensions = dimensions;
    this.#attributes = new Map(
      Object.entries(operator.attributes).map(([name, value]) => [bare(name), value]),
    );
  }

  /** Whether anything was recorded that the operator was told beside its tensors. */
  get hasAttributes(): boolean {
    return this.#attributes.size > 0;
  }

  /** A whole number that the operator was told, by any of these names. */
  number(names: string): number | undefined {
    const value = this.#value(names);
    return typeof value === "number" && Number.isInteger(value) ? value : undefined;
  }

  /** Whole numbers that the operator was told; one stands for a list of one. */
  numbers(names: string): readonly number[] | undefined {
    const value = this.#value(names);
    const list = Array.isArray(value) ? value : [value];
    const numbers = list.filter((item): item is number => Number.isInteger(item));
    return numbers.length === list.length ? numbers : undefined;
  }

  /** Lengths that the operator was told, of which some may be known to the program alone: those are `null`. */
  lengths(names: string): readonly (number | null)[] | undefined {
    const value = this.#value(names);
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    const isTold = Array.isArray(value) || typeof value === "number";
    return isTold && list.every((item) => item === null || Number.isInteger(item))
      ? list.map((item) => (typeof item === "number" ? item : null))
      : undefined;
  }

  text(names: string): string | undefined {
    const value = this.#value(names);
    return typeof value === "string" ? value : undefined;
  }

  flag(names: string): boolean {
    const value = this.#value(names);
    return value === true || value === 1;
  }

  has(names: string): boolean {
    return this.#value(names) !== undefined;
  }

  #value(names: string): OperatorAttribute | undefined {
    for (const name of names.split(" ")) {
      const value = this.#attributes.get(name);
      if (value !== undefined && value !== null) return value;
    }
    return undefined;
  }

  words(): string {
    return this.shapes.map(shapeWords).join(", ");
  }
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

export function fits(...outputs: readonly (Shape | undefined)[]): Inferred {
  return { kind: "fits", outputs };
}

/** The output, if what is not recorded has its usual value: another recorded output breaks nothing. */
export function assumed(...outputs: readonly (Shape | undefined)[]): Inferred {
  return { kind: "fits", outputs, isAssumed: true };
}

export function fault(expected: string, actual: string): Inferred {
  return { kind: "fault", expected, actual };
}

export function unknown(missing: string): Inferred {
  return { kind: "unknown", missing };
}

/** The index of a dimension, where a scalar counts as having one. */
export function dimensionIn(dimension: number, count: number): number | undefined {
  return indexIn(dimension, Math.max(1, count));
}

/** The index of a dimension counted from the end where it is negative; `undefined` where there is none. */
export function indexIn(dimension: number, count: number): number | undefined {
  const index = dimension < 0 ? dimension + count : dimension;
  return index >= 0 && index < count ? index : undefined;
}
