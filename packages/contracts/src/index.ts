/** The checkers of Faultline and the evidence types they read. Pure, deterministic, browser-safe. */

export {
  operationName,
  type OutgoingCall,
  requestsOf,
  type ServedRequest,
} from "./calls/requests.ts";
export { requestsSucceed } from "./calls/requests-succeed.ts";
export { checkSnapshot, ContractFailure } from "./check.ts";
export { repeatedQuery } from "./fan-out/repeated-query/repeated-query.ts";
export { invoiceEntryPrefix } from "./ledger/invoice-entry-id.ts";
export {
  InvoiceSettlements,
  type InvoiceStanding,
  type SettlingEntry,
} from "./ledger/invoice-settlement.ts";
export { UnconvertedProviders } from "./ledger/unconverted-providers.ts";
export { type ResolverPath, resolverPathOf } from "./traces/resolver-path.ts";
export type { Contract, ContractOption, OptionValue } from "./model/contract.ts";
export {
  type ContractDefinition,
  ContractOptionError,
  defineContract,
} from "./model/define-contract.ts";
export {
  type LogTemplate,
  type MinedTemplates,
  mineTemplates,
  templateDefaults,
  type TemplateOptions,
} from "./logs/templates.ts";
export { type FindingParts, makeFinding } from "./model/make-finding.ts";
export * from "./model/bundle.ts";
export * from "./model/changes.ts";
export * from "./model/evidence.ts";
export * from "./model/finding.ts";
export * from "./model/goroutines.ts";
export * from "./model/incident.ts";
export * from "./model/ledger.ts";
export * from "./model/log.ts";
export * from "./model/metric.ts";
export * from "./model/model-release.ts";
export * from "./model/operators.ts";
export * from "./model/outputs.ts";
export * from "./model/profile.ts";
export * from "./model/recording.ts";
export * from "./model/resources.ts";
export * from "./model/snapshot.ts";
export * from "./model/span.ts";
export * from "./model/topology.ts";
export * from "./model/training.ts";
export { EvidenceError, type EvidenceErrorOptions } from "./readers/evidence-error.ts";
export {
  decodeOtlpLogs,
  decodeOtlpMetrics,
  decodeOtlpTraces,
  type OtlpEncoding,
  type OtlpLogs,
  type OtlpMetrics,
  type OtlpResult,
  type OtlpTraces,
  OtlpTraceStream,
  type Rejected,
} from "./readers/otlp/otlp.ts";
export { contracts, controls, findContract, inBoundaryOrder } from "./registry.ts";
export { roundPercent } from "./text/number-words.ts";
export { canonicalJson } from "./snapshot/canonical-json.ts";
export { createSnapshot, snapshotOf, type SnapshotPart } from "./snapshot/create-snapshot.ts";
export { type CreateHasher, evidenceIdOf, type Hasher } from "./snapshot/evidence-id.ts";
export { decodeSnapshotFile, encodeSnapshotFile } from "./snapshot/file.ts";
export {
  type EvidenceFile,
  EvidenceReader,
  type EvidenceSink,
  readEvidence,
  type ReadEvidence,
  type ReadOptions,
  type ReadProgress,
  type UnreadableFile,
} from "./readers/read-evidence.ts";
export { evidenceLimits, snapshotFileLimits } from "./readers/limits.ts";
export { compareWithBaseline, readBaseline } from "./report/baseline.ts";
export {
  type CheckOutcome,
  CheckReport,
  checkReport,
  type FailOn,
  failOnChoices,
} from "./report/check-report.ts";
export { evidenceWords } from "./report/evidence-words.ts";
export { junitReport } from "./report/junit-report.ts";
export { markdownReport } from "./report/markdown-report.ts";
export { type SarifLog, sarifReport, type SarifReportOptions } from "./report/sarif-report.ts";
export { printable } from "./report/terminal-text.ts";
export { textReport, type TextReportOptions } from "./report/text-report.ts";
export { nearestName } from "./text/nearest-name.ts";
export { plural } from "./text/plural.ts";
export { type RedactionKind, redactionKinds } from "./snapshot/placeholders.ts";
export { redactSnapshot, type RedactedSnapshot } from "./snapshot/redact.ts";
