/** A log record, as OpenTelemetry defines it, in the form that the readers and the store share. */

import { type Static, Type } from "typebox";

import { AttributeValue, Attributes, InstrumentationScope } from "./span.ts";

export const LogRecord = Type.Object(
  {
    /** When it happened, or else when it was seen, in microseconds since the Unix epoch. */
    timeMicros: Type.Number({ minimum: 0 }),
    observedMicros: Type.Optional(Type.Number({ minimum: 0 })),
    /** 1 (trace) to 24 (fatal); 0 when the sender gave none. */
    severityNumber: Type.Integer({ minimum: 0, maximum: 24 }),
    severityText: Type.Optional(Type.String()),
    eventName: Type.Optional(Type.String()),
    body: Type.Unsafe<AttributeValue>(AttributeValue),
    traceId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{32}$" })),
    spanId: Type.Optional(Type.String({ pattern: "^[0-9a-f]{16}$" })),
    /** Resource attribute `service.name`, or `unknown_service`. */
    service: Type.String({ maxLength: 256 }),
    attributes: Attributes,
    resource: Attributes,
    scope: InstrumentationScope,
  },
  { additionalProperties: false },
);
export type LogRecord = Static<typeof LogRecord>;
