/**
 * What regions that share a tenant's account tell one another. The message is text under a seal that both sides make with a key
 * that they alone have; what is in the text is validated after the seal was.
 */

import { type Static, Type } from "typebox";

import { BudgetScope, LedgerAttribution, UsageKind, UseDetails } from "./ledger.ts";
import { closed, Count, Currency, Id, Micros, Moment, Name } from "./ledger-values.ts";

/** The name of a region. */
export const RegionName = Type.String({ pattern: "^[a-z][a-z0-9-]{0,31}$" });

/** A message between two regions. */
export const SealedMessage = Type.Object(
  {
    from: RegionName,
    to: RegionName,
    /** Made by who asks; the reply is sealed together with it. */
    nonce: Type.String({ pattern: "^[0-9a-f]{32}$" }),
    text: Type.String({ maxLength: 900_000 }),
    seal: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  },
  closed,
);
export type SealedMessage = Static<typeof SealedMessage>;

/** A moment that a date can be. */
const MomentMs = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000 });
/** Up to the largest single amount of the ledger: what stands in a document is done some day, so that it is refused before. */
const LimitMicros = Type.String({ pattern: "^(?:0|[1-9][0-9]{0,14}|10{15})$" });
const GivenMicros = Type.String({ pattern: "^(?:[1-9][0-9]{0,14}|10{15})$" });

const BudgetAmounts = Type.Array(Type.Object({ budgetId: Id, amountMicros: Micros }, closed), {
  maxItems: 1_000,
});
const DurationMs = Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER });

/** A step of an escrow. */
const RegionStep = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("lease"),
      id: Id,
      workerId: Id,
      epoch: Count,
      currency: Currency,
      amountMicros: Micros,
      minimumMicros: Micros,
      durationMs: DurationMs,
      budgets: BudgetAmounts,
      isEscrow: Type.Literal(true),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("renew-lease"),
      id: Id,
      leaseId: Id,
      epoch: Count,
      amountMicros: Micros,
      durationMs: DurationMs,
      budgets: BudgetAmounts,
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("report-lease"),
      id: Id,
      leaseId: Id,
      charges: Type.Array(
        Type.Object(
          {
            usageId: Id,
            usageKind: Type.Union([UsageKind, Type.Literal("unread")]),
            amountMicros: Micros,
            attribution: LedgerAttribution,
          },
          closed,
        ),
        { maxItems: 1_000 },
      ),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("shrink-lease"),
      id: Id,
      leaseId: Id,
      epoch: Count,
      amountMicros: Micros,
      budgets: BudgetAmounts,
    },
    closed,
  ),
]);

const BudgetWindowMs = Type.Union([
  Type.Object({ kind: Type.Literal("day") }, closed),
  Type.Object({ kind: Type.Literal("month") }, closed),
  Type.Object({ kind: Type.Literal("rolling"), durationMs: DurationMs }, closed),
  Type.Object({ kind: Type.Literal("total") }, closed),
]);

const GivenCredit = Type.Object(
  {
    currency: Currency,
    amountMicros: GivenMicros,
    priority: Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 }),
    expiresAtMs: Type.Optional(MomentMs),
  },
  closed,
);

const DocumentContent = Type.Union([
  Type.Object(
    {
      kind: Type.Literal("grant"),
      given: Type.Array(GivenCredit, { minItems: 1, maxItems: 100 }),
    },
    closed,
  ),
  Type.Object(
    {
      kind: Type.Literal("budget"),
      terms: Type.Object(
        {
          budgetId: Id,
          currency: Currency,
          scope: BudgetScope,
          window: BudgetWindowMs,
          limitMicros: LimitMicros,
          isHard: Type.Boolean(),
          thresholdPercents: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000 }), {
            maxItems: 8,
          }),
        },
        closed,
      ),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("budget-removed"), budgetId: Id }, closed),
  Type.Object({ kind: Type.Literal("line"), currency: Currency, limitMicros: LimitMicros }, closed),
]);

const GrantDocument = Type.Object(
  {
    key: Type.String({ minLength: 1, maxLength: 160 }),
    versions: Type.Array(
      Type.Object(
        {
          clock: Type.Record(
            RegionName,
            Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
          ),
          region: RegionName,
          editedAtMs: MomentMs,
          content: DocumentContent,
        },
        closed,
      ),
      { minItems: 1, maxItems: 32 },
    ),
  },
  closed,
);
const GrantDocuments = Type.Array(GrantDocument, { maxItems: 200 });

/** What a region sends to the home of an account. */
export const RegionExchange = Type.Object(
  {
    tenantId: Name,
    steps: Type.Array(RegionStep, { maxItems: 3 }),
    documents: GrantDocuments,
    /** Of the home's documents, up to which revision they are known. */
    heardRevision: Count,
    /** What uses were, by their ids. */
    details: Type.Record(Id, UseDetails),
  },
  closed,
);

/** What the home answers. The answers are those of its ledger. */
export const RegionExchangeReply = Type.Object(
  {
    answers: Type.Array(Type.Object({ id: Id, answer: Type.Object({ kind: Name }) }, closed), {
      maxItems: 3,
    }),
    documents: GrantDocuments,
    revision: Count,
    /** The home wants back what it lent: nothing more is borrowed, and all goes back that can. */
    isRecalled: Type.Optional(Type.Boolean()),
  },
  closed,
);

/** Credit that the home of an account lent to another region, and that is held here until that region has reported. */
export const RegionEscrow = Type.Object(
  {
    region: RegionName,
    currency: Currency,
    heldMicros: Micros,
    chargedMicros: Micros,
    /** Since the region was heard last; of one that was not heard since this process began, since then. */
    silentSeconds: Count,
    /** Present while it is recalled: nothing is lent before, nor before all has come back. */
    recalledUntil: Type.Optional(Moment),
    /** Whether that time is over, and what is held has not come back: it counts as spent until the region has reported. */
    isOverdue: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type RegionEscrow = Static<typeof RegionEscrow>;
export const RegionEscrowList = Type.Object(
  { escrows: Type.Array(RegionEscrow, { maxItems: 1_000 }) },
  closed,
);
export const RecallEscrowRequest = Type.Object(
  {
    region: RegionName,
    /** How long the region borrows nothing at least; default 600, and 0 ends a recall. */
    durationSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  },
  closed,
);

const ConflictKey = Type.String({ minLength: 1, maxLength: 160 });

/** A document of which edits contradict one another, and what holds meanwhile. */
export const GrantConflict = Type.Object(
  {
    key: ConflictKey,
    /** What holds until a person decides: the strictest of them; of grants all. */
    holds: Name,
    edits: Type.Array(
      Type.Object(
        {
          /** From 1 on; names the edit to `resolve`. */
          number: Type.Integer({ minimum: 1 }),
          region: RegionName,
          at: Moment,
          says: Name,
        },
        closed,
      ),
      { maxItems: 32 },
    ),
  },
  closed,
);
export type GrantConflict = Static<typeof GrantConflict>;
export const GrantConflictList = Type.Object(
  { conflicts: Type.Array(GrantConflict, { maxItems: 1_000 }) },
  closed,
);
export const ResolveConflictRequest = Type.Object(
  { key: ConflictKey, number: Type.Integer({ minimum: 1, maximum: 32 }) },
  closed,
);
export const ResolvedConflict = Type.Object({ key: ConflictKey, holds: Name }, closed);
