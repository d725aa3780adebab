/** A profile: how much of something was spent or held at each stack. */

import { type Static, Type } from "typebox";

import { StackFrame } from "./goroutines.ts";
import { Recording } from "./recording.ts";

/** What one column of a profile's values measures, as pprof names it: `cpu` in `nanoseconds`, `inuse_space` in `bytes`. */
export const ProfileMeasure = Type.Object(
  { type: Type.String({ maxLength: 64 }), unit: Type.String({ maxLength: 64 }) },
  { additionalProperties: false },
);
export type ProfileMeasure = Static<typeof ProfileMeasure>;

export const ProfileContent = Type.Object(
  {
    kind: Type.Literal("profile"),
    recording: Recording,
    measures: Type.Array(ProfileMeasure, { maxItems: 16 }),
    /** How long was measured; absent for profiles of a moment. */
    durationNanos: Type.Optional(Type.Number({ minimum: 0 })),
    frames: Type.Array(StackFrame),
    samples: Type.Array(
      Type.Object(
        {
          /** Indices into the frames, innermost first. */
          stack: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 512 }),
          /** One for each measure. */
          values: Type.Array(Type.Number(), { maxItems: 16 }),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type ProfileContent = Static<typeof ProfileContent>;
