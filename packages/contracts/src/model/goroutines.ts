/** The goroutines of a Go program at one moment, those that do the same in one group. */

import { type Static, Type } from "typebox";

import { Recording } from "./recording.ts";

/** A function on a stack. */
export const StackFrame = Type.Object(
  {
    function: Type.String({ maxLength: 1_024 }),
    file: Type.Optional(Type.String({ maxLength: 1_024 })),
    line: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type StackFrame = Static<typeof StackFrame>;

/** Goroutines with one stack, one state and one creator. */
export const GoroutineGroup = Type.Object(
  {
    count: Type.Integer({ minimum: 1 }),
    /** As the runtime names it (`chan send`, `IO wait`); `channel` where only that is known; absent when unknown. */
    state: Type.Optional(Type.String({ maxLength: 128 })),
    /** The garbage collector found that nothing can ever wake them. */
    isLeaked: Type.Optional(Type.Boolean()),
    /** Indices into the frames, innermost first, without those by which the runtime parks a goroutine. */
    stack: Type.Array(Type.Integer({ minimum: 0 }), { maxItems: 512 }),
    /** The frame of the `go` statement. */
    creator: Type.Optional(Type.Integer({ minimum: 0 })),
    /** How many have been blocked for so many minutes, where a dump says so; 0 is less than a minute. */
    waits: Type.Optional(
      Type.Array(
        Type.Object(
          { minutes: Type.Integer({ minimum: 0 }), count: Type.Integer({ minimum: 1 }) },
          { additionalProperties: false },
        ),
        { maxItems: 1_024 },
      ),
    ),
    /** Different goroutines that started these, and how many of these were started by one that is gone. */
    creators: Type.Optional(
      Type.Object(
        {
          differentCount: Type.Integer({ minimum: 1 }),
          orphanCount: Type.Integer({ minimum: 0 }),
        },
        { additionalProperties: false },
      ),
    ),
    /** The lowest ids among these, ascending, where a dump says them: the oldest of them, in recordings of one process. */
    oldestIds: Type.Optional(Type.Array(Type.Integer({ minimum: 1 }), { maxItems: 64 })),
  },
  { additionalProperties: false },
);
export type GoroutineGroup = Static<typeof GoroutineGroup>;

export const GoroutinesContent = Type.Object(
  {
    kind: Type.Literal("goroutines"),
    recording: Recording,
    /** A dump of every goroutine, a profile that counts stacks, or a profile of leaked goroutines alone. */
    form: Type.Union([Type.Literal("dump"), Type.Literal("profile"), Type.Literal("leaks")]),
    goroutineCount: Type.Integer({ minimum: 0 }),
    /** The highest id of a goroutine, which only grows while a process runs. */
    idMax: Type.Optional(Type.Integer({ minimum: 0 })),
    frames: Type.Array(StackFrame),
    groups: Type.Array(GoroutineGroup),
  },
  { additionalProperties: false },
);
export type GoroutinesContent = Static<typeof GoroutinesContent>;
