/** The checkers of Faultline and the evidence types they read. Pure, deterministic, browser-safe. */

export type { Contract } from "./model/contract.ts";
export * from "./model/evidence.ts";
export * from "./model/finding.ts";
export * from "./model/snapshot.ts";
export * from "./model/span.ts";
