/** Who emitted a record is stored once a day and named by its hash. */

import { createHash } from "node:crypto";

import type { Attributes } from "@faultline/contracts";

import { telemetryLimits } from "./limits.ts";
import { jsonText } from "./postgres-text.ts";

/** The fields of a record that say who emitted it. */
export interface Emitter {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version?: string };
}

/** Names origins. Records of one request share their resource object, so most lookups are by identity. */
export class OriginNames {
  readonly #known = new Map<Attributes, Map<string, Origin>>();

  of(emitter: Emitter): Origin {
    const { name, version } = emitter.scope;
    const scopeKey = JSON.stringify([name, version]);
    let scopes = this.#known.get(emitter.resource);
    if (scopes === undefined) {
      scopes = new Map();
      this.#known.set(emitter.resource, scopes);
    }
    let origin = scopes.get(scopeKey);
    if (origin === undefined) {
      const resource = jsonText(emitter.resource);
      const hash = createHash("sha256").update(`${resource}\n${scopeKey}`).digest("hex");
      origin = {
        id: hash.slice(0, 32),
        resource,
        scopeName: name,
        scopeVersion: version ?? null,
      };
      scopes.set(scopeKey, origin);
    }
    return origin;
  }
}

export interface Origin {
  /** The first 16 bytes of a SHA-256, in hexadecimal. */
  readonly id: string;
  readonly resource: string;
  readonly scopeName: string;
  readonly scopeVersion: string | null;
}

export const originColumns = [
  "tenant_id",
  "day",
  "id",
  "resource",
  "scope_name",
  "scope_version",
] as const;

/** The rows of origins that a commit needs, by key. */
export type OriginRows = Map<string, readonly (string | null)[]>;

/** Adds the row of an origin unless it is there. `day` is `YYYY-MM-DD`. */
export function addOrigin(
  rows: OriginRows,
  origin: Origin,
  place: { readonly tenantId: string; readonly day: string },
): void {
  const key = `${place.tenantId} ${place.day} ${origin.id}`;
  if (rows.has(key)) return;
  rows.set(key, [
    place.tenantId,
    `${place.day} 00:00:00+00`,
    origin.id,
    origin.resource,
    origin.scopeName,
    origin.scopeVersion,
  ]);
}

/** Remembers which origins were committed, so that they are not sent with every batch. */
export class StoredOrigins {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(keys: Iterable<string>): void {
    for (const key of keys) {
      // Forgetting all of them costs one repetition each, which the table leaves out.
      if (this.#keys.size >= telemetryLimits.originCountMax) this.#keys.clear();
      this.#keys.add(key);
    }
  }

  /** Forgets the origins of a day that was dropped. */
  forgetDay(day: string): void {
    for (const key of this.#keys) {
      if (key.split(" ")[1] === day) this.#keys.delete(key);
    }
  }
}
