/** The matrix of faults: what can break, where, in which mode and dialect, and what the caller must then see. */

import type { ErrorCode } from "@faultline/protocol";

export const faults = [
  "refused",
  "reset",
  "stall",
  "garbage",
  "truncated",
  "429 with Retry-After",
  "500",
  "in-band error",
  "slow trickle",
  "huge chunk",
  "invalid UTF-8",
  "wrong content type",
] as const;
export type Fault = (typeof faults)[number];

export const points = [
  "before headers",
  "before first token",
  "mid-stream",
  "mid-tool-call",
  "after last token",
  "before the end is announced",
] as const;
export type Point = (typeof points)[number];

export const modes = ["plain", "streaming", "durable"] as const;
export type Mode = (typeof modes)[number];

/** The caller's dialect, and the provider's. */
export const pairs = [
  { caller: "chat", provider: "chat" },
  { caller: "messages", provider: "messages" },
  { caller: "chat", provider: "messages" },
  { caller: "messages", provider: "chat" },
] as const;
export type Pair = (typeof pairs)[number];

export interface Cell {
  readonly fault: Fault;
  readonly point: Point;
  readonly mode: Mode;
  readonly pair: Pair;
}

/** Why a cell cannot be run: a closed list. */
export const reasons = {
  "no-connection": "A connection is refused only before it exists.",
  "in-the-head": "The status and the content type stand in the head of a reply.",
  "events-only": "An error in band is an event of a stream, which begins with its head.",
  "no-terminator": "A plain reply has no end that is announced apart from it.",
} as const;
export type Reason = keyof typeof reasons;

/** What the caller sees. */
export type Outcome =
  /** The whole reply, as the provider meant it. */
  | { readonly kind: "whole" }
  /** A clean error of ours, with its status. */
  | { readonly kind: "refused"; readonly code: ErrorCode }
  /** The provider's own error, with its status and `Retry-After`. */
  | { readonly kind: "passed-on"; readonly status: number }
  /** What came so far, then the dialect's error event, and no clean end. */
  | { readonly kind: "cut"; readonly code: ErrorCode }
  /** What came so far, then the provider's own error event, once, and no clean end. */
  | { readonly kind: "reported" };

export interface Expected {
  readonly outcome: Outcome;
  /** Whether the same target is asked again before the caller hears of it. */
  readonly isRetried: boolean;
  /** Where the usage event has its figures from; `none` where the provider did not take the request. */
  readonly usage: "provider" | "observed" | "none";
}

/** The reason why a cell cannot be run, or `undefined`. */
export function reasonAgainst({ fault, point, mode }: Cell): Reason | undefined {
  const isFirst = point === "before headers";
  if (fault === "refused" && !isFirst) return "no-connection";
  const isOfHead =
    fault === "429 with Retry-After" || fault === "500" || fault === "wrong content type";
  if (isOfHead && !isFirst) return "in-the-head";
  if (fault === "in-band error" && (isFirst || mode === "plain")) return "events-only";
  if (mode === "plain" && point === "before the end is announced") return "no-terminator";
  return undefined;
}

/** The contract: what each cell that can be run must come to. */
export function expectedOf(cell: Cell): Expected {
  const { fault, point, mode } = cell;
  const failure = failureOf(cell);
  if (failure === undefined)
    return { outcome: { kind: "whole" }, isRetried: false, usage: "provider" };
  if (failure === "status") {
    // A wait that does not fit the deadline is not waited for.
    const status = fault === "500" ? 500 : 429;
    return { outcome: { kind: "passed-on", status }, isRetried: fault === "500", usage: "none" };
  }
  if (point === "before headers") {
    return {
      outcome: { kind: "refused", code: failure },
      isRetried: isRetriable(failure),
      // Whose silence we cut short was at work.
      usage: failure === "provider_timeout" ? "observed" : "none",
    };
  }
  if (mode === "plain" || point === "before first token") {
    return {
      outcome: { kind: "refused", code: failure },
      isRetried: isRetriable(failure),
      usage: isReported(cell) ? "provider" : "observed",
    };
  }
  return {
    outcome: fault === "in-band error" ? { kind: "reported" } : { kind: "cut", code: failure },
    isRetried: false,
    usage: isReported(cell) ? "provider" : "observed",
  };
}

/** What goes wrong, as an error of ours; `undefined` where the reply survives it. */
function failureOf({ fault, point, mode }: Cell): ErrorCode | "status" | undefined {
  const isFirst = point === "before headers";
  switch (fault) {
    case "refused":
      return "provider_unreachable";
    case "reset":
      return isFirst ? "provider_unreachable" : "provider_stream_cut";
    case "truncated":
      if (isFirst) return "provider_unreachable";
      return mode === "plain" ? "provider_response_invalid" : "provider_stream_cut";
    case "stall":
      return "provider_timeout";
    case "garbage":
    case "wrong content type":
      return "provider_response_invalid";
    case "429 with Retry-After":
    case "500":
      return "status";
    case "in-band error":
      return "provider_failed";
    case "huge chunk":
      return mode === "plain" && !isFirst ? undefined : "provider_response_invalid";
    case "slow trickle":
    case "invalid UTF-8":
      return undefined;
  }
}

/** A wrong wire format will be as wrong the next time, and who was too slow once has had its time. */
function isRetriable(code: ErrorCode): boolean {
  return code !== "provider_response_invalid" && code !== "provider_timeout";
}

/** Whether the provider had reported usage before the fault, and no less than was seen since. */
function isReported({ point, mode, pair: { provider } }: Cell): boolean {
  if (mode === "plain") return point === "after last token";
  // Messages report their input, and a first token of output, in the event that begins them.
  if (point === "before first token") return provider === "messages";
  return point === "before the end is announced";
}

/** All cells. */
export function allCells(): Cell[] {
  return faults.flatMap((fault) =>
    points.flatMap((point) =>
      modes.flatMap((mode) => pairs.map((pair) => ({ fault, point, mode, pair }))),
    ),
  );
}

/** What a cell is called. */
export function titleOf({ fault, point, mode, pair }: Cell): string {
  const { caller, provider } = pair;
  const dialects = caller === provider ? caller : `${caller} by ${provider}`;
  return `${fault}, ${point}, ${mode}, ${dialects}`;
}
