/** Tenants, keys and roles: who asks, and what they may do. */

export { hashKey } from "./hash-key.ts";
export { Identity, identityLimits, type IdentityParts, type KeySnapshot } from "./identity.ts";
export type { KeyRecord, Principal } from "./key-record.ts";
