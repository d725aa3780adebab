/** A version of behaviour: how an application talks to models, as one document. */

import { type Static, Type } from "typebox";

export const BundleContent = Type.Object(
  {
    kind: Type.Literal("bundle"),
    name: Type.String({ maxLength: 256 }),
    /** Counted from 1 by the store that keeps it; absent of a file that nobody stored yet. */
    version: Type.Optional(Type.Integer({ minimum: 1 })),
    /** As its store says it: `sha256:` and 64 hexadecimal digits over the canonical JSON of the document. */
    hash: Type.Optional(Type.String({ pattern: "^sha256:[0-9a-f]{64}$" })),
    /** When it was stored, in microseconds since 1970. */
    timeMicros: Type.Optional(Type.Number({ minimum: 0 })),
    /** Targets, parameters, prompt, tools, retrieval, safety, deadlines; contracts narrow what they read. */
    document: Type.Record(Type.String(), Type.Unknown()),
  },
  { additionalProperties: false },
);
export type BundleContent = Static<typeof BundleContent>;
