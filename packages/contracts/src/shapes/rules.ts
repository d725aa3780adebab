/** The rule of each operator, by the name that frameworks give it. */

import {
  concatenate,
  embedding,
  flatten,
  permute,
  reshape,
  squeeze,
  stack,
  unsqueeze,
} from "./arrangements.ts";
import { channelNorm, layerNorm, overDimension, pool, reduction } from "./layers.ts";
import type { Rule } from "./operator-view.ts";
import { attention, convolution, linear, matrixProduct } from "./products.ts";
import { elementwise, sameAsInput } from "./stretch.ts";

const rules: ReadonlyMap<string, Rule> = new Map(
  (
    [
      [
        elementwise,
        "add sub subtract mul multiply div divide truediv pow maximum minimum where eq ne lt le gt ge less greater equal logicaland logicalor",
      ],
      [
        sameAsInput,
        "relu gelu silu sigmoid tanh leakyrelu elu exp log sqrt rsqrt abs neg dropout identity contiguous clone clamp clip cast to float half",
      ],
      [matrixProduct, "matmul mm bmm batchmatmul"],
      [linear, "linear"],
      [convolution, "conv1d conv2d conv3d conv convolution"],
      [attention, "scaleddotproductattention sdpa"],
      [concatenate, "cat concat concatenate"],
      [stack, "stack"],
      [reshape, "reshape view"],
      [flatten, "flatten"],
      [permute, "permute transpose swapaxes"],
      [squeeze, "squeeze"],
      [unsqueeze, "unsqueeze expanddims"],
      [embedding, "embedding"],
      [
        channelNorm,
        "batchnorm batchnorm1d batchnorm2d batchnorm3d batchnormalization groupnorm instancenorm1d instancenorm2d instancenorm3d",
      ],
      [layerNorm, "layernorm rmsnorm layernormalization"],
      [
        pool,
        "maxpool1d maxpool2d maxpool3d avgpool1d avgpool2d avgpool3d adaptiveavgpool1d adaptiveavgpool2d adaptiveavgpool3d adaptivemaxpool1d adaptivemaxpool2d adaptivemaxpool3d",
      ],
      [
        reduction,
        "sum mean amax amin prod var std argmax argmin logsumexp any all reducesum reducemean reducemax reducemin",
      ],
      [overDimension, "softmax logsoftmax"],
    ] as const
  ).flatMap(([rule, names]) => names.split(" ").map((name): [string, Rule] => [name, rule])),
);

/** Operators whose layout is that of PyTorch and ONNX, with channels second and weights [out, in]. */
const channelsFirstRules: ReadonlySet<Rule> = new Set([convolution, pool, channelNorm, linear]);
const otherLayouts = /tensorflow|keras|jax|flax|^tf$/i;

/** Operators whose inputs have to be of one type. */
const oneTypeRules: ReadonlySet<Rule> = new Set([matrixProduct, linear, convolution, attention]);

/** The rule of an operator, and whether its inputs have to be of one type; nothing where it is not known. */
export function ruleOf(
  operator: string,
  framework = "",
): { rule: Rule; isOneType: boolean } | undefined {
  const [path = ""] = operator.split("::").slice(-1);
  // A suffix names the overload: `aten.add.Tensor`.
  const parts = path
    .split(".")
    .filter(
      (part) => !/^(?:default|Tensor|Scalar|dim|int|using_ints|dim_IntList|self)$/.test(part),
    );
  const name = (parts.at(-1) ?? "").toLowerCase().replace(/[^a-z0-9]/g, "");
  const rule = rules.get(name);
  // TensorFlow spells it `Conv2D`.
  const isOtherLayout = otherLayouts.test(framework) || /\dD$/.test(operator);
  if (rule !== undefined && isOtherLayout && channelsFirstRules.has(rule)) return undefined;
  return rule === undefined ? undefined : { rule, isOneType: oneTypeRules.has(rule) };
}
