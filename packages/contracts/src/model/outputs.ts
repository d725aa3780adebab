/** Numbers that a program gave, recorded so that they can be held against those of another version of it. */

import { type Static, Type } from "typebox";

import { Measured } from "./training.ts";

const count = Type.Integer({ minimum: 0 });

/** One output, or an even choice of its values. */
export const NumericOutput = Type.Object(
  {
    name: Type.String({ maxLength: 512 }),
    shape: Type.Array(count, { maxItems: 32 }),
    /** As PyTorch spells it, without `torch.`. */
    dtype: Type.Optional(Type.String({ maxLength: 64 })),
    values: Type.Array(Measured),
    /** Where the values stand in the flattened output, where not all of them are kept. */
    places: Type.Optional(Type.Array(count)),
  },
  { additionalProperties: false },
);
export type NumericOutput = Static<typeof NumericOutput>;

export const OutputsContent = Type.Object(
  {
    kind: Type.Literal("outputs"),
    /** What gave them; recordings that are compared bear one name. */
    name: Type.String({ maxLength: 256 }),
    /** Before or after the change that must not change them; absent where the record does not say. */
    role: Type.Optional(Type.Union([Type.Literal("before"), Type.Literal("after")])),
    outputs: Type.Array(NumericOutput),
  },
  { additionalProperties: false },
);
export type OutputsContent = Static<typeof OutputsContent>;
