/** Layers that normalise, pool and reduce. */

import type { Dimension } from "../model/operators.ts";
import { shapeWords } from "./dimensions.ts";
import {
  fault,
  fits,
  indexIn,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";
import { windowLength } from "./products.ts";

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
  const normalized = view.numbers("normalizedshape") ?? weight;
  if (input === undefined || normalized === undefined)
    return unknown("the shapes of the input and of what is normalised");
  const tail = input.slice(-normalized.length);
  const isFit =
    tail.length === normalized.length &&
    tail.every((length, index) => view.dimensions.unify(length, normalized[index]));
  return isFit
    ? fits(input)
    : fault(`an input that ends in ${shapeWords(normalized)}`, `the input is ${shapeWords(input)}`);
}

/** Pooling with a window, or to a given size. */
export function pool(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const { operator } = view.operator;
  const spaceCount = Number(/pool(?:ing)?_?([123])d/i.exec(operator)?.[1] ?? 0);
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
  const space: Dimension[] = [];
  for (let index = 0; index < spaceCount; index += 1) {
    const size = kernel[index] ?? kernel[0];
    const length = windowLength(view, input[lead.length + index], {
      kernel: size,
      index,
      isPool: true,
    });
    if (length !== null && length < 1)
      return fault(
        "a window that fits into the padded input",
        `the input is ${shapeWords(input)}, the window ${shapeWords(kernel)}`,
      );
    space.push(length);
  }
  return fits([...lead, ...space]);
}

/** Sums, means and the like over dimensions. */
export function reduction(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const given = view.numbers("dim dims axis axes");
  // No dimension at all stands for every one, or for none.
  if (given?.length === 0) return unknown("which dimensions are reduced");
  if (given === undefined)
    return view.has("dim dims axis axes")
      ? unknown("the dimensions")
      : unknown("whether all dimensions are reduced");
  const indices = given.map((dimension) => indexIn(dimension, input.length));
  if (indices.includes(undefined))
    return fault(
      `dimensions from ${-input.length} to ${input.length - 1}`,
      `the input is ${shapeWords(input)}, the dimensions ${given.join(", ")}`,
    );
  return view.flag("keepdim keepdims")
    ? fits(input.map((length, index) => (indices.includes(index) ? 1 : length)))
    : /onnx|^Reduce[A-Z]/.test(view.operator.operator)
      ? unknown("whether the dimensions are kept")
      : fits(input.filter((_length, index) => !indices.includes(index)));
}

/** A softmax, whose dimension has to be there. */
export function overDimension(view: OperatorView): Inferred {
  const [input] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  const given = view.number("dim axis");
  return given === undefined || input.length === 0 || indexIn(given, input.length) !== undefined
    ? fits(input)
    : fault(
        `a dimension from ${-input.length} to ${input.length - 1}`,
        `the input is ${shapeWords(input)}, the dimension ${given}`,
      );
}
