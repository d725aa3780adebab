/** How a call ended: with what, whether the callee answered, and whether another attempt makes sense. */

import type { Attributes, Span } from "../model/span.ts";
import { cutText } from "../text/cut-text.ts";
import { countOf, wordOf } from "./attribute-value.ts";
import {
  decisiveWordsOf,
  grpcCodes,
  otherWordsOf,
  type Retryability,
  retryabilityOfGrpc,
  retryabilityOfHttp,
} from "./error-table.ts";

export interface Outcome {
  readonly hasFailed: boolean;
  /** What it failed with, the same for each failure of its kind: `HTTP 503`, `UNAVAILABLE`, an error's name. */
  readonly code: string;
  readonly retry: Retryability;
  /** The caller's patience ended. */
  readonly isTimeout: boolean;
  /** The caller, or the caller's caller, left. */
  readonly isCancelled: boolean;
  /** `answered`: the callee said how it ended. `silent`: it may have done its work. `unreached`: it never began. */
  readonly answer: "answered" | "silent" | "unreached";
}

/** Characters of an error's words that are read. */
const wordsLengthMax = 1_024;

/** How the call of a span ended, in any of the conventions. */
export function outcomeOf(span: Span): Outcome {
  const { attributes } = span;
  const http = httpStatusOf(attributes);
  const grpc = grpcCodeOf(attributes);
  const flags = responseFlagsOf(attributes);
  const saysError =
    span.status.code === "error" ||
    attributes["error"] === true ||
    attributes["error"] === "true" ||
    (http !== undefined && http >= 400) ||
    (grpc !== undefined && grpc !== "OK") ||
    flags !== undefined ||
    (wordOf(attributes, "error.type") !== undefined && span.status.code !== "ok");
  if (!saysError) return flaggedOutcome(attributes);
  const words = errorWordsOf(span);
  if (http === 499) return cancelledAs("HTTP 499");
  if (http !== undefined && http >= 400)
    return answeredBy(`HTTP ${http}`, retryabilityOfHttp(http), words);
  if (grpc !== undefined && grpc !== "OK") return ofGrpc(grpc, words);
  if (flags !== undefined) return flags;
  return ofWords(words, attributes);
}

/** Some spans only carry a flag: `cancelled`, `request.timed_out`. */
function flaggedOutcome(attributes: Attributes): Outcome {
  for (const name in attributes) {
    if (attributes[name] !== true && attributes[name] !== "true") continue;
    if (/(?:cancell?ed|aborted|disconnected)$/i.test(name)) return cancelledAs(name);
    if (/timed_?out$/i.test(name)) return timedOutAs(name);
  }
  return succeeded;
}

/** The HTTP status that a span records, under any name of the attribute. */
export function httpStatusOf(attributes: Attributes): number | undefined {
  const status = countOf(
    attributes,
    "http.response.status_code",
    "http.status_code",
    "http.status",
    "response.status_code",
  );
  // Envoy writes 0 where no response came.
  return status === undefined || status === 0 ? undefined : status;
}

/** The outcome of a call of which nothing says that it failed. */
export const succeeded: Outcome = {
  hasFailed: false,
  code: "ok",
  retry: "unclear",
  isTimeout: false,
  isCancelled: false,
  answer: "answered",
};

function grpcCodeOf(attributes: Attributes): string | undefined {
  const value = wordOf(
    attributes,
    "rpc.grpc.status_code",
    "grpc.status_code",
    "grpc.status",
    "grpc.code",
    "rpc.response.status_code",
    "rpc.connect_rpc.error_code",
  );
  if (value === undefined) return undefined;
  if (/^\d{1,2}$/.test(value)) return grpcCodes[Number(value)];
  // `DeadlineExceeded`, `deadline_exceeded` and `Status.DEADLINE_EXCEEDED` are one code.
  const plain = value
    .replace(/^.*\./, "")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll(" ", "_")
    .toUpperCase();
  if (plain === "CANCELED") return "CANCELLED";
  return grpcCodes.find((code) => code === plain);
}

function ofGrpc(code: string, words: string): Outcome {
  if (code === "CANCELLED") return cancelledAs(code);
  if (code === "DEADLINE_EXCEEDED") return timedOutAs(code);
  if (code === "UNAVAILABLE" && unreachedWords.test(words)) {
    return { ...failedAs(code, "later"), answer: "unreached" };
  }
  return answeredBy(code, retryabilityOfGrpc(code), words);
}

/** Envoy's response flags: what its proxy did where the upstream did not answer. */
function responseFlagsOf(attributes: Attributes): Outcome | undefined {
  const flags = wordOf(attributes, "response_flags", "envoy.response_flags", "http.response_flags");
  if (flags === undefined || flags === "-") return undefined;
  const set = new Set(flags.split(/[ ,|]+/));
  if (set.has("DC")) return cancelledAs("response flag DC");
  if (set.has("UT") || set.has("SI") || set.has("DT")) return timedOutAs(`response flag ${flags}`);
  if (["UH", "UF", "UO", "NR", "NC"].some((flag) => set.has(flag))) {
    return { ...failedAs(`response flag ${flags}`, "later"), answer: "unreached" };
  }
  if (["UC", "UR", "LR"].some((flag) => set.has(flag))) {
    return { ...failedAs(`response flag ${flags}`, "later"), answer: "silent" };
  }
  return undefined;
}

function ofWords(words: string, attributes: Attributes): Outcome {
  const name = wordOf(attributes, "error.type", "exception.type", "db.response.status_code");
  const code = cutText(name ?? "error", 100);
  const flagged = name === undefined ? flaggedOutcome(attributes) : succeeded;
  if (flagged.hasFailed) return flagged;
  if (unreachedWords.test(words)) return { ...failedAs(code, "later"), answer: "unreached" };
  if (timeoutWords.test(words)) return timedOutAs(code === "error" ? "timeout" : code);
  if (cancelWords.test(words)) return cancelledAs(code === "error" ? "cancelled" : code);
  const numbered = /^[45]\d\d$/.test(code) ? Number(code) : undefined;
  if (numbered !== undefined) {
    return answeredBy(`HTTP ${numbered}`, retryabilityOfHttp(numbered), words);
  }
  const row = decisiveWordsOf(words) ?? otherWordsOf(words);
  if (row === undefined) return { ...failedAs(code, "unclear"), answer: "silent" };
  const answer = /^HTTP 50[24]$|^UNAVAILABLE$|^UNKNOWN$/.test(code) ? "silent" : "answered";
  return { ...failedAs(code, row.retry), answer };
}

const unreachedWords =
  /ECONNREFUSED|connection refused|connect(?:ion)? (?:failed|error)|connectexception|ENOTFOUND|EAI_AGAIN|no such host|name or service not known|unknownhost|EHOSTUNREACH|ENETUNREACH|no route to host|circuit ?(?:breaker)?[_ ]?(?:is )?open|callnotpermitted|no healthy upstream|pool (?:is )?exhausted|pool timeout|acquire.{0,40}connection|connect[_ ]?timeout|connection ?timed? ?out while connecting|UND_ERR_CONNECT_TIMEOUT|PoolTimeout|ConnectTimeout/i;
const timeoutWords =
  /time(?:d)?[-_ ]?out|ETIMEDOUT|deadline[-_ ]?exceeded|deadline has elapsed|context deadline|ESOCKETTIMEDOUT|statement timeout|\b57014\b|max_execution_time|timeoutexception|TimeoutError/i;
const cancelWords =
  /cancell?ed|cancell?ation|\bAbortError\b|aborted (?:by|due)|request aborted|operation was aborted|client (?:disconnected|closed|left|gone)|ClientDisconnect|broken ?pipe|EPIPE|connection reset by (?:client|peer)/i;

function errorWordsOf({ attributes, status, events }: Span): string {
  const parts = [
    status.message,
    wordOf(attributes, "error.type", "exception.type"),
    wordOf(attributes, "error.message", "exception.message", "error.msg", "error.code"),
    wordOf(attributes, "db.response.status_code", "gen_ai.error.type", "error.kind"),
    attributes["error"] === true || attributes["error"] === "true"
      ? undefined
      : wordOf(attributes, "error"),
  ];
  for (const event of events) {
    if (event.name !== "exception" && event.name !== "error") continue;
    parts.push(
      wordOf(event.attributes, "exception.type", "error.type", "error.kind"),
      wordOf(event.attributes, "exception.message", "error.message", "message", "event"),
    );
  }
  return cutText(parts.filter((part) => part !== undefined).join(" "), wordsLengthMax);
}

function failedAs(code: string, retry: Retryability): Outcome {
  return { hasFailed: true, code, retry, isTimeout: false, isCancelled: false, answer: "answered" };
}

function answeredBy(code: string, retry: Retryability, words: string): Outcome {
  const row = decisiveWordsOf(words);
  // A gateway that gave up says nothing about what the service behind it did.
  const answer = /^HTTP 50[24]$|^UNAVAILABLE$|^UNKNOWN$/.test(code) ? "silent" : "answered";
  return { ...failedAs(code, row?.retry ?? retry), answer };
}

function timedOutAs(code: string): Outcome {
  return { ...failedAs(code, "later"), isTimeout: true, answer: "silent" };
}

function cancelledAs(code: string): Outcome {
  return { ...failedAs(code, "unclear"), isCancelled: true, answer: "silent" };
}
