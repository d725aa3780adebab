/** Replies that are not in the wire format that their provider should speak. */

import { PlatformError } from "@faultline/protocol";

import { type JsonObject, toObject, toText } from "../../wire/json-values.ts";
import { parseJson } from "../json-document.ts";
import { translationLimits } from "../translation-limits.ts";
import type { ProviderError } from "./reply-event.ts";

/** The failure of a reply; `what` says what was wrong with it. */
export function invalidReply(what: string, cause?: unknown): PlatformError {
  return new PlatformError(
    "provider_response_invalid",
    `The provider's reply cannot be translated: ${what}.`,
    cause === undefined ? {} : { cause },
  );
}

/** The JSON object in a reply or an event. Throws `provider_response_invalid`. */
export function parseReply(text: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw invalidReply("it is not JSON", error);
  }
  const object = toObject(value);
  if (object === undefined) throw invalidReply("it is not a JSON object");
  return object;
}

/** A name or an id. Throws `provider_response_invalid` when it is none or too long. */
export function replyName(value: unknown, what: string): string {
  const name = toText(value);
  if (name === undefined || name === "") throw invalidReply(`${what} is missing`);
  if (name.length > translationLimits.replyNameLengthMax) throw invalidReply(`${what} is too long`);
  return name;
}

/** A text, absent or null as "". Throws `provider_response_invalid` when it is something else. */
export function replyText(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  const text = toText(value);
  if (text === undefined) throw invalidReply(`${what} is not a text`);
  return text;
}

/** The error object of any surface: each has a message, and some of the rest. */
export function readProviderError(value: unknown): ProviderError {
  const error = toObject(value);
  const code = error?.["code"];
  const message = toText(error?.["message"]) ?? toText(value) ?? "The provider reported an error.";
  return {
    message: message.slice(0, translationLimits.errorMessageLengthMax),
    type: toText(error?.["type"])?.slice(0, translationLimits.replyNameLengthMax),
    code: (typeof code === "number" ? String(code) : toText(code))?.slice(
      0,
      translationLimits.replyNameLengthMax,
    ),
    param: toText(error?.["param"])?.slice(0, translationLimits.replyNameLengthMax),
  };
}
