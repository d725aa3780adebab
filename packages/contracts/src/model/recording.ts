/** What tells recordings of one process apart: profiles, dumps and listings that were taken one after the other. */

import { type Static, Type } from "typebox";

export const Recording = Type.Object(
  {
    /** What is the same in the names of all recordings of one process, as its file is called. */
    series: Type.String({ maxLength: 256 }),
    /** The place in the series where the name tells it, ascending. */
    sequence: Type.Optional(Type.Number({ minimum: 0 })),
    /** When it was taken, in microseconds since 1970, where the recording or its name says so. */
    timeMicros: Type.Optional(Type.Number({ minimum: 0 })),
  },
  { additionalProperties: false },
);
export type Recording = Static<typeof Recording>;
