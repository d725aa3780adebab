/** Cases: from a symptom to a proof. */

import { type Static, Type } from "typebox";
import {
  Boundary,
  CauseKind,
  EvidenceReference,
  Finding,
  Fix,
  Verdict,
} from "@faultline/contracts/model";

import { uuidPattern } from "../ids.ts";
import { ProviderInvoice } from "./ledger-reconciliation.ts";

export const CaseSubject = Type.Object(
  {
    /** A service, by its traces; or the tenant's ledger, by what it says of all its entries. */
    kind: Type.Union([Type.Literal("service"), Type.Literal("ledger")]),
    /** Of a ledger: what of it the case is about, such as an account, a hold or a use; or `all`. */
    name: Type.String({ minLength: 1, maxLength: 256 }),
    /** Narrows the case to one operation of the service. */
    operation: Type.Optional(Type.String({ maxLength: 1_024 })),
  },
  { additionalProperties: false },
);
export type CaseSubject = Static<typeof CaseSubject>;

export const OpenCaseRequest = Type.Object(
  {
    symptom: Type.String({ minLength: 1, maxLength: 1_024 }),
    subject: CaseSubject,
    /** The window of the symptom; `to` defaults to now. */
    from: Type.String({ format: "date-time" }),
    to: Type.Optional(Type.String({ format: "date-time" })),
    expected: Type.Optional(Type.String({ maxLength: 2_048 })),
    actual: Type.Optional(Type.String({ maxLength: 2_048 })),
    /** Of a case of the ledger: what a provider invoiced, which lies beside the ledger in each of its snapshots. */
    invoice: Type.Optional(ProviderInvoice),
  },
  { additionalProperties: false },
);
export type OpenCaseRequest = Static<typeof OpenCaseRequest>;

export const VerifyCaseRequest = Type.Object(
  {
    /** The window of the *after* snapshot: a time since the repair, at which its load ran. */
    from: Type.String({ format: "date-time" }),
    to: Type.Optional(Type.String({ format: "date-time" })),
  },
  { additionalProperties: false },
);
export type VerifyCaseRequest = Static<typeof VerifyCaseRequest>;

/** What was done against the symptom, apart from its cause. */
export const AddMitigationRequest = Type.Object(
  { text: Type.String({ minLength: 1, maxLength: 2_048 }) },
  { additionalProperties: false },
);
export type AddMitigationRequest = Static<typeof AddMitigationRequest>;

export const CloseCaseRequest = Type.Object(
  { reason: Type.String({ minLength: 1, maxLength: 2_048 }) },
  { additionalProperties: false },
);
export type CloseCaseRequest = Static<typeof CloseCaseRequest>;

/** `open`: evidence is frozen and hypotheses stand; `proved`: one is proved; `closed`: nobody works on it any more. */
export const CaseStatus = Type.Union([
  Type.Literal("open"),
  Type.Literal("proved"),
  Type.Literal("closed"),
]);
export type CaseStatus = Static<typeof CaseStatus>;

export const CaseQuery = Type.Object(
  {
    status: Type.Optional(CaseStatus),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
    cursor: Type.Optional(Type.String({ maxLength: 200 })),
  },
  { additionalProperties: false },
);
export type CaseQuery = Static<typeof CaseQuery>;

/** A case by its id or by its number. */
export const CaseParams = Type.Object(
  { id: Type.String({ pattern: `${uuidPattern}|^[1-9][0-9]{0,8}$` }) },
  { additionalProperties: false },
);
export type CaseParams = Static<typeof CaseParams>;

export const CaseSnapshotParams = Type.Object(
  {
    id: Type.String({ pattern: `${uuidPattern}|^[1-9][0-9]{0,8}$` }),
    snapshotId: Type.String({ pattern: "^sha256:[0-9a-f]{64}$" }),
  },
  { additionalProperties: false },
);
export type CaseSnapshotParams = Static<typeof CaseSnapshotParams>;

export const ReportQuery = Type.Object(
  { format: Type.Optional(Type.Union([Type.Literal("markdown"), Type.Literal("html")])) },
  { additionalProperties: false },
);
export type ReportQuery = Static<typeof ReportQuery>;

export const HypothesisStatus = Type.Union([
  Type.Literal("proposed"),
  Type.Literal("supported"),
  Type.Literal("proved"),
  Type.Literal("refuted"),
]);
export type HypothesisStatus = Static<typeof HypothesisStatus>;

export const Hypothesis = Type.Object(
  {
    id: Type.String({ pattern: uuidPattern }),
    /** 1 is the leading one. */
    rank: Type.Integer({ minimum: 1 }),
    status: HypothesisStatus,
    statement: Type.String({ maxLength: 2_048 }),
    causeKind: CauseKind,
    boundary: Type.Unsafe<Boundary>(Boundary),
    /** The contract whose verdict would prove or refute it. */
    contract: Type.String(),
    subject: Type.Object(
      { kind: Type.String(), name: Type.String() },
      { additionalProperties: false },
    ),
    evidenceFor: Type.Array(EvidenceReference),
    evidenceAgainst: Type.Array(EvidenceReference),
    missing: Type.Array(Type.String()),
    fixes: Type.Array(Fix),
    nextCheck: Type.String({ maxLength: 2_048 }),
  },
  { additionalProperties: false },
);
export type Hypothesis = Static<typeof Hypothesis>;

/** One condition that the *after* snapshot must meet before a verdict counts. */
export const CoverageCondition = Type.Object(
  {
    name: Type.String(),
    expected: Type.String(),
    actual: Type.String(),
    met: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type CoverageCondition = Static<typeof CoverageCondition>;

export const ContractComparison = Type.Object(
  { contract: Type.String(), before: Verdict, after: Verdict, summary: Type.String() },
  { additionalProperties: false },
);
export type ContractComparison = Static<typeof ContractComparison>;

export const Verification = Type.Object(
  {
    id: Type.String({ pattern: uuidPattern }),
    hypothesisId: Type.String({ pattern: uuidPattern }),
    verifiedAt: Type.String({ format: "date-time" }),
    outcome: Type.Union([
      Type.Literal("proved"),
      Type.Literal("not-repaired"),
      Type.Literal("inconclusive"),
    ]),
    /** Why the outcome is what it is, one sentence each. */
    reasons: Type.Array(Type.String()),
    contract: ContractComparison,
    control: ContractComparison,
    coverage: Type.Array(CoverageCondition),
    beforeSnapshot: Type.String(),
    afterSnapshot: Type.String(),
  },
  { additionalProperties: false },
);
export type Verification = Static<typeof Verification>;

export const CaseEvent = Type.Object(
  {
    sequence: Type.Integer({ minimum: 1 }),
    kind: Type.String(),
    at: Type.String({ format: "date-time" }),
    actor: Type.String(),
    summary: Type.String(),
  },
  { additionalProperties: false },
);
export type CaseEvent = Static<typeof CaseEvent>;

export const CaseSummary = Type.Object(
  {
    id: Type.String({ pattern: uuidPattern }),
    /** Counts up from 1 within the tenant; what people say aloud. */
    number: Type.Integer({ minimum: 1 }),
    status: CaseStatus,
    symptom: Type.String(),
    subject: CaseSubject,
    openedAt: Type.String({ format: "date-time" }),
    leadingHypothesis: Type.Optional(Hypothesis),
  },
  { additionalProperties: false },
);
export type CaseSummary = Static<typeof CaseSummary>;

export const CaseSnapshot = Type.Object(
  {
    /** `sha256:…` of the snapshot file, which can be downloaded. */
    id: Type.String(),
    role: Type.Union([Type.Literal("before"), Type.Literal("after")]),
    takenAt: Type.String({ format: "date-time" }),
    from: Type.String({ format: "date-time" }),
    to: Type.String({ format: "date-time" }),
    evidenceCount: Type.Integer(),
    traceCountSeen: Type.Integer(),
    traceCountKept: Type.Integer(),
    byteCount: Type.Integer(),
  },
  { additionalProperties: false },
);
export type CaseSnapshot = Static<typeof CaseSnapshot>;

export const CaseDetail = Type.Object(
  {
    summary: CaseSummary,
    expected: Type.Optional(Type.String()),
    actual: Type.Optional(Type.String()),
    from: Type.String({ format: "date-time" }),
    to: Type.String({ format: "date-time" }),
    mitigations: Type.Array(Type.String()),
    hypotheses: Type.Array(Hypothesis),
    /** What the contracts found on the *before* snapshot, in the design's order. */
    findings: Type.Array(Finding),
    snapshots: Type.Array(CaseSnapshot),
    verifications: Type.Array(Verification),
    events: Type.Array(CaseEvent),
  },
  { additionalProperties: false },
);
export type CaseDetail = Static<typeof CaseDetail>;

export const CaseList = Type.Object(
  { cases: Type.Array(CaseSummary), nextCursor: Type.Optional(Type.String()) },
  { additionalProperties: false },
);
export type CaseList = Static<typeof CaseList>;
