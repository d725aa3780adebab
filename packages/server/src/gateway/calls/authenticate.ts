/** Authentication from memory: the key's hash in the snapshot. Nothing is remembered of keys that fail. */

import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

import type { Clock } from "#kernel/index.ts";
import { parseKey, PlatformError, refuseEndedKey, roleAllows } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import type { SnapshotKey } from "../snapshot.ts";

/** The keys of one snapshot, by what a caller sends. */
export class KeyTable {
  readonly #byHash: ReadonlyMap<string, SnapshotKey>;
  /** Of keys that were sent already, at most as many as there are: hashing costs more than the rest of authentication. */
  readonly #bySecret = new Map<string, SnapshotKey>();

  constructor(keys: readonly SnapshotKey[]) {
    this.#byHash = new Map(keys.map((key) => [key.hash, key]));
  }

  find(secret: string): SnapshotKey | undefined {
    const known = this.#bySecret.get(secret);
    if (known !== undefined) return known;
    const key = this.#byHash.get(hash("sha256", secret, "hex"));
    if (key !== undefined) this.#bySecret.set(secret, key);
    return key;
  }
}

/** Finds the key that a request carries. Throws `key_*` or `permission_denied`. */
export function authenticate(
  keys: KeyTable,
  headers: IncomingHttpHeaders,
  clock: Clock,
): SnapshotKey {
  const secret = readSecret(headers);
  const key = keys.find(secret);
  if (key === undefined) throw refuseUnknown(secret);
  const ended = refuseEndedKey(key, clock.nowMs());
  if (ended !== undefined) throw ended;
  if (!roleAllows(key.role, "model:call")) {
    throw new PlatformError(
      "permission_denied",
      `A key of role "${key.role}" may not call models.`,
      {
        hint: "Use a key of role service, engineer or admin.",
      },
    );
  }
  return key;
}

/** A bearer, as clients of OpenAI send it, or `x-api-key`, as those of Anthropic do. */
function readSecret({ authorization, "x-api-key": apiKey }: IncomingHttpHeaders): string {
  if (authorization === undefined && typeof apiKey === "string" && apiKey !== "") {
    if (apiKey.length <= gatewayLimits.keyLengthMax) return apiKey;
    throw new PlatformError("key_malformed", "The x-api-key header does not carry an API key.");
  }
  if (authorization === undefined || authorization === "") {
    throw new PlatformError("key_missing", "No API key came with the request.", {
      hint: "Send it as `Authorization: Bearer fl_…`.",
    });
  }
  const scheme = authorization.slice(0, 7).toLowerCase();
  const secret = authorization.slice(7).trim();
  if (scheme !== "bearer " || secret === "" || secret.length > gatewayLimits.keyLengthMax) {
    throw new PlatformError(
      "key_malformed",
      "The Authorization header does not carry an API key.",
      {
        hint: "Send it as `Authorization: Bearer fl_…`.",
      },
    );
  }
  return secret;
}

function refuseUnknown(secret: string): PlatformError {
  const parsed = parseKey(secret);
  if (parsed.kind === "ok") {
    return new PlatformError("key_unknown", "This API key is well formed but not known here.", {
      hint: "Check that it belongs to this installation: `faultline key list`.",
    });
  }
  const reason =
    parsed.kind === "malformed" ? parsed.reason : "its checksum does not match the rest of it";
  return new PlatformError("key_malformed", `This API key is mistyped: ${reason}.`, {
    hint: "Copy it again, whole.",
  });
}
