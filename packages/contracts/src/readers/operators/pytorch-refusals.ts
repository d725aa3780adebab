/** Messages by which PyTorch refuses shapes and types. */

import { type Message, message } from "./refusal-message.ts";

/** In the order in which they are tried. */
export const pytorchRefusals: readonly Message[] = [
  message(
    String.raw`mat1 and mat2 shapes cannot be multiplied \((\d+)x(\d+) and (\d+)x(\d+)\)`,
    "matmul",
    [
      "a second factor of $2 rows, as many as the first has columns",
      "the factors are [$1, $2] and [$3, $4]",
    ],
  ),
  message(String.raw`size mismatch, m1: \[(\d+) x (\d+)\], m2: \[(\d+) x (\d+)\]`, "matmul", [
    "a second factor of $2 rows, as many as the first has columns",
    "the factors are [$1, $2] and [$3, $4]",
  ]),
  message(String.raw`size mismatch, got input \((\d+)\), mat \((\d+x\d+)\), vec \((\d+)\)`, "mv", [
    "a vector as long as the matrix has columns",
    "the matrix is $2, the vector has $3",
  ]),
  message(
    String.raw`Expected size for first two dimensions of batch2 tensor to be: SHAPE but got: SHAPE`,
    "bmm",
    ["a second batch that begins with $1", "it begins with $2"],
  ),
  message(
    String.raw`The size of tensor a \((\d+)\) must match the size of tensor b \((\d+)\) at non-singleton dimension (\d+)`,
    "elementwise",
    ["lengths that are equal or 1 in dimension $3", "they are $1 and $2"],
  ),
  message(
    String.raw`Given groups=(\d+), weight of size SHAPE, expected input\s*SHAPE to have (\d+) channels, but got (\d+) channels`,
    "convolution",
    ["an input of $4 channels", "the input is $3 with $5 channels, the weight $2"],
  ),
  message(
    String.raw`Given transposed=1, weight of size SHAPE, expected input\s*SHAPE to have (\d+) channels, but got (\d+) channels`,
    "conv_transpose",
    ["an input of $3 channels", "the input is $2 with $4 channels, the weight $1"],
  ),
  message(
    String.raw`Expected ([\w() -]{1,64}?) input to (\w{1,64}), but got input of size: SHAPE`,
    "$2",
    ["an input that is $1", "the input is $3"],
  ),
  message(
    String.raw`Expected (\d)-dimensional input for \d-dimensional weight SHAPE, but got (\d)-dimensional input of size SHAPE`,
    "convolution",
    ["an input of $1 dimensions", "the input is $4, the weight $2"],
  ),
  message(
    String.raw`Calculated padded input size per channel: \(([\dx ]+)\)\. Kernel size: \(([\dx ]+)\)\. Kernel size can't be greater`,
    "convolution",
    ["a kernel that fits into the padded input", "the padded input is $1, the kernel $2"],
  ),
  message(
    String.raw`Given input size: \(([\dx]+)\)\. Calculated output size: \(([\dx-]+)\)\. Output size is too small`,
    "pool",
    ["an input that is larger than the window", "the input is $1, the output would be $2"],
  ),
  message(
    String.raw`Sizes of tensors must match except in dimension (-?\d+)\. Expected size (\d+) but got size (\d+) for tensor number (\d+)`,
    "cat",
    ["inputs that are equal but for dimension $1", "tensor $4 has $3 where the first has $2"],
  ),
  message(
    String.raw`Sizes of tensors must match except in dimension (-?\d+)\. Got (\d+) and (\d+)(?: in dimension (\d+))?`,
    "cat",
    ["inputs that are equal but for dimension $1", "they have $2 and $3"],
  ),
  message(String.raw`Tensors must have same number of dimensions: got (\d+) and (\d+)`, "cat", [
    "inputs of one number of dimensions",
    "they have $1 and $2",
  ]),
  message(
    String.raw`stack expects each tensor to be equal size, but got SHAPE at entry (\d+) and SHAPE at entry (\d+)`,
    "stack",
    ["inputs of one shape", "input $2 is $1, input $4 is $3"],
  ),
  message(String.raw`shape '?SHAPE'? is invalid for input of size (\d+)`, "reshape", [
    "a shape of $2 elements",
    "asked for $1",
  ]),
  message(
    String.raw`The expanded size of the tensor \((\d+)\) must match the existing size \((\d+)\) at non-singleton dimension (\d+)\.\s*Target sizes: SHAPE\.\s*Tensor sizes: SHAPE`,
    "expand",
    ["lengths of 1 where the size is another", "the tensor is $5, asked for $4"],
  ),
  message(
    String.raw`Expected input batch_size \((\d+)\) to match target batch_size \((\d+)\)`,
    "cross_entropy",
    ["one target for each of $1 inputs", "there are $2 targets"],
  ),
  message(
    String.raw`Target size \(SHAPE\) must be the same as input size \(SHAPE\)`,
    "binary_cross_entropy",
    ["a target of $2", "the target is $1"],
  ),
  message(
    String.raw`Using a target size \(SHAPE\) that is different to the input size \(SHAPE\)`,
    "loss",
    ["a target of $2", "the target is $1"],
  ),
  message(String.raw`multi-target not supported|0D or 1D target tensor expected`, "cross_entropy", [
    "one class index for each input",
    "the target has more dimensions",
  ]),
  message(
    String.raw`Given normalized_shape=SHAPE, expected input with shape ([[\d\s,*\]]{1,128}), but got input of size\s*SHAPE`,
    "layer_norm",
    ["an input that ends in $1", "the input is $3"],
  ),
  message(
    String.raw`(running_mean|running_var|weight|bias) should contain (\d+) elements not (\d+)`,
    "batch_norm",
    ["$1 of $2 elements", "it has $3"],
  ),
  message(
    String.raw`Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape SHAPE and input of shape SHAPE`,
    "group_norm",
    ["a weight for each channel", "the weight is $1, the input $2"],
  ),
  message(
    String.raw`input\.size\(-1\) must be equal to input_size\. Expected (\d+), got (\d+)`,
    "rnn",
    ["inputs of width $1", "their width is $2"],
  ),
  message(String.raw`Expected hidden(?:\[\d\])? size SHAPE, got SHAPE`, "rnn", [
    "a state of $1",
    "it is $2",
  ]),
  message(
    String.raw`split_sizes to sum exactly to (\d+)[^,]{0,64}, but got split_sizes=SHAPE`,
    "split",
    ["lengths that sum to $1", "the lengths are $2"],
  ),
  message(
    String.raw`einsum\(\): subscript (\w) has size (\d+) for operand (\d+) which does not broadcast with previously seen size (\d+)`,
    "einsum",
    ["one length for the subscript $1", "it is $4 and $2"],
  ),
  message(
    String.raw`The shape of the mask SHAPE at index \d+ does not match the shape of the indexed tensor SHAPE`,
    "index",
    ["a mask of the tensor's shape", "the mask is $1, the tensor $2"],
  ),
  message(
    String.raw`size mismatch for ([\w.]{1,256}): copying a param with shape SHAPE from checkpoint, the shape in current model is SHAPE`,
    "load_state_dict",
    ["$1 of $3, as the model has it", "the checkpoint has $2"],
  ),
  message(String.raw`The shape of the 2D attn_mask is SHAPE, but should be SHAPE`, "attention", [
    "a mask of $2",
    "the mask is $1",
  ]),
  message(
    String.raw`Dimension out of range \(expected to be in range of \[(-?\d+), (-?\d+)\], but got (-?\d+)\)`,
    "dimension",
    ["a dimension from $1 to $2", "the dimension is $3"],
  ),
  message(
    String.raw`(?:expected m1 and m2 to have the same dtype, but got: (\w+(?: \w+)?) != (\w+(?: \w+)?))|(?:mat1 and mat2 must have the same dtype, but got (\w+) and (\w+))`,
    "matmul",
    ["factors of one type", "they are $1$3 and $2$4"],
  ),
  message(String.raw`expected scalar type (\w+) but found (\w+)`, "operator", [
    "a tensor of type $1",
    "its type is $2",
  ]),
  message(
    String.raw`inconsistent tensor size, expected tensor SHAPE and src SHAPE to have the same number of elements`,
    "dot",
    ["two vectors of one length", "they are $1 and $2"],
  ),
  message(
    String.raw`Expected tensor for argument #\d+ '(\w+)' to have one of the following scalar types: ([\w, ]{1,64}); but got (?:torch\.)?(\w+) instead \(while checking arguments for (\w{1,64})\)`,
    "$4",
    ["$1 of type $2", "they are $3"],
  ),
  message(
    String.raw`Size does not match at dimension (\d+) expected index SHAPE to be (?:smaller|no larger) than (?:self|src) SHAPE`,
    "gather",
    ["an index within the input but for its own dimension", "the index is $2, the input $3"],
  ),
  message(
    String.raw`output with shape SHAPE doesn't match the broadcast shape SHAPE`,
    "in-place operator",
    [
      "inputs that stretch to the shape of the first, which it changes",
      "the first is $1, they stretch to $2",
    ],
  ),
  message(String.raw`expected target dtype to be ([\w ]{1,64}), but got (\w+)`, "nll_loss", [
    "targets of type $1",
    "they are $2",
  ]),
  message(
    String.raw`number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i\.e\. input\.dim\(\) = (\d+) is not equal to len\(dims\) = (\d+)`,
    "permute",
    ["an order of $1 dimensions", "it has $2"],
  ),
  message(
    String.raw`Mismatch of parameter numbers and input channel size\. Found parameter numbers = (\d+) and channel size = (\d+)`,
    "prelu",
    ["a parameter for each of $2 channels", "there are $1"],
  ),
  message(
    String.raw`Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor`,
    "repeat",
    ["a number of repetitions for each dimension", "there are fewer"],
  ),
  message(
    String.raw`unflatten: Provided sizes SHAPE don't multiply up to the size of dim (\d+) \((\d+)\)`,
    "unflatten",
    ["lengths whose product is $3", "the lengths are $1"],
  ),
  message(String.raw`Assertion .t >= 0 && t < n_classes. failed`, "nll_loss", [
    "class indices from 0 to one less than the number of classes",
    "a target lies outside",
  ]),
  message(
    String.raw`index (-?\d+) is out of bounds for (?:dimension|axis) (\d+) with size (\d+)`,
    "index",
    ["an index below $3 in dimension $2", "the index is $1"],
  ),
];
