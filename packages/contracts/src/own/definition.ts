/** The file of own contracts as data, before its expressions are compiled. */

import { type Static, Type } from "typebox";

import { Boundary, CauseKind, Verdict } from "../model/finding.ts";

/** Limits of one file. */
export const ownContractLimits = {
  fileBytesMax: 1024 * 1024,
  contractCountMax: 200,
  exampleCountMax: 50,
  aliasCountMax: 100,
} as const;

const Text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

/** Evidence in small, and what the contract must say about it. */
export const Example = Type.Object(
  {
    name: Text(200),
    /** Documents of any known format: text as it stands in a file, or a value that is written as JSON. */
    evidence: Type.Array(Type.Unknown(), { minItems: 1, maxItems: 20 }),
    verdict: Type.Union([...Verdict.anyOf, Type.Literal("nothing")]),
    /** The subject of the verdict, where it matters. */
    subject: Type.Optional(Text(1_024)),
  },
  { additionalProperties: false },
);
export type Example = Static<typeof Example>;

export const ContractDocument = Type.Object(
  {
    id: Type.String({ pattern: "^[a-z0-9-]+/[a-z0-9-]+$", maxLength: 128 }),
    version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    promise: Text(1_000),
    boundary: Type.Unsafe<Static<typeof Boundary>>(Boundary),
    /** What it is asked over: one of the populations. */
    over: Text(32),
    /** Which of them it concerns; all when absent. Where it asks for what is not there, the item does not concern it. */
    where: Type.Optional(Text(8_192)),
    /** What must be true of each. */
    expect: Text(8_192),
    /** An expression for the name under which findings are gathered. */
    subject: Type.Optional(Text(8_192)),
    /** What is wrong, with `{{ expressions }}`. */
    message: Type.Optional(Text(2_000)),
    /** What to change, with `{{ expressions }}`. */
    fix: Type.Optional(Text(2_000)),
    causeKind: Type.Optional(Type.Unsafe<Static<typeof CauseKind>>(CauseKind)),
    nextChecks: Type.Optional(Type.Array(Text(1_000), { maxItems: 20 })),
    examples: Type.Optional(Type.Array(Example, { maxItems: ownContractLimits.exampleCountMax })),
  },
  { additionalProperties: false },
);
export type ContractDocument = Static<typeof ContractDocument>;

export const ContractsFile = Type.Object(
  {
    contracts: Type.Array(ContractDocument, {
      minItems: 1,
      maxItems: ownContractLimits.contractCountMax,
    }),
  },
  { additionalProperties: false },
);
export type ContractsFile = Static<typeof ContractsFile>;
