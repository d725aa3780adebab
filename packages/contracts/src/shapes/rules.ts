/** The rule of each operator, by the name that frameworks give it. */

import { bareOperatorName } from "../model/operator-name.ts";
import { addedProduct, generalProduct, vectorProduct } from "./added-products.ts";
import {
  concatenate,
  flatten,
  permute,
  reshape,
  squeeze,
  stack,
  turn,
  unflatten,
  unsqueeze,
} from "./arrangements.ts";
import { attention } from "./attention.ts";
import { convolution, transposedConvolution } from "./convolutions.ts";
import { einsum } from "./einsum.ts";
import { expand, repeat, split } from "./expansions.ts";
import { channelNorm, globalPool, layerNorm, overDimension, pool, reduction } from "./layers.ts";
import { embedding, gather, gatherSlices, indexSelect, scatter } from "./lookups.ts";
import type { Rule } from "./operator-view.ts";
import { linear, matrixProduct } from "./products.ts";
import { chunk, largest, made, narrow, select, shapeOf, slice, unbind } from "./selections.ts";
import { choice, elementwise, sameAsInput } from "./stretch.ts";

const rules: ReadonlyMap<string, Rule> = new Map(
  (
    [
      [
        elementwise,
        "add sub subtract mul multiply div divide truediv pow maximum minimum eq ne lt le gt ge less greater equal logicaland logicalor logicalxor bitwiseand bitwiseor bitwisexor fmod remainder floordivide floordiv atan2 hypot clamp clip rsub maskedfill lerp addcmul addcdiv bitwiseleftshift bitwiserightshift and or xor mod thresholdbackward gelubackward silubackward sigmoidbackward tanhbackward leakyrelubackward",
      ],
      [choice, "where"],
      [
        sameAsInput,
        "relu gelu silu sigmoid tanh leakyrelu elu exp log sqrt rsqrt abs neg dropout identity contiguous clone cast to float half sin cos erf floor ceil round sign reciprocal softplus hardswish mish detach alias tril triu zeroslike oneslike fulllike emptylike randlike randnlike logicalnot bitwisenot isnan isinf square log1p log2 expm1 hardtanh hardsigmoid relu6 selu celu softsign logsigmoid nantonum copy not acos asin atan tan sinh cosh asinh acosh atanh trunc frac requiresgrad typeas",
      ],
      [matrixProduct, "matmul mm bmm batchmatmul"],
      [addedProduct, "addmm baddbmm"],
      [generalProduct, "gemm"],
      [vectorProduct, "dot mv outer"],
      [einsum, "einsum"],
      [linear, "linear"],
      [transposedConvolution, "convtranspose1d convtranspose2d convtranspose3d"],
      [convolution, "conv1d conv2d conv3d conv convolution"],
      [attention, "scaleddotproductattention sdpa"],
      [concatenate, "cat concat concatenate"],
      [stack, "stack"],
      [reshape, "reshape view"],
      [flatten, "flatten"],
      [unflatten, "unflatten"],
      [permute, "permute transpose swapaxes"],
      [turn, "t"],
      [squeeze, "squeeze"],
      [unsqueeze, "unsqueeze expanddims"],
      [expand, "expand broadcastto"],
      [repeat, "repeat"],
      [split, "split splitwithsizes"],
      [embedding, "embedding"],
      [gather, "gather"],
      [scatter, "scatter scatteradd"],
      [indexSelect, "indexselect"],
      [
        channelNorm,
        "batchnorm batchnorm1d batchnorm2d batchnorm3d batchnormalization groupnorm instancenorm1d instancenorm2d instancenorm3d",
      ],
      [layerNorm, "layernorm rmsnorm layernormalization"],
      [
        pool,
        "maxpool1d maxpool2d maxpool3d avgpool1d avgpool2d avgpool3d adaptiveavgpool1d adaptiveavgpool2d adaptiveavgpool3d adaptivemaxpool1d adaptivemaxpool2d adaptivemaxpool3d maxpool averagepool",
      ],
      [
        reduction,
        "sum mean amax amin prod var std argmax argmin logsumexp any all reducesum reducemean reducemax reducemin",
      ],
      [overDimension, "softmax logsoftmax cumsum"],
      [select, "select"],
      [slice, "slice"],
      [narrow, "narrow"],
      [chunk, "chunk"],
      [unbind, "unbind"],
      [largest, "topk"],
      [globalPool, "globalaveragepool globalmaxpool"],
      [shapeOf, "shape"],
      [
        made,
        "zeros ones full empty rand randn arange linspace eye scalartensor constantofshape range",
      ],
    ] as const
  ).flatMap(([rule, names]) => names.split(" ").map((name): [string, Rule] => [name, rule])),
);

/** Operators whose layout or meaning is that of PyTorch, with channels second and weights [out, in]. */
const pytorchRules: ReadonlySet<Rule> = new Set([
  convolution,
  transposedConvolution,
  pool,
  channelNorm,
  linear,
  embedding,
  gather,
  scatter,
  attention,
  split,
  select,
  slice,
  narrow,
  chunk,
  unbind,
  largest,
  made,
]);
const otherLayouts = /tensorflow|keras|jax|flax|mlx|hlo|xla|^tf$|^tfl/i;
const otherOrigins =
  /^(?:tf|tfl|tensorflow|keras|jax|lax|flax|mlx|mhlo|hlo|stablehlo|xla|tosa)[.:]/i;

/** Operators whose inputs have to be of one type. */
const oneTypeRules: ReadonlySet<Rule> = new Set([matrixProduct, linear, convolution, attention]);

/** The rule of an operator, and whether its inputs have to be of one type; nothing where it is not known. */
export function ruleOf(
  operator: string,
  framework = "",
): { rule: Rule; isOneType: boolean } | undefined {
  const path = operator.split("::").at(-1) ?? "";
  const name = bareOperatorName(operator);
  const rule = rules.get(name);
  // TensorFlow spells it `Conv2D`.
  const isOtherLayout =
    otherLayouts.test(framework) || otherOrigins.test(operator) || /\dD$/.test(operator);
  if (rule !== undefined && isOtherLayout && pytorchRules.has(rule)) return undefined;
  // ONNX has an operator of this name that takes whole slices.
  if (rule === gather && (/onnx/i.test(framework) || /(?:^|:)Gather$/.test(path)))
    return { rule: gatherSlices, isOneType: false };
  return rule === undefined ? undefined : { rule, isOneType: oneTypeRules.has(rule) };
}
