/** Tables of telemetry. */

// eslint-disable-next-line typescript/no-empty-object-type -- filled by the domain's first migration
export interface TelemetryTables {}
