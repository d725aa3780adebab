/** A recorded list of tensor operators, with the shapes that went in and came out. */

import { type Static, Type } from "typebox";

/** A length, a symbol (`batch`), or `null` where it is not known. */
export const Dimension = Type.Union([
  Type.Integer({ minimum: 0 }),
  Type.String({ maxLength: 128 }),
  Type.Null(),
]);
export type Dimension = Static<typeof Dimension>;

/** A tensor as an operator saw it. */
export const TensorShape = Type.Object(
  {
    /** What tells it from other tensors of the list. */
    name: Type.Optional(Type.String({ maxLength: 512 })),
    /** Absent where not even the number of dimensions is known. */
    shape: Type.Optional(Type.Array(Dimension, { maxItems: 64 })),
    dtype: Type.Optional(Type.String({ maxLength: 64 })),
    /** What it is for, where the record names its inputs so: `weight`, `bias`, `mask`. */
    role: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);
export type TensorShape = Static<typeof TensorShape>;

const scalar = Type.Union([
  Type.Number(),
  Type.String({ maxLength: 1_024 }),
  Type.Boolean(),
  Type.Null(),
]);
/** What an operator was told beside its tensors. */
export const OperatorAttribute = Type.Union([scalar, Type.Array(scalar, { maxItems: 256 })]);
export type OperatorAttribute = Static<typeof OperatorAttribute>;

export const TensorOperator = Type.Object(
  {
    /** As the recorder names its kind: `aten::matmul`, `Conv`, `nn.Linear`. */
    operator: Type.String({ maxLength: 256 }),
    /** Which one it is: `encoder.layer.0.attention`. */
    name: Type.Optional(Type.String({ maxLength: 512 })),
    inputs: Type.Array(TensorShape, { maxItems: 1_024 }),
    outputs: Type.Array(TensorShape, { maxItems: 1_024 }),
    attributes: Type.Record(Type.String(), OperatorAttribute),
    /** Where in the source it stands, as a JSON pointer. */
    pointer: Type.String({ maxLength: 256 }),
  },
  { additionalProperties: false },
);
export type TensorOperator = Static<typeof TensorOperator>;

export const OperatorsContent = Type.Object(
  {
    kind: Type.Literal("operators"),
    /** Of the model or graph. */
    name: Type.String({ maxLength: 256 }),
    framework: Type.Optional(Type.String({ maxLength: 64 })),
    operators: Type.Array(TensorOperator),
  },
  { additionalProperties: false },
);
export type OperatorsContent = Static<typeof OperatorsContent>;
