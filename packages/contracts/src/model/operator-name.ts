/** The kind of an operator without what frameworks write around it. */

/** Names of overloads of ATen, as in `aten.add.Tensor`. */
const overloads =
  /^(?:default|Tensor|Scalar|Tensor_Scalar|Scalar_Tensor|Tensor_Tensor|dim|int|Int|using_ints|dim_IntList|dims|self|sizes|src|value|out|correction|vec|input|other|dim_max|dim_min|ScalarOther|ScalarSelf|Tensor_mode|Scalar_mode|deprecated|no_stats|training|padding|dtype|op|sections|names_dim|dimname|str|memory_format|Dimname|start|start_step|low_dtype|low|generator|device|prim_dtype|dtype_layout|like|indices|tensor|functional)$/;

/** `matmul` of `aten::matmul`, `torch.ops.aten.matmul.default` and `nn.MatMul`: lower case, without separators. */
export function bareOperatorName(operator: string): string {
  const [path = ""] = operator.split("::").slice(-1);
  const parts = path.split(".").filter((part, index) => index === 0 || !overloads.test(part));
  const bare = (parts.at(-1) ?? "").toLowerCase().replace(/[^a-z0-9]/g, "");
  return aliases.get(bare) ?? bare;
}

/** What ATen calls by another name within graphs than programs do. */
const aliases: ReadonlyMap<string, string> = new Map(
  Object.entries({
    unsafeview: "view",
    tocopy: "to",
    nativelayernorm: "layernorm",
    fusedrmsnorm: "rmsnorm",
    nativegroupnorm: "groupnorm",
    nativebatchnorm: "batchnorm",
    nativebatchnormlegit: "batchnorm",
    nativebatchnormlegitfunctional: "batchnorm",
    nativebatchnormlegitnotraining: "batchnorm",
    batchnormwithupdate: "batchnorm",
    batchnormnoupdate: "batchnorm",
    cudnnbatchnorm: "batchnorm",
    nativedropout: "dropout",
    maxpool2dwithindices: "maxpool2d",
    maxpool3dwithindices: "maxpool3d",
    unsafesplit: "split",
    unsafeindex: "index",
    liftfreshcopy: "clone",
    convolutionoverrideable: "convolution",
    cudnnconvolution: "convolution",
    mkldnnconvolution: "convolution",
    scaleddotproductflashattention: "scaleddotproductattention",
    scaleddotproductflashattentionforcpu: "scaleddotproductattention",
    scaleddotproductefficientattention: "scaleddotproductattention",
    scaleddotproductattentionmath: "scaleddotproductattention",
    scaleddotproductfusedattentionoverrideable: "scaleddotproductattention",
  }),
);
