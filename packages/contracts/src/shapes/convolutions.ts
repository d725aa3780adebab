/** Convolutions, and their way back. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";
import { widenedLength, windowLength } from "./window.ts";

/** A convolution over as many dimensions as its name or its weight has. */
export function convolution(view: OperatorView): Inferred {
  const [input, weight, bias] = view.shapes;
  if (input === undefined) return unknown("the shape of the input");
  // Another layout, or the way back, follows other rules.
  if (view.flag("transposed") || view.has("dataformat datalayout dimensionnumbers dimlabels"))
    return unknown("its layout");
  const named = /conv([123])d/i.exec(view.operator.operator)?.[1];
  const size = view.numbers("kernelsize kernelshape");
  const spaceCount = named === undefined ? (weight?.length ?? 0) - 2 : Number(named);
  if (spaceCount < 1 || spaceCount > 3)
    return unknown("the number of dimensions of the convolution");
  const wrong = rankFault({ input, weight, spaceCount });
  if (wrong !== undefined) return wrong;
  // How the channels are grouped shows in the weight where it is not recorded.
  const given = view.number("groups group");
  const groups = given ?? 1;
  const channels = input[input.length - spaceCount - 1];
  const each = view.dimensions.resolve(weight?.[1]);
  const wanted =
    view.number("inchannels") ?? (typeof each === "number" ? each * groups : undefined);
  const known = view.dimensions.resolve(channels);
  const mayBeGrouped =
    given === undefined &&
    !view.hasAttributes &&
    typeof known === "number" &&
    typeof each === "number" &&
    each > 0 &&
    known > each &&
    known % each === 0 &&
    isShared(view.dimensions.resolve(weight?.[0]), known / each);
  if (mayBeGrouped) return unknown("the number of its groups");
  // The general operator goes both ways, and the weight of the way back begins with the channels that come in.
  const mayBeBack =
    named === undefined &&
    !view.has("transposed") &&
    view.dimensions.resolve(weight?.[0]) === known;
  if (mayBeBack && wanted !== known) return unknown("whether it is transposed");
  if (wanted !== undefined && !view.dimensions.unify(channels, wanted)) {
    return fault(
      `an input of ${wanted} channels`,
      `the input is ${shapeWords(input)}, with ${view.dimensions.resolve(channels)} channels`,
    );
  }
  const outside = weight?.[0] ?? view.number("outchannels") ?? null;
  if (!isShared(view.dimensions.resolve(outside), groups))
    return fault(`output channels that ${groups} groups share evenly`, view.words());
  if (bias?.length === 1 && !view.dimensions.unify(bias[0], outside))
    return fault(
      `a bias of ${view.dimensions.resolve(outside)}`,
      `the bias is ${shapeWords(bias)}`,
    );
  const kernel: readonly (Dimension | undefined)[] = weight?.slice(2) ?? size ?? [];
  const space: (Dimension | "untold")[] = [];
  for (let index = 0; index < spaceCount; index += 1) {
    const length = windowLength(view, input[input.length - spaceCount + index], {
      kernel: kernel[index] ?? (kernel.length === 1 ? kernel[0] : null),
      index,
      isPool: false,
    });
    if (typeof length === "number" && length < 1)
      return fault(
        "a kernel that fits into the padded input",
        `the input is ${shapeWords(input)}, the kernel ${shapeWords(kernel.map((item) => item ?? null))}`,
      );
    space.push(length);
  }
  if (space.includes("untold")) return unknown("its stride and padding");
  return fits([...input.slice(0, -spaceCount - 1), outside, ...space]);
}

/** What is wrong with the numbers of dimensions; an input without a batch is fine. */
function rankFault({
  input,
  weight,
  spaceCount,
}: {
  input: Shape;
  weight: Shape | undefined;
  spaceCount: number;
}): Inferred | undefined {
  if (weight !== undefined && weight.length !== spaceCount + 2)
    return fault(`a weight of ${spaceCount + 2} dimensions`, `the weight is ${shapeWords(weight)}`);
  if (input.length === spaceCount + 2 || input.length === spaceCount + 1) return undefined;
  return fault(
    `an input of ${spaceCount + 1} or ${spaceCount + 2} dimensions`,
    `the input is ${shapeWords(input)}`,
  );
}

/** Whether channels can be divided into groups, as far as they are known. */
function isShared(channels: Dimension, groups: number): boolean {
  return typeof channels !== "number" || groups < 1 || channels % groups === 0;
}

/** The way back of a convolution: the weight is [in, out of one group, …]. */
export function transposedConvolution(view: OperatorView): Inferred {
  const [input, weight, bias] = view.shapes;
  const spaceCount = Number(/transpose([123])d/i.exec(view.operator.operator)?.[1] ?? 0);
  if (input === undefined || spaceCount === 0) return unknown("the shape of the input");
  if (view.has("dataformat datalayout")) return unknown("its layout");
  const wrong = rankFault({ input, weight, spaceCount });
  if (wrong !== undefined) return wrong;
  const channels = input[input.length - spaceCount - 1];
  const wanted = weight?.[0] ?? view.number("inchannels");
  if (wanted !== undefined && !view.dimensions.unify(channels, wanted)) {
    return fault(
      `an input of ${view.dimensions.resolve(wanted)} channels`,
      `the input is ${shapeWords(input)}, with ${view.dimensions.resolve(channels)} channels`,
    );
  }
  const each = view.dimensions.resolve(weight?.[1]);
  const groups = view.number("groups group") ?? (view.hasAttributes ? 1 : undefined);
  const outside =
    typeof each === "number" && groups !== undefined
      ? each * groups
      : (view.number("outchannels") ?? null);
  if (bias?.length === 1 && !view.dimensions.unify(bias[0], outside))
    return fault(`a bias of ${outside ?? "?"}`, `the bias is ${shapeWords(bias)}`);
  const kernel = weight?.slice(2) ?? view.numbers("kernelsize kernelshape") ?? [];
  const more = view.numbers("outputpadding") ?? [0];
  const reach = Math.max(
    ...(view.numbers("stride strides") ?? [1]),
    ...(view.numbers("dilation dilations") ?? [1]),
  );
  if (view.has("stride strides") && more.some((length) => length > 0 && length >= reach))
    return fault(
      "an output padding below the stride or the dilation",
      `it is [${more.join(", ")}]`,
    );
  const space = Array.from({ length: spaceCount }, (_, index) =>
    widenedLength(view, input[input.length - spaceCount + index], {
      kernel: kernel[index] ?? (kernel.length === 1 ? kernel[0] : null),
      index,
    }),
  );
  if (space.includes("untold")) return unknown("its stride and padding");
  if (space.some((length) => typeof length === "number" && length < 1))
    return fault("an output of at least one element", `the input is ${shapeWords(input)}`);
  return fits([...input.slice(0, -spaceCount - 1), outside, ...space]);
}
