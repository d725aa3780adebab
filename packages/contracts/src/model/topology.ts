/** Which service calls which, as somebody drew or exported it beside the traces. */

import { type Static, Type } from "typebox";

const service = Type.String({ maxLength: 256 });

export const TopologyContent = Type.Object(
  {
    kind: Type.Literal("topology"),
    calls: Type.Array(
      Type.Object({ from: service, to: service }, { additionalProperties: false }),
      { maxItems: 200_000 },
    ),
  },
  { additionalProperties: false },
);
export type TopologyContent = Static<typeof TopologyContent>;
