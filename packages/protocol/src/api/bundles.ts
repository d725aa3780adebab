/** Behaviour bundles: versions, aliases with their roll-outs, and kill switches. */

import { type Static, Type } from "typebox";

import { BundleDocument, bundleHashPattern, bundleNamePattern } from "../bundle.ts";
import { uuidPattern } from "../ids.ts";

const closed = { additionalProperties: false } as const;
const Name = Type.String({ pattern: bundleNamePattern });
const Version = Type.Integer({ minimum: 1, maximum: 1_000_000 });
const Moment = Type.String({ format: "date-time" });
/** Who did it: the name and the id of a key. */
const Actor = Type.String({ maxLength: 300 });

export const PutBundleRequest = Type.Object({ name: Name, bundle: BundleDocument }, closed);
export type PutBundleRequest = Static<typeof PutBundleRequest>;

export const BundleVersionSummary = Type.Object(
  {
    name: Name,
    version: Version,
    hash: Type.String({ pattern: bundleHashPattern }),
    createdAt: Moment,
    actor: Actor,
  },
  closed,
);
export type BundleVersionSummary = Static<typeof BundleVersionSummary>;

export const BundleVersion = Type.Object(
  { summary: BundleVersionSummary, bundle: BundleDocument },
  closed,
);
export type BundleVersion = Static<typeof BundleVersion>;

/** `isNew` is false where the bundle had a version of this content already; that version is answered. */
export const PutBundleReply = Type.Object(
  { summary: BundleVersionSummary, isNew: Type.Boolean() },
  closed,
);
export type PutBundleReply = Static<typeof PutBundleReply>;

export const BundleList = Type.Object(
  { bundles: Type.Array(BundleVersionSummary, { maxItems: 200 }) },
  closed,
);
export type BundleList = Static<typeof BundleList>;

export const BundleParams = Type.Object({ name: Name }, closed);
export type BundleParams = Static<typeof BundleParams>;

/** Versions of one bundle, newest first. */
export const BundleVersionList = Type.Object(
  { versions: Type.Array(BundleVersionSummary, { maxItems: 1_000 }) },
  closed,
);
export type BundleVersionList = Static<typeof BundleVersionList>;

export const BundleVersionParams = Type.Object(
  { name: Name, version: Type.String({ pattern: "^(?:newest|[1-9][0-9]{0,5})$" }) },
  closed,
);
export type BundleVersionParams = Static<typeof BundleVersionParams>;

export const BundleDiffQuery = Type.Object(
  { from: Type.Optional(Version), to: Type.Optional(Version) },
  closed,
);
export type BundleDiffQuery = Static<typeof BundleDiffQuery>;

export const BundleChange = Type.Object(
  {
    /** A JSON pointer into the document. */
    path: Type.String({ maxLength: 2_048 }),
    /** Absent where the field is new. */
    before: Type.Optional(Type.Unknown()),
    /** Absent where the field is gone. */
    after: Type.Optional(Type.Unknown()),
  },
  closed,
);
export type BundleChange = Static<typeof BundleChange>;

export const BundleDiff = Type.Object(
  {
    from: BundleVersionSummary,
    to: BundleVersionSummary,
    changes: Type.Array(BundleChange, { maxItems: 1_000 }),
    /** How many more there are than are listed. */
    leftOutCount: Type.Integer({ minimum: 0 }),
  },
  closed,
);
export type BundleDiff = Static<typeof BundleDiff>;

/** A version with its share of an alias. */
export const WeightedVersion = Type.Object(
  { bundle: Name, version: Version, weight: Type.Integer({ minimum: 1, maximum: 1_000 }) },
  closed,
);
export type WeightedVersion = Static<typeof WeightedVersion>;

/** The shares of callers that a roll-out goes through. */
export const rolloutSteps = [1, 10, 50, 100] as const;
const RolloutStep = Type.Unsafe<(typeof rolloutSteps)[number]>(
  Type.Union(rolloutSteps.map((step) => Type.Literal(step))),
);

/** Where an alias points. */
export const AliasState = Type.Object(
  {
    versions: Type.Array(WeightedVersion, { minItems: 1, maxItems: 8 }),
    /** A version that is being rolled out, and the share of callers that it has. */
    rollout: Type.Optional(
      Type.Object({ bundle: Name, version: Version, percent: RolloutStep }, closed),
    ),
    /** The request header by which callers stick to a version; without it each request is drawn by itself. */
    stickyHeader: Type.Optional(Type.String({ pattern: "^[a-z0-9-]{1,64}$" })),
  },
  closed,
);
export type AliasState = Static<typeof AliasState>;

export const PutAliasRequest = Type.Object(
  {
    name: Name,
    versions: Type.Array(
      Type.Object(
        {
          bundle: Name,
          /** Default: the newest. */
          version: Type.Optional(Version),
          /** Default 1. */
          weight: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
        },
        closed,
      ),
      { minItems: 1, maxItems: 8 },
    ),
    stickyHeader: Type.Optional(Type.String({ pattern: "^[a-z0-9-]{1,64}$" })),
  },
  closed,
);
export type PutAliasRequest = Static<typeof PutAliasRequest>;

export const AliasParams = Type.Object({ name: Name }, closed);

export const RolloutRequest = Type.Object(
  {
    /** The bundle and version to roll out; both absent: the next step of the roll-out that runs. */
    bundle: Type.Optional(Name),
    /** Default: the newest. */
    version: Type.Optional(Version),
    /** Default: 1 for a new roll-out, the next step for one that runs. */
    percent: Type.Optional(RolloutStep),
  },
  closed,
);
export type RolloutRequest = Static<typeof RolloutRequest>;

export const RollbackRequest = Type.Object(
  {
    /** The revision whose state is restored; default: where the alias stood before. */
    revision: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
);
export type RollbackRequest = Static<typeof RollbackRequest>;

export const AliasRevision = Type.Object(
  {
    revision: Type.Integer({ minimum: 1 }),
    at: Moment,
    actor: Actor,
    action: Type.Union([Type.Literal("set"), Type.Literal("rollout"), Type.Literal("rollback")]),
    /** Of a rollback: the revision whose state it restored. */
    restoredRevision: Type.Optional(Type.Integer({ minimum: 1 })),
    state: AliasState,
  },
  closed,
);
export type AliasRevision = Static<typeof AliasRevision>;

export const BundleAlias = Type.Object({ name: Name, current: AliasRevision }, closed);
export type BundleAlias = Static<typeof BundleAlias>;

export const AliasList = Type.Object(
  { aliases: Type.Array(BundleAlias, { maxItems: 200 }) },
  closed,
);
export type AliasList = Static<typeof AliasList>;

/** An alias and its revisions, newest first. */
export const AliasDetail = Type.Object(
  { name: Name, revisions: Type.Array(AliasRevision, { maxItems: 1_000 }) },
  closed,
);
export type AliasDetail = Static<typeof AliasDetail>;

/** What a kill switch stops, for the tenant that sets it. */
export const KillKind = Type.Union([
  Type.Literal("alias"),
  Type.Literal("model"),
  Type.Literal("provider"),
  Type.Literal("tenant"),
]);
export type KillKind = Static<typeof KillKind>;

const killSubject = {
  kind: KillKind,
  /** The alias, the model as `provider/name`, or the provider; of the tenant, its id or nothing. */
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
};

export const KillRequest = Type.Object(
  { ...killSubject, reason: Type.String({ minLength: 1, maxLength: 1_024 }) },
  closed,
);
export type KillRequest = Static<typeof KillRequest>;

export const ReviveRequest = Type.Object(killSubject, closed);
export type ReviveRequest = Static<typeof ReviveRequest>;

export const KillSwitch = Type.Object(
  {
    id: Type.String({ pattern: uuidPattern }),
    kind: KillKind,
    name: Type.String({ maxLength: 256 }),
    reason: Type.String({ maxLength: 1_024 }),
    killedAt: Moment,
    killedBy: Actor,
    /** Absent while it holds. */
    revivedAt: Type.Optional(Moment),
    revivedBy: Type.Optional(Actor),
  },
  closed,
);
export type KillSwitch = Static<typeof KillSwitch>;

/** Those that hold first, then those that were revived, newest first. */
export const KillSwitchList = Type.Object(
  { killSwitches: Type.Array(KillSwitch, { maxItems: 1_000 }) },
  closed,
);
export type KillSwitchList = Static<typeof KillSwitchList>;
