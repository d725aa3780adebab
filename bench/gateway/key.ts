/** The key with which the gateway benchmark calls. */

import { hash } from "node:crypto";

import { formatKey, type KeyId, type TenantId } from "@faultline/protocol";
import type { SnapshotKey } from "@faultline/server/gateway/index.ts";
import { seededRandom } from "@faultline/server/kernel/index.ts";

// The literals are well formed.
export const benchTenant = "bench" as TenantId;
const keyId = "00000000-0000-7000-8000-000000000001" as KeyId;
const random = seededRandom("bench key");

export const benchKey = formatKey(benchTenant, (bound) => random.integer(bound));

export function benchKeyRow(key: string): SnapshotKey {
  return {
    id: keyId,
    tenantId: benchTenant,
    name: "bench",
    hash: hash("sha256", key, "hex"),
    role: "service",
    terms: {},
    expiresAtMs: undefined,
    revokedAtMs: undefined,
  };
}
