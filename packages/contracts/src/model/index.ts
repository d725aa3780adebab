/** The types of evidence and findings alone, for who shows or stores them and checks nothing. */

export * from "./bundle.ts";
export * from "./changes.ts";
export * from "./evaluation.ts";
export * from "./evidence.ts";
export * from "./finding.ts";
export * from "./goroutines.ts";
export * from "./incident.ts";
export * from "./ledger.ts";
export * from "./log.ts";
export * from "./metric.ts";
export * from "./model-release.ts";
export * from "./operators.ts";
export * from "./outputs.ts";
export * from "./profile.ts";
export * from "./recording.ts";
export * from "./resources.ts";
export * from "./snapshot.ts";
export * from "./span.ts";
export * from "./topology.ts";
export * from "./training.ts";
export { canonicalJson } from "../snapshot/canonical-json.ts";
export { nearestName } from "../text/nearest-name.ts";
