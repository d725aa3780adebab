/** What the console's first page shows. */

import { type Static, Type } from "typebox";
import { Boundary, Verdict } from "@faultline/contracts/model";

import { CaseSummary } from "./cases.ts";

export const OverviewQuery = Type.Object(
  { windowMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_080 })) },
  { additionalProperties: false },
);
export type OverviewQuery = Static<typeof OverviewQuery>;

/** Operations of the gateway in one interval. Absent quantiles mean that nothing was measured. */
export const TrafficPoint = Type.Object(
  {
    at: Type.String({ format: "date-time" }),
    count: Type.Integer(),
    errorCount: Type.Integer(),
    timeToFirstTokenMsP50: Type.Optional(Type.Number()),
    timeToFirstTokenMsP95: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);
export type TrafficPoint = Static<typeof TrafficPoint>;

/** Calls between two parties as the stored spans show them. */
export const BoundaryEdge = Type.Object(
  {
    from: Type.String(),
    to: Type.String(),
    boundary: Type.Unsafe<Boundary>(Boundary),
    count: Type.Integer(),
    errorCount: Type.Integer(),
    durationMsP95: Type.Number(),
    /** Health by contract: `violated` while an open case holds a violated finding about this edge. */
    verdict: Type.Optional(Verdict),
    caseNumbers: Type.Array(Type.Integer()),
  },
  { additionalProperties: false },
);
export type BoundaryEdge = Static<typeof BoundaryEdge>;

export const Overview = Type.Object(
  {
    from: Type.String({ format: "date-time" }),
    to: Type.String({ format: "date-time" }),
    traffic: Type.Object(
      {
        count: Type.Integer(),
        errorCount: Type.Integer(),
        inputTokens: Type.Integer(),
        outputTokens: Type.Integer(),
        timeToFirstTokenMsP50: Type.Optional(Type.Number()),
        timeToFirstTokenMsP95: Type.Optional(Type.Number()),
        points: Type.Array(TrafficPoint, { maxItems: 200 }),
      },
      { additionalProperties: false },
    ),
    edges: Type.Array(BoundaryEdge, { maxItems: 200 }),
    spanCount: Type.Integer(),
    openCases: Type.Array(CaseSummary),
  },
  { additionalProperties: false },
);
export type Overview = Static<typeof Overview>;
