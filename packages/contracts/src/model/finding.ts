/** A finding: one verdict of one contract about one subject. */

import { type Static, Type } from "typebox";

import { EvidenceReference } from "./evidence.ts";

/** The boundaries of the design, in the order in which a case checks them. */
export const boundaries = [
  "dataset-loss",
  "tensor-operator",
  "client-server",
  "process-resource",
  "resolver-database",
  "service-service",
  "pod-scheduler",
  "service-endpoints",
  "model-tokenizer",
  "release-release",
  "model-tool",
  "document-prompt",
  "tenant-compute",
  "code-host",
] as const;
export const Boundary = Type.Union(boundaries.map((name) => Type.Literal(name)));
export type Boundary = (typeof boundaries)[number];

export const Verdict = Type.Union([
  Type.Literal("violated"),
  Type.Literal("holds"),
  Type.Literal("inconclusive"),
]);
export type Verdict = Static<typeof Verdict>;

/** What can cause a failure. A symptom, such as latency or an error rate, is never a cause. */
export const CauseKind = Type.Union([
  Type.Literal("change"),
  Type.Literal("configuration"),
  Type.Literal("capacity"),
  Type.Literal("identity"),
  Type.Literal("dependency"),
  Type.Literal("data"),
  Type.Literal("none"),
]);
export type CauseKind = Static<typeof CauseKind>;

/** What a verdict is about. `name` is stable across snapshots of the same system, so that before and after compare. */
export const Subject = Type.Object(
  {
    /** For example `operation`, `pod`, `tool-call`. */
    kind: Type.String({ maxLength: 64 }),
    name: Type.String({ maxLength: 1_024 }),
  },
  { additionalProperties: false },
);
export type Subject = Static<typeof Subject>;

export const Fix = Type.Object(
  {
    description: Type.String({ maxLength: 2_048 }),
    /** The smaller the cost, the smaller the change; the contract's page publishes its table. */
    cost: Type.Optional(Type.Number({ minimum: 0 })),
    /** Whether the check was run again with this change applied and held. */
    verified: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type Fix = Static<typeof Fix>;

export const Finding = Type.Object(
  {
    contract: Type.String({ pattern: "^[a-z0-9-]+/[a-z0-9-]+$" }),
    contractVersion: Type.Integer({ minimum: 1 }),
    boundary: Type.Unsafe<Boundary>(Boundary),
    verdict: Verdict,
    subject: Subject,
    /** One sentence that names the fault, the good state, or what is missing. */
    title: Type.String({ maxLength: 1_024 }),
    expected: Type.String({ maxLength: 4_096 }),
    actual: Type.String({ maxLength: 4_096 }),
    causeKind: CauseKind,
    /** Facts behind the verdict, such as counts and durations, named with their unit. */
    measures: Type.Record(
      Type.String(),
      Type.Union([Type.Number(), Type.String(), Type.Boolean()]),
    ),
    evidence: Type.Array(EvidenceReference, { maxItems: 256 }),
    /** What would have to be there for a firm verdict. Never empty when inconclusive. */
    missing: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 64 }),
    fixes: Type.Array(Fix, { maxItems: 64 }),
    nextChecks: Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 64 }),
  },
  { additionalProperties: false },
);
export type Finding = Static<typeof Finding>;
