/** What an evaluation found: for each case the scores that one or several variants of a behaviour got. */

import { type Static, Type } from "typebox";

export const EvaluationVariant = Type.Object(
  {
    name: Type.String({ maxLength: 512 }),
    /** What it is made of, by name: `model`, `prompt`, `parameters`, `grader`. */
    components: Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
);
export type EvaluationVariant = Static<typeof EvaluationVariant>;

export const EvaluationCase = Type.Object(
  {
    /** The same for the same input, in whatever run. */
    id: Type.String({ maxLength: 512 }),
    /** The place of its variant in the list of them. */
    variant: Type.Integer({ minimum: 0 }),
    /** By the name of the metric; `passed` is 1 or 0. */
    scores: Type.Record(Type.String({ maxLength: 256 }), Type.Number()),
    /** It could not be scored for this reason. */
    error: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: false },
);
export type EvaluationCase = Static<typeof EvaluationCase>;

export const EvaluationContent = Type.Object(
  {
    kind: Type.Literal("evaluation"),
    /** Which program wrote it. */
    tool: Type.String({ maxLength: 64 }),
    /** What was evaluated: a task, a dataset, a suite; empty where the record does not say. */
    suite: Type.String({ maxLength: 256 }),
    /** What the run is called: the file and its folder. */
    run: Type.String({ maxLength: 512 }),
    ranMicros: Type.Optional(Type.Number({ minimum: 0 })),
    variants: Type.Array(EvaluationVariant, { maxItems: 1_000 }),
    cases: Type.Array(EvaluationCase, { maxItems: 1_000_000 }),
  },
  { additionalProperties: false },
);
export type EvaluationContent = Static<typeof EvaluationContent>;
