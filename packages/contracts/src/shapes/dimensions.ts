/** Lengths of dimensions: numbers, symbols that stand for one number throughout a list, or unknown. */

import type { Dimension } from "../model/operators.ts";

export type Shape = readonly Dimension[];

/** What symbols are known to stand for. */
export class Dimensions {
  readonly #values = new Map<string, Dimension>();

  /** The length as far as it is known. */
  resolve(dimension: Dimension | undefined): Dimension {
    let known = dimension ?? null;
    while (typeof known === "string") {
      const next = this.#values.get(known);
      if (next === undefined) return known;
      known = next;
    }
    return known;
  }

  /** The symbols that are known to stand for numbers. */
  numbers(): [string, number][] {
    return [...this.#values.keys()].flatMap((symbol): [string, number][] => {
      const length = this.resolve(symbol);
      return typeof length === "number" ? [[symbol, length]] : [];
    });
  }

  /** Holds two lengths to be one. `false` where they cannot be; unknown ones can always be. */
  unify(left: Dimension | undefined, right: Dimension | undefined): boolean {
    const [one, other] = [this.resolve(left), this.resolve(right)];
    if (one === null || other === null || one === other) return true;
    if (typeof one === "string") this.#values.set(one, other);
    else if (typeof other === "string") this.#values.set(other, one);
    else return false;
    return true;
  }

  /** The length to which two are stretched; `undefined` where they do not fit. */
  stretch(left: Dimension | undefined, right: Dimension | undefined): Dimension | undefined {
    const [one, other] = [this.resolve(left), this.resolve(right)];
    if (one === 1) return other;
    if (other === 1 || one === other) return one;
    if (typeof one === "number" && typeof other === "number") return undefined;
    // A symbol beside a length above 1 stands for that length or for 1, and the result is that length.
    if (typeof one === "number") return one;
    return typeof other === "number" ? other : null;
  }

  /** The product of all lengths; `null` where one of them is not known. */
  product(shape: Shape): number | null {
    let product = 1;
    for (const dimension of shape) {
      const length = this.resolve(dimension);
      if (typeof length !== "number") return null;
      product *= length;
    }
    return product;
  }
}

/** `[batch, 3, ?]`, as it stands in findings. */
export function shapeWords(shape: Shape | undefined): string {
  if (shape === undefined) return "an unknown shape";
  return `[${shape.map((dimension) => dimension ?? "?").join(", ")}]`;
}
