/** The contract tool-call/result-quality: a failed call says what failed in a form that the model can act on. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { type Fields, isFields } from "../model/fields.ts";
import type { Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { resultText, resultValue, stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { Verdicts } from "./verdicts.ts";

export const resultQuality: Contract = defineContract({
  id: "tool-call/result-quality",
  version: 1,
  boundary: "model-tool",
  promise:
    "The result of a failed call has a message that names the fault, and a code or what may be done next.",
  reads: ["transcript", "trace"],
  options: {
    messageWordCountMin: {
      default: 3,
      description: "Words that a message must have to name a fault.",
    },
  },
  check(snapshot, { messageWordCountMin }, found) {
    const verdicts = new Verdicts();
    for (const { exchanges } of conversationsOf(snapshot)) {
      for (const exchange of exchanges) judge(exchange, messageWordCountMin, verdicts);
    }
    return verdicts.findings(found, {
      holds: "failed with a message and a code or a next step",
      nextCheck: "Read the result as the model does.",
    });
  },
});

type Flaw = "empty-error" | "html-error" | "stack-trace" | "no-message" | "unmarked-page";

function judge(exchange: Exchange, wordCountMin: number, verdicts: Verdicts): void {
  const { result, tool, reference } = exchange;
  if (result === undefined) return;
  const state = stateOf(result);
  const text = resultText(result);
  const isQuoted = !result.isError && traitsOf(tool, exchange.definition).isQuoting;
  if (isQuoted && state === "error") return;
  const flaw = state === "error" ? flawOf(text, resultValue(result), wordCountMin) : pageOf(text);
  const resultReference = { evidenceId: reference.evidenceId, locator: result.pointer };
  if (flaw !== undefined) {
    verdicts.violated({
      tool,
      fault: flaw,
      ...words[flaw],
      expected:
        "an error with a status, a code, a message that names the fault, and what may be done next",
      causeKind: "dependency",
      nextCheck: "See what the model did with this result: it could only guess.",
      evidence: [resultReference, reference],
    });
    return;
  }
  const value = resultValue(result);
  if ((state === "error" || state === "denied") && isFields(value) && hasCode(value)) {
    verdicts.fits(tool, resultReference);
  }
}

const words: Readonly<Record<Flaw, { what: string; actual: string; fix: string }>> = {
  "empty-error": {
    what: "failed with an empty result",
    actual: "nothing",
    fix: "Return a message that names the fault, a code, and what may be done next.",
  },
  "html-error": {
    what: "failed with a page of HTML",
    actual: "HTML",
    fix: "Turn the answer of the server into a status, a code and a message before the model reads it.",
  },
  "unmarked-page": {
    what: "returned a server's error page as its result, not marked as an error",
    actual: "HTML of an error page",
    fix: "Treat the status of the server's answer as an error of the call, and return it as one.",
  },
  "stack-trace": {
    what: "failed with a stack trace",
    actual: "a stack trace",
    fix: "Return the exception's message and a code; keep the stack for the log.",
  },
  "no-message": {
    what: "failed without saying what failed",
    actual: "an error without a message that names the fault, and without a code",
    fix: "Say what was wrong with which argument or where, and what may be done next.",
  },
};

const generic =
  /^\s*(?:error|failed|failure|false|null|none|undefined|exception|unknown(?: error)?|(?:an )?(?:internal )?(?:server )?error(?: occurred)?|something went wrong|an (?:unexpected |unknown )?error (?:has )?occurred|tool (?:call |execution )?failed|request failed|\[object object\])[\s.!:]*$/i;

function flawOf(text: string, value: unknown, wordCountMin: number): Flaw | undefined {
  if (isFields(value)) {
    if (hasCode(value)) return undefined;
    const message = messageOf(value, 0);
    if (message === undefined) return "no-message";
    return flawOfText(message, wordCountMin);
  }
  return flawOfText(text, wordCountMin);
}

function flawOfText(text: string, wordCountMin: number): Flaw | undefined {
  if (text.trim() === "" || text.trim() === "null") return "empty-error";
  if (isPage(text)) return "html-error";
  if (isStack(text)) return "stack-trace";
  const isNamed = /\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b|\b[45]\d\d\b|\b[a-z]+_[a-z_]+\b/.test(text);
  const count = (text.match(/[\p{L}\p{N}]+/gu) ?? []).length;
  return generic.test(text) || (count < wordCountMin && !isNamed) ? "no-message" : undefined;
}

/** Titles of the pages that servers and proxies send instead of what was asked for, and not of pages about errors. */
const failedTitle =
  /<(?:title|h1)>\s{0,20}(?:(?:http )?(?:status |error )?(?:code )?:?\s?[45]\d\d\b[\s:|–—-]{0,5}(?:error|not found|forbidden|unauthori[sz]ed|bad |internal |service |gateway |request |too many |method |not acceptable|conflict|gone|<)|(?:bad gateway|service (?:temporarily )?unavailable|gateway time-?out|internal server error|forbidden|access denied|not found|error|application error|server error|attention required[^<]{0,20})[.!]?\s{0,20}<)/i;

/** A page that says of itself that the request failed. */
function pageOf(text: string): Flaw | undefined {
  return isPage(text) && failedTitle.test(text) ? "unmarked-page" : undefined;
}

function isPage(text: string): boolean {
  return /^\s*(?:<!doctype html|<html)\b/i.test(text);
}

function isStack(text: string): boolean {
  const lines = text.slice(0, 20_000).split("\n").slice(0, 200);
  if (lines.some((line) => /^Traceback \(most recent call last\)|^goroutine \d+ \[/.test(line))) {
    return true;
  }
  return lines.filter((line) => /^\s{1,40}at .{1,300}:\d+/.test(line)).length >= 2;
}

function hasCode(value: Fields): boolean {
  const named = [
    "code",
    "error_code",
    "errorCode",
    "status_code",
    "statusCode",
    "http_status",
    "type",
    "error_type",
    "suggestion",
    "suggestions",
    "next_steps",
    "next_actions",
    "hint",
    "retry_after",
    "retryable",
  ];
  if (named.some((name) => value[name] !== undefined && value[name] !== null && value[name] !== ""))
    return true;
  if (typeof value["status"] === "number") return true;
  return isFields(value["error"]) && hasCode(value["error"]);
}

function messageOf(value: unknown, depth: number): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value;
  if (Array.isArray(value)) return messageOf(value[0], depth + 1);
  if (!isFields(value) || depth > 3) return undefined;
  for (const name of [
    "message",
    "error",
    "error_message",
    "detail",
    "details",
    "description",
    "reason",
    "msg",
    "title",
    "errors",
  ]) {
    const message = messageOf(value[name], depth + 1);
    if (message !== undefined) return message;
  }
  return undefined;
}
