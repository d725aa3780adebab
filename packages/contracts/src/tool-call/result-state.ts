/** What a tool's result says about how the call went. */

import type { ToolResult } from "../model/evidence.ts";
import { type Fields, isFields } from "../model/fields.ts";
import { parsedBounded } from "./conversation/parse-arguments.ts";

/** `unknown` is a result that may be about a failure of something else than the call. */
export type ResultState = "error" | "denied" | "empty" | "fine" | "unknown";

/** Text of a result that is looked at. */
const textLengthMax = 262_144;
const partCountMax = 1_000;

/** Fields that an error may have and that say nothing about anything else. */
const envelopeNames = new Set(
  `code correlation_id data description detail details documentation_url error error_code error_description error_message
  error_type errors hint http_status instance is_error iserror message msg name next_actions next_steps ok path reason
  request_id requestid result retry_after retryable stack status status_code statuscode success suggestion suggestions
  timestamp title trace traceback type`.split(/\s+/),
);
/** A longer text is content that tells of errors, such as a log. */
const errorLineCountMax = 8;
const errorText =
  /^\s{0,20}(?:(?:[A-Za-z]\w{0,60})?(?:Error|Exception)\s*[:\-–—(]|errors?\s*[:\-–—]|fatal(?: error)?\s*:|traceback \(most recent call last\)|failed to \w|failure:|http(?: error)? [45]\d\d\b|[45]\d\d [A-Z][a-z]+|tool (?:call|execution) failed|error (?:executing|calling|while|occurred|in tool))/i;
const denialText =
  /\b(?:permission denied|access denied|not (?:allowed|permitted|authori[sz]ed)|unauthori[sz]ed|denied by|forbidden|blocked by|refused by|requires approval|(?:user|operator|human|policy) (?:has )?(?:rejected|declined|denied|refused|doesn't want))\b/i;

/** How a call went, by its result. */
export function stateOf(result: ToolResult): ResultState {
  if (result.isDenied === true) return "denied";
  const text = resultText(result);
  const value = resultValue(result);
  if (result.isError || isErrorValue(value) || (!isStructured(value) && isErrorText(text))) {
    return denialText.test(text.slice(0, 2_000)) ? "denied" : "error";
  }
  if (isEmpty(value, text)) return "empty";
  return isFields(value) && (hasError(value) || value["success"] === false) ? "unknown" : "fine";
}

const pendingWords =
  /^(?:running|pending|queued|waiting|in[ _-]?progress|processing|starting|started|building|not[ _-]?ready|scheduled)$/i;

/** Whether a result says of what was asked about that it is still under way: whoever asks again is waiting. */
export function saysPending(result: ToolResult): boolean {
  const value = resultValue(result);
  if (!isFields(value)) return false;
  return ["status", "state", "phase", "progress"].some((name) => {
    const word = value[name];
    return typeof word === "string" && pendingWords.test(word);
  });
}

function isErrorText(text: string): boolean {
  if (!errorText.test(text)) return false;
  return /^\s*Traceback/.test(text) || text.slice(0, 4_096).split("\n").length <= errorLineCountMax;
}

/** The text of a result: what the model reads. */
export function resultText({ content }: ToolResult): string {
  return textOf(content).slice(0, textLengthMax);
}

/** The value of a result: JSON, also where it stands in text or in one part of text. */
export function resultValue({ content }: ToolResult): unknown {
  if (typeof content === "string") return valueOfText(content);
  if (Array.isArray(content) && content.length > 0 && content.every(isTextPart)) {
    return content.length === 1 ? valueOfText(textOf(content)) : textOf(content);
  }
  // A wrapper with one field that holds the result as text or value.
  if (isFields(content)) {
    const names = Object.keys(content);
    const only = names.length === 1 ? content[names[0] ?? ""] : undefined;
    const isWrapper =
      names[0] === "result" ||
      names[0] === "output" ||
      names[0] === "content" ||
      names[0] === "json";
    if (isWrapper && only !== undefined)
      return resultValue({ content: only, isError: false, pointer: "" });
  }
  return content;
}

function valueOfText(text: string): unknown {
  return /^\s*[{["\d-]|^\s*(?:true|false|null)\s*$/.test(text)
    ? (parsedBounded(text) ?? text)
    : text;
}

function isTextPart(part: unknown): boolean {
  return isFields(part) && typeof part["text"] === "string";
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (content === null || content === undefined) return "";
  if (Array.isArray(content) && content.every(isTextPart)) {
    return content
      .slice(0, partCountMax)
      .map((part) => (isFields(part) ? String(part["text"]) : ""))
      .join("\n");
  }
  return JSON.stringify(content);
}

function isStructured(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/** An object that says of itself that the call failed, and says nothing else. */
function isErrorValue(value: unknown): boolean {
  if (!isFields(value)) return false;
  const names = Object.keys(value).map((name) => name.toLowerCase());
  if (!names.every((name) => envelopeNames.has(name))) return false;
  const { status } = value;
  return (
    hasError(value) ||
    value["success"] === false ||
    value["ok"] === false ||
    value["isError"] === true ||
    (typeof status === "string" && /^(?:error|failed|failure)$/i.test(status)) ||
    [status, value["status_code"], value["statusCode"], value["http_status"], value["code"]].some(
      isErrorCode,
    )
  );
}

function isErrorCode(code: unknown): boolean {
  return typeof code === "number" && code >= 400 && code < 600;
}

function hasError(value: Fields): boolean {
  const error = value["error"] ?? value["errors"] ?? value["error_message"];
  if (Array.isArray(error)) return error.length > 0;
  return error !== undefined && error !== null && error !== false && error !== "" && error !== 0;
}

function isEmpty(value: unknown, text: string): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (!isFields(value)) return text.trim() === "";
  const fields = Object.entries(value);
  const lists = fields.filter(([, field]) => Array.isArray(field));
  const isEmptyList =
    lists.length === 1 && lists.every(([, field]) => Array.isArray(field) && field.length === 0);
  return fields.length === 0 || (isEmptyList && fields.length <= 4);
}
