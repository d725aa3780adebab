/** Fields that chat completions and responses spell alike; they pass as they are. */

import type { JsonObject } from "../json-document.ts";

const names = [
  "metadata",
  "store",
  "service_tier",
  "prompt_cache_key",
  "prompt_cache_retention",
  "prompt_cache_options",
  "moderation",
  "safety_identifier",
] as const;

/** Those that the request has, of what its table admitted. */
export function sharedFields(request: JsonObject): JsonObject {
  return Object.fromEntries(
    names.flatMap((name) => (request[name] === undefined ? [] : [[name, request[name]]])),
  );
}
