/** What monitors said of an incident: alerts, reports of a status page, and counts of log patterns against a baseline. */

import { type Static, Type } from "typebox";

const moment = Type.Number({ minimum: 0 });
const name = Type.String({ maxLength: 256 });

export const Alert = Type.Object(
  {
    /** When it fired. */
    timeMicros: Type.Optional(moment),
    service: Type.Optional(name),
    metric: Type.Optional(Type.String({ maxLength: 1_024 })),
    threshold: Type.Optional(Type.Number()),
    observed: Type.Optional(Type.Number()),
    severity: Type.Optional(Type.String({ maxLength: 64 })),
    summary: Type.String({ maxLength: 4_096 }),
  },
  { additionalProperties: false },
);
export type Alert = Static<typeof Alert>;

/** An entry of a status page: of a provider, or of those who run the infrastructure. */
export const StatusReport = Type.Object(
  {
    timeMicros: Type.Optional(moment),
    component: Type.String({ maxLength: 512 }),
    status: Type.String({ maxLength: 64 }),
    detail: Type.String({ maxLength: 4_096 }),
  },
  { additionalProperties: false },
);
export type StatusReport = Static<typeof StatusReport>;

/** How often lines of one form were logged, and how many more than in a baseline. */
export const LogPattern = Type.Object(
  {
    text: Type.String({ maxLength: 4_096 }),
    service: Type.Optional(name),
    count: Type.Number({ minimum: 0 }),
    growth: Type.Optional(Type.Number()),
  },
  { additionalProperties: false },
);
export type LogPattern = Static<typeof LogPattern>;

export const IncidentContent = Type.Object(
  {
    kind: Type.Literal("incident"),
    /** When it began, where that is known from elsewhere, as of a fault that was injected. */
    beganMicros: Type.Optional(moment),
    alerts: Type.Array(Alert, { maxItems: 10_000 }),
    statuses: Type.Array(StatusReport, { maxItems: 10_000 }),
    patterns: Type.Array(LogPattern, { maxItems: 10_000 }),
  },
  { additionalProperties: false },
);
export type IncidentContent = Static<typeof IncidentContent>;
