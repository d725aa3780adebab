/** Messages by which NumPy, JAX, TensorFlow, Keras and ONNX Runtime refuse shapes and types. */

import { type Message, message } from "./refusal-message.ts";

/** Of NumPy and JAX. */
const numpy: readonly Message[] = [
  message(
    String.raw`operands could not be broadcast together with (?:remapped )?shapes? (\([\d,]*\)(?:[\s,]+\([\d,]*\)){1,8})`,
    "elementwise",
    ["shapes that are equal from the end, or 1", "they are $1"],
  ),
  message(
    String.raw`shapes (\([\d,]*\)) and (\([\d,]*\)) not aligned: (\d+) \(dim \d+\) != (\d+) \(dim \d+\)`,
    "matmul",
    ["inner lengths that are equal", "the factors are $1 and $2: $3 and $4"],
  ),
  message(
    String.raw`matmul: Input operand \d+ has a mismatch in its core dimension \d+.{0,128}?size (\d+) is different from (\d+)`,
    "matmul",
    ["inner lengths that are equal", "they are $2 and $1"],
  ),
  message(
    String.raw`along dimension (\d+), the array at index (\d+) has size (\d+) and the array at index (\d+) has size (\d+)`,
    "concatenate",
    [
      "arrays that are equal but for the joined axis",
      "in dimension $1 array $2 has $3 and array $4 has $5",
    ],
  ),
  message(
    String.raw`could not broadcast input array from shape (\([\d,]*\)) into shape (\([\d,]*\))`,
    "assignment",
    ["an array that stretches to $2", "it is $1"],
  ),
  message(
    String.raw`cannot reshape array of (?:size (\d+)|shape (\([\d, ]*\)) \(size \d+\)) into shape (\([\d, -]*\))`,
    "reshape",
    ["a shape of as many elements", "the array has $1$2, asked for $3"],
  ),
  message(
    String.raw`(\w{1,32}) got incompatible shapes for broadcasting: (\([\d, ]*\)(?:, \([\d, ]*\)){1,8})`,
    "$1",
    ["shapes that are equal from the end, or 1", "they are $2"],
  ),
  message(
    String.raw`Incompatible shapes for broadcasting: (?:shapes=)?\[?(\([\d, ]*\)(?:(?:,| and) \([\d, ]*\)){1,8})`,
    "elementwise",
    ["shapes that are equal from the end, or 1", "they are $1"],
  ),
  message(
    String.raw`dot_general requires contracting dimensions to have the same shape, got (\([\d, ]*\)) and (\([\d, ]*\))`,
    "dot_general",
    ["contracted lengths that are equal", "they are $1 and $2"],
  ),
  message(
    String.raw`Cannot concatenate arrays with shapes that differ in dimensions other than the one being concatenated: concatenating along dimension (\d+) for shapes (\([\d, ]*\)(?:, \([\d, ]*\)){1,8})`,
    "concatenate",
    ["arrays that are equal but for dimension $1", "they are $2"],
  ),
  message(String.raw`all input arrays must have the same shape`, "stack", [
    "arrays of one shape",
    "they differ",
  ]),
  message(
    String.raw`Initializer expected to generate shape (\([\d, ]*\)) but got shape (\([\d, ]*\)) instead for parameter "(\w{1,64})" in "([^"]{1,256})"`,
    "$4",
    ["a $3 of $1, as follows from its input", "the parameters have $2"],
  ),
];

/** Of TensorFlow, Keras and ONNX Runtime. */
const graphs: readonly Message[] = [
  message(String.raw`Matrix size-incompatible: In\[0\]: SHAPE, In\[1\]: SHAPE`, "MatMul", [
    "inner lengths that are equal",
    "the factors are $1 and $2",
  ]),
  message(
    String.raw`Dimensions must be equal, but are (\d+) and (\d+) for .{0,256}?= (\w{1,64})\[.{0,512}?with input shapes: (.{1,200}?)\.(?:\s|$)`,
    "$3",
    ["lengths that are equal", "they are $1 and $2; the inputs are $4"],
  ),
  message(String.raw`Incompatible shapes: SHAPE (?:vs\.|and) SHAPE`, "elementwise", [
    "shapes that are equal from the end, or 1",
    "they are $1 and $2",
  ]),
  message(String.raw`Shapes (\([\w, ]*\)) and (\([\w, ]*\)) are incompatible`, "operator", [
    "shapes that are equal",
    "they are $1 and $2",
  ]),
  message(
    String.raw`logits and labels must (?:be broadcastable|have the same (?:first dimension|shape)):?,? (?:got )?logits(?:_size=| shape )SHAPE (?:and )?labels(?:_size=| shape )SHAPE`,
    "cross_entropy",
    ["a label for each of the logits", "the logits are $1, the labels $2"],
  ),
  message(
    String.raw`ConcatOp : Dimension (\d+) in both shapes must be equal: shape\[0\] = SHAPE vs\. shape\[\d+\] = SHAPE`,
    "ConcatV2",
    ["inputs that are equal in dimension $1", "they are $2 and $3"],
  ),
  message(
    String.raw`Input to reshape is a tensor with (\d+) values, but the requested shape (?:has|requires a multiple of) (\d+)`,
    "Reshape",
    ["a shape of $1 elements", "asked for $2"],
  ),
  message(
    String.raw`Input (\d+) of layer "?([\w./-]{1,128})"? is incompatible with the layer: expected (axis -?\d+ of input shape to have value \S{1,64}|shape=\([\w, ]*\)|(?:min_|max_)?ndim=\d+),?\s*(?:but received input with|found|Full) (?:shape=?\s?(\([\w, ]*\))|ndim=(\d+))`,
    "$2",
    ["an input with $3", "the input has $4$5"],
  ),
  message(
    String.raw`Error when checking (?:input|target): expected (\S{1,128}) to have (shape \([\w, ]*\)|\d+ dimensions),? but got array with shape (\([\w, ]*\))`,
    "$1",
    ["an array of $2", "the array is $3"],
  ),
  message(
    String.raw`depth of (?:the )?input \((\d+)\) is not a multiple of (?:the )?input depth of (?:the )?filter \((\d+)\)`,
    "Conv2D",
    ["an input of $2 channels", "it has $1"],
  ),
  message(
    String.raw`Concatenate.? layer requires inputs with matching shapes except for the concat\w* axis\. (?:Received: input_shape=|Got inputs shapes: )(.{1,200}?\])`,
    "Concatenate",
    ["inputs that are equal but for the joined axis", "they are $1"],
  ),
  message(
    String.raw`Negative dimension size caused by subtracting (\d+) from (\d+) for`,
    "convolution",
    ["an input at least as long as the kernel", "the input has $2, the kernel $1"],
  ),
  message(
    String.raw`Non-zero status code returned while running (\w{1,64}) node\. Name:'([^']{0,256})' Status Message: (?:[^\n]{0,256}?)((?:dimension|shape|size|rank|broadcast)[^\n]{0,256})`,
    "$1",
    ["inputs that $1 takes", "$2: $3"],
  ),
  message(
    String.raw`Got invalid dimensions for input: (\S{1,128}) for the following indices\s+index: (\d+) Got: (\d+) Expected: (\d+)`,
    "$1",
    ["a length of $4 in dimension $2", "it is $3"],
  ),
  message(String.raw`Invalid rank for input: (\S{1,128}) Got: (\d+) Expected: (\d+)`, "$1", [
    "$3 dimensions",
    "it has $2",
  ]),
  message(
    String.raw`must have the same shape[.,]?\s*[Rr]eceived:? (?:\((\([\w, ]*\)) vs (\([\w, ]*\))\)|target\.shape=(\([\w, ]*\)), output\.shape=(\([\w, ]*\)))`,
    "loss",
    ["a target of the output's shape", "they are $1$3 and $2$4"],
  ),
  message(
    String.raw`Unexpected input data type\. Actual: \(tensor\((\w+)\)\) ?, expected: \(tensor\((\w+)\)\)`,
    "input",
    ["a tensor of type $2", "its type is $1"],
  ),
  message(
    String.raw`\(op_type:\s?(\w{1,64}), node name: ([^)]{0,256})\): \[ShapeInferenceError\] ([^\n]{1,256})`,
    "$1",
    ["inputs that $1 takes", "$2: $3"],
  ),
  message(
    String.raw`Node \(([^)]{0,256})\) Op \((\w{1,64})\) \[ShapeInferenceError\] ([^\n]{1,256})`,
    "$2",
    ["inputs that $2 takes", "$1: $3"],
  ),
];

/** In the order in which they are tried. */
export const otherRefusals: readonly Message[] = [...numpy, ...graphs];
