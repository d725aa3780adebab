/** All that crosses a process of Faultline: schemas, ids, error codes. */

export * from "./api/cases.ts";
export * from "./api/identity.ts";
export * from "./api/overview.ts";
export * from "./api/telemetry.ts";
export * from "./errors.ts";
export * from "./ids.ts";
export * from "./roles.ts";
