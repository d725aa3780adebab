/** Products of matrices, linear layers, convolutions and attention. */

import type { Dimension } from "../model/operators.ts";
import { type Dimensions, type Shape, shapeWords } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";
import { stretchAll } from "./stretch.ts";

/** The product of two matrices, stacks of matrices or vectors. */
export function matrixProduct(view: OperatorView): Inferred {
  const [left, right] = view.shapes;
  if (left === undefined || right === undefined) return unknown("the shapes of both inputs");
  if (left.length === 0 || right.length === 0)
    return fault("inputs of at least one dimension", view.words());
  const wanted = /(?:^|[^a-z])(mm|bmm)$/i.exec(view.operator.operator)?.[1]?.toLowerCase();
  const count = wanted === "mm" ? 2 : wanted === "bmm" ? 3 : undefined;
  if (count !== undefined && (left.length !== count || right.length !== count)) {
    return fault(`two inputs of ${count} dimensions`, view.words());
  }
  const [a, b] = [left.at(-1), right.length === 1 ? right[0] : right.at(-2)];
  if (!view.dimensions.unify(a, b)) {
    const words = `${view.words()}: ${view.dimensions.resolve(a)} and ${view.dimensions.resolve(b)}`;
    return fault(
      "the last dimension of the first input equal to the last but one of the second",
      words,
    );
  }
  const [batchLeft, batchRight] = [left.slice(0, -2), right.slice(0, -2)];
  const batch =
    wanted === "bmm"
      ? view.dimensions.unify(left[0], right[0])
        ? [left[0] ?? null]
        : undefined
      : stretchAll(view.dimensions, [batchLeft, batchRight]);
  if (batch === undefined) return fault("leading dimensions that fit", view.words());
  const rows = left.length > 1 ? [left.at(-2) ?? null] : [];
  const columns = right.length > 1 ? [right.at(-1) ?? null] : [];
  return fits([...batch, ...rows, ...columns]);
}

/** A linear layer: the weight is [out, in], as an input or as features. */
export function linear(view: OperatorView): Inferred {
  const [input, weight] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const inside = weight?.[1] ?? view.number("infeatures");
  const outside = weight?.[0] ?? view.number("outfeatures");
  if (inside === undefined) return unknown("the shape of the weight");
  if (weight !== undefined && weight.length !== 2)
    return fault("a weight [out, in]", `the weight is ${shapeWords(weight)}`);
  if (input.length === 0 || !view.dimensions.unify(input.at(-1), inside)) {
    return fault(
      `an input whose last dimension is ${view.dimensions.resolve(inside)}`,
      `the input is ${shapeWords(input)}`,
    );
  }
  const bias = view.shapes[2];
  if (bias?.length === 1 && !view.dimensions.unify(bias[0], outside)) {
    return fault(
      `a bias of ${view.dimensions.resolve(outside)}`,
      `the bias is ${shapeWords(bias)}`,
    );
  }
  return fits([...input.slice(0, -1), outside ?? null]);
}

/** A convolution over as many dimensions as its name or its weight has. */
export function convolution(view: OperatorView): Inferred {
  const [input, weight, bias] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  // Another layout, or the way back, follows other rules.
  if (view.flag("transposed") || view.has("dataformat datalayout")) return unknown("its layout");
  const named = /conv([123])d/i.exec(view.operator.operator)?.[1];
  const given = view.numbers("kernelsize kernelshape");
  const spaceCount = named === undefined ? (weight?.length ?? 0) - 2 : Number(named);
  if (spaceCount < 1 || spaceCount > 3)
    return unknown("the number of dimensions of the convolution");
  if (weight !== undefined && weight.length !== spaceCount + 2)
    return fault(`a weight of ${spaceCount + 2} dimensions`, `the weight is ${shapeWords(weight)}`);
  if (input.length !== spaceCount + 2 && input.length !== spaceCount + 1) {
    return fault(
      `an input of ${spaceCount + 1} or ${spaceCount + 2} dimensions`,
      `the input is ${shapeWords(input)}`,
    );
  }
  const groups = view.number("groups group") ?? 1;
  const channels = input[input.length - spaceCount - 1];
  const each = view.dimensions.resolve(weight?.[1]);
  const wanted =
    view.number("inchannels") ?? (typeof each === "number" ? each * groups : undefined);
  if (wanted !== undefined && !view.dimensions.unify(channels, wanted)) {
    return fault(
      `an input of ${wanted} channels`,
      `the input is ${shapeWords(input)}, with ${view.dimensions.resolve(channels)} channels`,
    );
  }
  const outside = weight?.[0] ?? view.number("outchannels") ?? null;
  if (bias?.length === 1 && !view.dimensions.unify(bias[0], outside))
    return fault(
      `a bias of ${view.dimensions.resolve(outside)}`,
      `the bias is ${shapeWords(bias)}`,
    );
  const kernel: readonly (Dimension | undefined)[] = weight?.slice(2) ?? given ?? [];
  const space: Dimension[] = [];
  for (let index = 0; index < spaceCount; index += 1) {
    const length = windowLength(view, input[input.length - spaceCount + index], {
      kernel: kernel[index] ?? (kernel.length === 1 ? kernel[0] : null),
      index,
      isPool: false,
    });
    if (length !== null && length < 1)
      return fault(
        "a kernel that fits into the padded input",
        `the input is ${shapeWords(input)}, the kernel ${shapeWords(kernel.map((item) => item ?? null))}`,
      );
    space.push(length);
  }
  return fits([...input.slice(0, -spaceCount - 1), outside, ...space]);
}

/** The length that a sliding window gives, where all that it takes is known. */
export function windowLength(
  view: OperatorView,
  dimension: Dimension | undefined,
  { kernel, index, isPool }: { kernel: Dimension | undefined; index: number; isPool: boolean },
): number | null {
  const [length, size] = [view.dimensions.resolve(dimension), view.dimensions.resolve(kernel)];
  if (typeof length !== "number" || typeof size !== "number") return null;
  // A padding by name, by half or with unequal sides is left to the record.
  if (view.has("autopad") || view.flag("ceilmode")) return null;
  if (view.has("pads") || (view.has("padding") && view.numbers("padding") === undefined))
    return null;
  const at = (names: string, usual: number): number => {
    const list = view.numbers(names) ?? [];
    return list.length === 1 ? (list[0] ?? usual) : (list[index] ?? usual);
  };
  const stride = at("stride strides", isPool ? size : 1);
  if (stride < 1) return null;
  const reach = at("dilation dilations", 1) * (size - 1) + 1;
  return Math.floor((length + 2 * at("padding", 0) - reach) / stride) + 1;
}

/** Scaled dot-product attention of query, key and value. */
export function attention(view: OperatorView): Inferred {
  const [query, key, value, mask] = view.shapes;
  if (query === undefined || key === undefined || value === undefined)
    return unknown("the shapes of query, key and value");
  if (query.length < 2 || key.length < 2 || value.length < 2)
    return fault("query, key and value of at least two dimensions", view.words());
  const { dimensions } = view;
  if (!dimensions.unify(query.at(-1), key.at(-1)))
    return fault(
      "query and key with one length of their last dimension",
      partsOf(query, key, value),
    );
  if (!dimensions.unify(key.at(-2), value.at(-2)))
    return fault("as many keys as values", partsOf(query, key, value));
  if (view.flag("enablegqa")) return fits([...query.slice(0, -1), value.at(-1) ?? null]);
  const batch = stretchAll(dimensions, [query.slice(0, -2), key.slice(0, -2), value.slice(0, -2)]);
  if (batch === undefined)
    return fault(
      "query, key and value with leading dimensions that fit",
      partsOf(query, key, value),
    );
  const scores: Shape = [...batch, query.at(-2) ?? null, key.at(-2) ?? null];
  if (mask !== undefined && !fitsInto(dimensions, mask, scores))
    return fault(
      `a mask that stretches to ${shapeWords(scores)}`,
      `the mask is ${shapeWords(mask)}`,
    );
  return fits([...batch, query.at(-2) ?? null, value.at(-1) ?? null]);
}

function fitsInto(dimensions: Dimensions, mask: Shape, scores: Shape): boolean {
  return mask.length <= scores.length && stretchAll(dimensions, [mask, scores]) !== undefined;
}

function partsOf(query: Shape, key: Shape, value: Shape): string {
  return `query ${shapeWords(query)}, key ${shapeWords(key)}, value ${shapeWords(value)}`;
}
