/** Fields that chat completions and responses spell alike; they pass as they are. */

import type { Passage } from "../fields/field-table.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { optionalText } from "./request-values.ts";

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

/** The one id of a user that messages has: `user` before `safety_identifier`, which the OpenAI surfaces both have. */
export function readUserId(request: JsonObject, passage: Passage): string | undefined {
  const user = optionalText(request["user"], "/user");
  const identifier = optionalText(request["safety_identifier"], "/safety_identifier");
  if (passage.to !== "messages") return user;
  if (user !== undefined && identifier !== undefined) {
    passage.losses.add("/safety_identifier", "messages has one id of a user, and /user is it");
  }
  return user ?? identifier;
}
