/** The `Idempotency-Key` of a request: whose it is, and which process owns it. */

import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import { type KeyTerms, PlatformError, type TenantId } from "@faultline/protocol";

import { askingHeaders } from "../calls/asking-headers.ts";
import type { KeyedRequest } from "../streams/reply-facts.ts";

export const idempotencyKeyHeader = "idempotency-key";
const keyLengthMax = 255;
const pattern = /^[\x21-\x7e]+$/;
/**
 * Keys are spread over this many journals, whatever the number of processes is: so that a key finds its journal again when
 * that number changes.
 */
const journalCount = 8;

/** SHA-256 of tenant and key, or nothing when none came. Throws `request_invalid`. */
export function readKeyHash(headers: IncomingHttpHeaders, tenantId: TenantId): string | undefined {
  const key = headers[idempotencyKeyHeader];
  if (key === undefined) return undefined;
  if (typeof key !== "string" || key.length > keyLengthMax || !pattern.test(key)) {
    throw new PlatformError(
      "request_invalid",
      `An Idempotency-Key has 1 to ${keyLengthMax} visible characters of ASCII.`,
      { where: idempotencyKeyHeader },
    );
  }
  return createHash("sha256").update(`${tenantId}\u0000${key}`).digest("hex");
}

/** The journal of a key. */
export function journalOfKey(keyHash: string): number {
  return Number.parseInt(keyHash.slice(0, 8), 16) % journalCount;
}

/** A request as it came. */
export interface RequestToKey {
  readonly method: string;
  /** Of the surface, which has one dialect. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Of the key that it came with. */
  readonly terms: Pick<KeyTerms, "models" | "bundles">;
}

/**
 * What must be the same for two requests to be one. What a key may ask for belongs to it: another key of the tenant must not
 * be given what it could not have asked for itself.
 */
export function keyedRequest(keyHash: string, request: RequestToKey): KeyedRequest {
  const { method, path, headers, body, terms } = request;
  const { models = null, bundles = null } = terms;
  const around = JSON.stringify([method, path, askingHeaders(headers), models, bundles]);
  const hash = createHash("sha256").update(around).update("\u0000");
  return { keyHash, requestHash: hash.update(body).digest("hex") };
}
