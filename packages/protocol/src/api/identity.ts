/** Sessions and API keys. */

import { type Static, Type } from "typebox";

import { tenantIdPattern, uuidPattern } from "../ids.ts";
import { KeyTerms } from "../key-terms.ts";
import { Role } from "../roles.ts";

export const Principal = Type.Object(
  {
    tenantId: Type.String({ pattern: tenantIdPattern }),
    keyId: Type.String({ pattern: uuidPattern }),
    keyName: Type.String({ maxLength: 100 }),
    role: Role,
  },
  { additionalProperties: false },
);
export type Principal = Static<typeof Principal>;

export const CreateSessionRequest = Type.Object(
  { key: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);
export type CreateSessionRequest = Static<typeof CreateSessionRequest>;

export const KeyParams = Type.Object(
  { id: Type.String({ pattern: uuidPattern }) },
  { additionalProperties: false },
);
export type KeyParams = Static<typeof KeyParams>;

export const KeySummary = Type.Object(
  {
    id: Type.String({ pattern: uuidPattern }),
    name: Type.String({ maxLength: 100 }),
    role: Role,
    /** The first characters of the key, enough to recognise it. */
    prefix: Type.String({ maxLength: 64 }),
    terms: KeyTerms,
    createdAt: Type.String({ format: "date-time" }),
    expiresAt: Type.Optional(Type.String({ format: "date-time" })),
    revokedAt: Type.Optional(Type.String({ format: "date-time" })),
    lastUsedAt: Type.Optional(Type.String({ format: "date-time" })),
  },
  { additionalProperties: false },
);
export type KeySummary = Static<typeof KeySummary>;

export const CreateKeyRequest = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100 }),
    role: Role,
    /** Seconds from now; without it the key does not expire. */
    expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 315_360_000 })),
    terms: Type.Optional(KeyTerms),
  },
  { additionalProperties: false },
);
export type CreateKeyRequest = Static<typeof CreateKeyRequest>;

/** The secret is shown once, here, and stored only as a hash. */
export const CreatedKey = Type.Object(
  { key: KeySummary, secret: Type.String({ maxLength: 200 }) },
  { additionalProperties: false },
);
export type CreatedKey = Static<typeof CreatedKey>;

export const KeyList = Type.Object(
  { keys: Type.Array(KeySummary, { maxItems: 1_000 }) },
  { additionalProperties: false },
);
export type KeyList = Static<typeof KeyList>;
