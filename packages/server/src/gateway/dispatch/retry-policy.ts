/** One table that says of every failure before commit where another attempt can help, and why it failed. */

import { unreachable } from "#kernel/index.ts";

import type {
  AttemptFailure,
  GateRefusal,
  SaidFailure,
  TransportFault,
} from "./attempt-failure.ts";

/** Where another attempt can help. */
export type RetryScope = "same-target" | "fallback-only" | "never";

/** Why an attempt failed; names events, labels of metrics and the reasons of attempts. */
export type FailureReason =
  | "rate-limited"
  | "overloaded"
  | "quota-exhausted"
  | "server-error"
  | "unavailable"
  | "gateway-timeout"
  | "request-timeout"
  | "conflict"
  | "too-early"
  | "context-length"
  | "model-missing"
  | "credential-refused"
  | "content-refused"
  | "request-refused"
  | "name-unresolved"
  | "connect-refused"
  | "connect-timeout"
  | "tls-failed"
  | "reset-before-headers"
  | "reset-after-headers"
  | "first-token-timeout"
  | "stall"
  | "reply-invalid"
  | "reply-cut"
  | GateRefusal;

export interface Verdict {
  readonly reason: FailureReason;
  readonly scope: RetryScope;
  /** Whether it speaks against the target's health, rather than against the request or the account. */
  readonly unhealthy: boolean;
  /** Whether the target has too much to do. */
  readonly overload: boolean;
}

type Blame = "nobody" | "load" | "health" | "load-and-health";

interface Row {
  readonly scope: RetryScope;
  readonly blame: Blame;
  /** Codes and types that providers name, in lower case. They say more than a status. */
  readonly codes?: readonly string[];
  readonly statuses?: readonly number[];
  readonly faults?: readonly TransportFault[];
  readonly deadlines?: readonly ("connect" | "first-token" | "inter-token")[];
}

/**
 * The codes are those of OpenAI, Azure, Anthropic, Google, Groq, OpenRouter, vLLM and llama.cpp. Statuses that stand
 * nowhere are `server-error` from 500 on and `request-refused` below.
 */
const table: Readonly<Record<FailureReason, Row>> = {
  "quota-exhausted": {
    scope: "fallback-only",
    blame: "nobody",
    codes: [
      "insufficient_quota",
      "billing_hard_limit_reached",
      "billing_not_active",
      "billing_error",
      "access_terminated",
      "insufficient_balance",
    ],
    statuses: [402],
  },
  "rate-limited": {
    scope: "same-target",
    blame: "load",
    codes: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "resource_exhausted",
      "too_many_requests",
      "tokens",
      "requests",
    ],
    statuses: [429],
  },
  overloaded: {
    scope: "same-target",
    blame: "load-and-health",
    codes: ["overloaded_error", "overloaded", "engine_overloaded", "over_capacity", "slow_down"],
    statuses: [529],
  },
  unavailable: {
    scope: "same-target",
    blame: "load-and-health",
    codes: ["unavailable_error", "unavailable", "service_unavailable"],
    statuses: [502, 503],
  },
  "gateway-timeout": {
    scope: "same-target",
    blame: "load-and-health",
    codes: ["timeout_error", "deadline_exceeded", "timeout"],
    statuses: [504, 522, 524],
  },
  "server-error": {
    scope: "same-target",
    blame: "health",
    codes: ["server_error", "api_error", "internal_error", "internal_server_error", "internal"],
    statuses: [500],
  },
  "request-timeout": { scope: "same-target", blame: "load", statuses: [408] },
  conflict: { scope: "same-target", blame: "nobody", statuses: [409] },
  "too-early": { scope: "same-target", blame: "nobody", statuses: [425] },
  "context-length": {
    // Only a target with a longer context can help.
    scope: "fallback-only",
    blame: "nobody",
    codes: [
      "context_length_exceeded",
      "exceed_context_size_error",
      "model_context_window_exceeded",
      "context_window_exceeded",
    ],
  },
  "model-missing": {
    scope: "fallback-only",
    blame: "nobody",
    codes: ["model_not_found", "deploymentnotfound", "not_found_error", "model_decommissioned"],
    statuses: [404],
  },
  "credential-refused": {
    scope: "fallback-only",
    blame: "nobody",
    codes: ["invalid_api_key", "authentication_error", "permission_error", "permission_denied"],
    statuses: [401, 403],
  },
  "content-refused": {
    // Another target might be laxer, which is no reason to ask it.
    scope: "never",
    blame: "nobody",
    codes: [
      "content_filter",
      "content_policy_violation",
      "responsibleaipolicyviolation",
      "invalid_prompt",
    ],
  },
  "request-refused": {
    scope: "never",
    blame: "nobody",
    codes: [
      "invalid_request_error",
      "badrequesterror",
      "request_too_large",
      "string_above_max_length",
      "invalid_argument",
    ],
    statuses: [501, 505],
  },
  "name-unresolved": { scope: "fallback-only", blame: "health", faults: ["name-unresolved"] },
  "connect-refused": { scope: "same-target", blame: "health", faults: ["connect-refused"] },
  "connect-timeout": {
    scope: "fallback-only",
    blame: "load-and-health",
    faults: ["connect-timeout"],
    deadlines: ["connect"],
  },
  "tls-failed": { scope: "fallback-only", blame: "health", faults: ["tls-failed"] },
  "reset-before-headers": {
    scope: "same-target",
    blame: "health",
    faults: ["reset-before-headers"],
  },
  "reset-after-headers": { scope: "same-target", blame: "health", faults: ["reset-after-headers"] },
  "first-token-timeout": {
    // Who was too slow once has had its time: another may be faster in what is left.
    scope: "fallback-only",
    blame: "load-and-health",
    deadlines: ["first-token"],
  },
  stall: { scope: "fallback-only", blame: "load-and-health", deadlines: ["inter-token"] },
  "reply-invalid": { scope: "fallback-only", blame: "health", faults: ["not-http"] },
  "reply-cut": { scope: "same-target", blame: "health" },
  // Nothing was sent: another target may have room, and this one should be left alone.
  "queue-full": { scope: "fallback-only", blame: "nobody" },
  "queue-timeout": { scope: "fallback-only", blame: "nobody" },
  "breaker-open": { scope: "fallback-only", blame: "nobody" },
  untranslatable: { scope: "fallback-only", blame: "nobody" },
  "limit-reached": { scope: "fallback-only", blame: "nobody" },
};

/** What servers without a code for it say when a prompt is too long; in lower case. */
const contextLengthPhrases = [
  "maximum context length",
  "context length exceeded",
  "context window",
  "prompt is too long",
  "exceeds the available context size",
  "input is too long for requested model",
  "input token count",
] as const;
const messageLengthMax = 2_000;

// The keys of the table are exactly the reasons.
const reasons = Object.keys(table) as FailureReason[];
const verdicts: ReadonlyMap<FailureReason, Verdict> = new Map(
  reasons.map((reason) => [reason, toVerdict(reason)]),
);
const byCode = indexBy((row) => row.codes);
const byStatus = indexBy((row) => row.statuses);
const byFault = indexBy((row) => row.faults);
const byDeadline = indexBy((row) => row.deadlines);

/** Says where another attempt can help after this failure, which came before anything was passed on. */
export function judgeFailure(failure: AttemptFailure): Verdict {
  return verdicts.get(findReason(failure)) ?? toVerdict("server-error");
}

function findReason(failure: AttemptFailure): FailureReason {
  switch (failure.kind) {
    case "said":
      return reasonOfSaid(failure);
    case "transport":
      return byFault.get(failure.fault) ?? "reset-before-headers";
    case "deadline":
      return byDeadline.get(failure.deadline) ?? "stall";
    case "reply-invalid":
      return "reply-invalid";
    case "reply-cut":
      return "reply-cut";
    case "gate":
      return failure.refusal;
    default:
      return unreachable(failure);
  }
}

function reasonOfSaid({ status, code, type, message }: SaidFailure): FailureReason {
  const named = reasonOfName(code) ?? reasonOfName(type);
  const refused = named === "request-refused" || status === 400 || status === 413 || status === 422;
  if (refused && named !== "content-refused" && saysContextLength(message)) return "context-length";
  // Names as broad as "invalid request" or "server error" say less than a status.
  const broad = named === "request-refused" || named === "server-error";
  if (named !== undefined && (!broad || status === undefined)) return named;
  return status === undefined ? "server-error" : reasonOfStatus(status);
}

function reasonOfName(name: string | undefined): FailureReason | undefined {
  return name === undefined ? undefined : byCode.get(name.toLowerCase());
}

function reasonOfStatus(status: number): FailureReason {
  return byStatus.get(status) ?? (status >= 500 ? "server-error" : "request-refused");
}

function saysContextLength(message: string | undefined): boolean {
  if (message === undefined) return false;
  const said = message.slice(0, messageLengthMax).toLowerCase();
  return contextLengthPhrases.some((phrase) => said.includes(phrase));
}

function toVerdict(reason: FailureReason): Verdict {
  const { scope, blame } = table[reason];
  const unhealthy = blame === "health" || blame === "load-and-health";
  return { reason, scope, unhealthy, overload: blame === "load" || blame === "load-and-health" };
}

function indexBy<K>(keysOf: (row: Row) => readonly K[] | undefined): ReadonlyMap<K, FailureReason> {
  return new Map(
    reasons.flatMap((reason) =>
      (keysOf(table[reason]) ?? []).map((key): [K, FailureReason] => [key, reason]),
    ),
  );
}
