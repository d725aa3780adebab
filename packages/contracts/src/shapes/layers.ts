/** Layers that normalise, pool and reduce. */

import type { Dimension } from "../model/operators.ts";
import { shapeWords } from "./dimensions.ts";
import {
  assumed,
  dimensionIn,
  fault,
  fits,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";
import { windowLength } from "./window.ts";

/** Batch, instance and group normalisation: the channels are the second dimension. */
export function channelNorm(view: OperatorView): Inferred {
  const [input, weight] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const channels =
    view.number("numfeatures numchannels") ?? (weight?.length === 1 ? weight[0] : undefined);
  if (input.length < 2)
    return fault("an input of at least two dimensions", `the input is ${shapeWords(input)}`);
  const groups = view.number("numgroups");
  const known = view.dimensions.resolve(input[1]);
  if (groups !== undefined && groups > 0 && typeof known === "number" && known % groups !== 0)
    return fault(
      `channels that ${groups} groups share evenly`,
      `the input is ${shapeWords(input)}`,
    );
  // Without a batch the channels of instance normalisation stand first.
  const isBatched = !/instance/i.test(view.operator.operator);
  if (channels === undefined)
    return isBatched && groups === undefined ? unknown("the number of channels") : fits(input);
  return !isBatched || view.dimensions.unify(input[1], channels)
    ? fits(input)
    : fault(
        `an input of ${view.dimensions.resolve(channels)} channels`,
        `the input is ${shapeWords(input)}`,
      );
}

/** Normalisation over the last dimensions. */
export function layerNorm(view: OperatorView): Inferred {
  const [input, weight] = view.shapes;
  // Profilers write [] for what is no tensor, as the shape that is normalised.
  const normalized =
    view.numbers("normalizedshape") ?? ((weight?.length ?? 0) > 0 ? weight : undefined);
  if (input === undefined || normalized === undefined || normalized.length === 0)
    return unknown("the shapes of the input and of what is normalised");
  const tail = input.slice(-normalized.length);
  const mayStretch = /normalization/i.test(view.operator.operator);
  const isFit =
    tail.length === normalized.length &&
    tail.every((length, index) => {
      const other = normalized[index];
      return (mayStretch && other === 1) || view.dimensions.unify(length, other);
    });
  return isFit
    ? fits(input)
    : fault(`an input that ends in ${shapeWords(normalized)}`, `the input is ${shapeWords(input)}`);
}

/** Pooling with a window, or to a given size. */
export function pool(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const { operator } = view.operator;
  const kernelShape = view.numbers("kernelshape") ?? [];
  const spaceCount = Number(/pool(?:ing)?_?([123])d/i.exec(operator)?.[1] ?? kernelShape.length);
  if (input === undefined || spaceCount === 0)
    return unknown("the shape of the input and the dimensions of the window");
  if (input.length !== spaceCount + 1 && input.length !== spaceCount + 2)
    return fault(
      `an input of ${spaceCount + 1} or ${spaceCount + 2} dimensions`,
      `the input is ${shapeWords(input)}`,
    );
  const lead = input.slice(0, -spaceCount);
  if (/adaptive/i.test(operator)) {
    const size = view.numbers("outputsize");
    if (size === undefined) return unknown("the size of the output");
    return fits([
      ...lead,
      ...Array.from({ length: spaceCount }, (_, index) => size[index] ?? size[0] ?? null),
    ]);
  }
  const kernel = view.numbers("kernelsize kernelshape");
  if (kernel === undefined) return unknown("the size of the window");
  const space: (Dimension | "untold")[] = [];
  for (let index = 0; index < spaceCount; index += 1) {
    const size = kernel[index] ?? kernel[0];
    const length = windowLength(view, input[lead.length + index], {
      kernel: size,
      index,
      isPool: true,
    });
    if (typeof length === "number" && length < 1)
      return fault(
        "a window that fits into the padded input",
        `the input is ${shapeWords(input)}, the window ${shapeWords(kernel)}`,
      );
    space.push(length);
  }
  return space.includes("untold")
    ? unknown("its window, stride and padding")
    : fits([...lead, ...space]);
}

/** Pooling over all places: one value for each channel. */
export function globalPool(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  return input.length < 3
    ? fault("an input with channels and places", `the input is ${shapeWords(input)}`)
    : fits(input.map((length, index) => (index < 2 ? length : 1)));
}

/** Sums, means and the like over dimensions. */
export function reduction(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  // Only readers of whole graphs know that nothing was told.
  if (view.flag("reducesall")) return wholeReduction(view);
  const given = view.numbers("dim dims axis axes");
  // No dimension at all stands for every one, or for none.
  if (given?.length === 0) return unknown("which dimensions are reduced");
  if (given === undefined)
    return view.has("dim dims axis axes")
      ? unknown("the dimensions")
      : unknown("whether all dimensions are reduced");
  const indices = given.map((dimension) => dimensionIn(dimension, input.length));
  if (indices.includes(undefined) || new Set(indices).size < indices.length)
    return fault(
      `dimensions from ${-input.length} to ${input.length - 1}, each once`,
      `the input is ${shapeWords(input)}, the dimensions ${given.join(", ")}`,
    );
  const isEmpty = indices.some((index) => view.dimensions.resolve(input[index ?? 0]) === 0);
  if (isEmpty && /arg(?:max|min)|a(?:max|min)$/i.test(view.operator.operator) && input.length > 0)
    return fault("elements along the dimensions", `the input is ${shapeWords(input)}`);
  const whole = /mean/i.test(view.operator.operator) ? wholeTypeFault(view) : undefined;
  if (whole !== undefined) return whole;
  const reduced = input.filter((_length, index) => !indices.includes(index));
  const kept = input.map((length, index) => (indices.includes(index) ? 1 : length));
  if (view.has("keepdim keepdims keepdimension")) {
    return fits(view.flag("keepdim keepdims keepdimension") ? kept : reduced);
  }
  return assumed(/^(?:onnx::)?Reduce[A-Z]/.test(view.operator.operator) ? kept : reduced);
}

/** A reduction of all dimensions to one value. */
function wholeReduction(view: OperatorView): Inferred {
  const whole = /mean/i.test(view.operator.operator) ? wholeTypeFault(view) : undefined;
  return whole ?? fits([]);
}

/** A mean or softmax of whole numbers, which PyTorch takes only where it is told the type of the result. */
function wholeTypeFault(view: OperatorView): Inferred | undefined {
  const [dtype] = view.dtypes;
  const isTorch = /torch|^aten/i.test(`${view.operator.operator} ${view.framework}`);
  return isTorch && dtype !== undefined && /^u?int|^bool/.test(dtype) && !view.has("dtype")
    ? fault("an input of a floating type", `the input is ${dtype}`)
    : undefined;
}

/** A softmax or a running sum, whose dimension has to be there. */
export function overDimension(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const whole = /softmax/i.test(view.operator.operator) ? wholeTypeFault(view) : undefined;
  if (whole !== undefined) return whole;
  const given = view.number("dim axis");
  return given === undefined || dimensionIn(given, input.length) !== undefined
    ? fits(input)
    : fault(
        `a dimension from ${-input.length} to ${input.length - 1}`,
        `the input is ${shapeWords(input)}, the dimension ${given}`,
      );
}
