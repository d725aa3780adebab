/** Reservations of compute: jobs on devices, what they cost, where they run, and why they wait. */

import { type Static, Type } from "typebox";

const closed = { additionalProperties: false } as const;

const Micros = Type.String({ pattern: "^[0-9]{1,25}$" });
const Moment = Type.String({ format: "date-time" });
const ReservationId = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" });
const Name = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,63}$" });
const NodeId = Type.String({ maxLength: 64 });
const Count = Type.Integer({ minimum: 0 });

/** What each member of a job takes from the node that it stands on. */
export const ReservationMember = Type.Object(
  {
    deviceCount: Type.Integer({ minimum: 1, maximum: 1_024 }),
    cpuCores: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
    memoryGigabytes: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000 })),
  },
  closed,
);

export const ReserveComputeRequest = Type.Object(
  {
    /** The caller's; sent again with the same content it is the same reservation. */
    id: Type.Optional(ReservationId),
    deviceKind: Name,
    memberCount: Type.Optional(Type.Integer({ minimum: 1, maximum: 4_096 })),
    member: ReservationMember,
    /** Where it may run; absent is everywhere. */
    regions: Type.Optional(Type.Array(Name, { maxItems: 64 })),
    /** Whether no two members may stand on one node. */
    distinctNodes: Type.Optional(Type.Boolean()),
    /** Jobs of the tenant with the same group never share a node. */
    antiAffinityGroup: Type.Optional(Name),
    priority: Type.Optional(Type.Integer({ minimum: 0, maximum: 9 })),
    durationSeconds: Type.Integer({ minimum: 1, maximum: 2_592_000 }),
  },
  closed,
);
export type ReserveComputeRequest = Static<typeof ReserveComputeRequest>;

export const ComputeWait = Type.Union([
  Type.Object({ kind: Type.Literal("nodes") }, closed),
  Type.Object(
    {
      kind: Type.Literal("quota"),
      deviceCountMax: Count,
      usedDeviceCount: Count,
      askedDeviceCount: Count,
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("running-jobs"), runningJobCountMax: Count }, closed),
  Type.Object(
    {
      kind: Type.Literal("credit"),
      askedMicros: Micros,
      /** Below zero where others of the tenant's jobs come first. */
      spendableMicros: Type.String({ pattern: "^-?[0-9]{1,25}$" }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("capacity"), startAt: Moment, awaitedJobCount: Count }, closed),
  Type.Object({ kind: Type.Literal("turn"), headStartAt: Moment, fitsNow: Type.Boolean() }, closed),
  Type.Object({ kind: Type.Literal("earlier-job") }, closed),
]);
export type ComputeWait = Static<typeof ComputeWait>;

export const ComputeRemedy = Type.Union([
  Type.Object({ kind: Type.Literal("grant-credit"), amountMicros: Micros }, closed),
  Type.Object(
    { kind: Type.Literal("raise-quota"), deviceKind: Name, deviceCountMax: Count },
    closed,
  ),
  Type.Object({ kind: Type.Literal("raise-running-jobs"), runningJobCountMax: Count }, closed),
  Type.Object(
    {
      kind: Type.Literal("add-nodes"),
      /** Each of the size of one member. */
      nodeCount: Count,
      region: Type.String({ maxLength: 64 }),
    },
    closed,
  ),
  Type.Object({ kind: Type.Literal("shorten"), durationSeconds: Count }, closed),
  Type.Object({ kind: Type.Literal("wait"), untilAt: Moment, endedJobCount: Count }, closed),
]);
export type ComputeRemedy = Static<typeof ComputeRemedy>;

export const Reservation = Type.Object(
  {
    id: ReservationId,
    stage: Type.Union([
      Type.Literal("waiting"),
      Type.Literal("reserving"),
      Type.Literal("reserved"),
      Type.Literal("running"),
      Type.Literal("ended"),
    ]),
    /** How it ended. */
    end: Type.Optional(
      Type.Union([
        Type.Literal("completed"),
        Type.Literal("preempted"),
        Type.Literal("expired"),
        Type.Literal("silent"),
        Type.Literal("lost"),
        Type.Literal("withdrawn"),
        Type.Literal("overpriced"),
      ]),
    ),
    deviceKind: Name,
    memberCount: Count,
    member: ReservationMember,
    regions: Type.Array(Name, { maxItems: 64 }),
    distinctNodes: Type.Boolean(),
    antiAffinityGroup: Type.Optional(Name),
    priority: Count,
    durationSeconds: Count,
    currency: Type.Literal("USD"),
    /** The price of the whole reservation; while it waits, what it would cost if it were admitted now. */
    costMicros: Micros,
    /** The version of the price. */
    priceVersion: Type.Optional(Type.String({ maxLength: 256 })),
    submittedAt: Moment,
    admittedAt: Type.Optional(Moment),
    startedAt: Type.Optional(Moment),
    heardAt: Type.Optional(Moment),
    /** When what was reserved is used up; present while it is admitted. */
    endsAt: Type.Optional(Moment),
    placement: Type.Array(Type.Object({ nodeId: NodeId, memberCount: Count }, closed), {
      maxItems: 4_096,
    }),
    /** Of one that waits, where it was asked for alone: what binds, and what would let it start. */
    wait: Type.Optional(
      Type.Object(
        { binding: ComputeWait, remedies: Type.Array(ComputeRemedy, { maxItems: 128 }) },
        closed,
      ),
    ),
  },
  closed,
);
export type Reservation = Static<typeof Reservation>;

export const ReservationList = Type.Object(
  { reservations: Type.Array(Reservation, { maxItems: 1_000 }) },
  closed,
);
export type ReservationList = Static<typeof ReservationList>;

export const ReservationParams = Type.Object({ id: ReservationId }, closed);

export const ReservationHeartbeat = Type.Object(
  {
    /** Whether the work may go on; where not, it has to stop. */
    goesOn: Type.Boolean(),
    reservation: Reservation,
  },
  closed,
);
export type ReservationHeartbeat = Static<typeof ReservationHeartbeat>;
