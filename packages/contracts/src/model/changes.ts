/** What was changed, and when it reached which service: commits, deploys, flags and other events. Nobody's name is kept. */

import { type Static, Type } from "typebox";

const moment = Type.Number({ minimum: 0 });
const service = Type.String({ maxLength: 256 });

/** A commit of a version control system. */
export const CommitChange = Type.Object(
  {
    kind: Type.Literal("commit"),
    /** The hash or number by which others name it. */
    id: Type.String({ maxLength: 256 }),
    timeMicros: Type.Optional(moment),
    message: Type.String({ maxLength: 16_384 }),
    files: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 2_000 }),
    /** What it took out and put in, as a unified diff; absent where the source has none. */
    diff: Type.Optional(Type.String({ maxLength: 262_144 })),
    /** The diff was longer than what is kept. */
    isDiffCut: Type.Optional(Type.Boolean()),
  },
  { additionalProperties: false },
);
export type CommitChange = Static<typeof CommitChange>;

/** A release that began to run: of a service, or of a bundle of prompt, model and tools. */
export const DeployChange = Type.Object(
  {
    kind: Type.Literal("deploy"),
    timeMicros: Type.Optional(moment),
    service: Type.Optional(service),
    version: Type.Optional(Type.String({ maxLength: 256 })),
    /** The commit that it was built from. */
    commit: Type.Optional(Type.String({ maxLength: 256 })),
    description: Type.Optional(Type.String({ maxLength: 4_096 })),
  },
  { additionalProperties: false },
);
export type DeployChange = Static<typeof DeployChange>;

/** A switch that was turned, or a setting that got another value, in a running system. */
export const FlagChange = Type.Object(
  {
    kind: Type.Literal("flag"),
    timeMicros: Type.Optional(moment),
    name: Type.String({ maxLength: 512 }),
    service: Type.Optional(service),
    before: Type.Optional(Type.String({ maxLength: 1_024 })),
    after: Type.Optional(Type.String({ maxLength: 1_024 })),
    description: Type.Optional(Type.String({ maxLength: 4_096 })),
  },
  { additionalProperties: false },
);
export type FlagChange = Static<typeof FlagChange>;

export const ChangeEvent = Type.Union([CommitChange, DeployChange, FlagChange]);
export type ChangeEvent = Static<typeof ChangeEvent>;

export const ChangesContent = Type.Object(
  { kind: Type.Literal("changes"), events: Type.Array(ChangeEvent) },
  { additionalProperties: false },
);
export type ChangesContent = Static<typeof ChangesContent>;
