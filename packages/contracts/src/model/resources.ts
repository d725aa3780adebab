/** What a process held at one moment: descriptors, sockets, handles, or objects of its heap. */

import { type Static, Type } from "typebox";

import { Recording } from "./recording.ts";

/** Things of one kind that the process held. */
export const HeldResource = Type.Object(
  {
    /** `file`, `socket`, `tcp`, `pipe`, `timer`, the constructor of an object, … */
    type: Type.String({ maxLength: 256 }),
    /** What it goes to: a peer as `host:port`, a path without its numbers. */
    target: Type.Optional(Type.String({ maxLength: 512 })),
    /** Of a socket: `ESTAB`, `CLOSE-WAIT`, `LISTEN`, … */
    state: Type.Optional(Type.String({ maxLength: 64 })),
    count: Type.Integer({ minimum: 1 }),
    bytes: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type HeldResource = Static<typeof HeldResource>;

export const ResourcesContent = Type.Object(
  {
    kind: Type.Literal("resources"),
    recording: Recording,
    of: Type.Union([
      Type.Literal("descriptors"),
      Type.Literal("sockets"),
      Type.Literal("handles"),
      Type.Literal("heap"),
    ]),
    /** The table is of one process, not of a whole machine. */
    isOfProcess: Type.Boolean(),
    held: Type.Array(HeldResource),
    /** Numbers about the whole, such as `heap.usedBytes` or `descriptors.limit`. */
    figures: Type.Record(Type.String(), Type.Number()),
  },
  { additionalProperties: false },
);
export type ResourcesContent = Static<typeof ResourcesContent>;
