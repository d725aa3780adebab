/** Whether the platform lives, and whether it can take work. */

import { type Static, Type } from "typebox";

export const Health = Type.Object({ status: Type.Literal("ok") }, { additionalProperties: false });
export type Health = Static<typeof Health>;

/** One part of the platform that must be there before work is taken. */
export const ReadinessCheck = Type.Object(
  {
    name: Type.String({ maxLength: 64 }),
    ready: Type.Boolean(),
    /** What is wrong, when it is not ready. */
    detail: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: false },
);
export type ReadinessCheck = Static<typeof ReadinessCheck>;

export const Readiness = Type.Object(
  { ready: Type.Boolean(), checks: Type.Array(ReadinessCheck, { maxItems: 32 }) },
  { additionalProperties: false },
);
export type Readiness = Static<typeof Readiness>;
