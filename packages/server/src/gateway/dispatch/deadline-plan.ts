/** The deadlines of one operation: the shortest of what the configuration, the key, the bundle and the caller say. */

import { PlatformError } from "@faultline/protocol";

import { dispatchLimits } from "./limits.ts";

/** Durations in milliseconds. */
export interface Timeouts {
  /** For a place with the target. */
  readonly queueMs: number;
  readonly connectMs: number;
  /** From an attempt's dispatch to its first non-empty delta. */
  readonly firstTokenMs: number;
  /** The longest silence between two events. */
  readonly interTokenMs: number;
  /** From the request's arrival to the last byte of its answer. */
  readonly totalMs: number;
}

/** A layer that says something of only some. */
export type PartialTimeouts = Partial<Timeouts>;

/** What an attempt may take, counted from its dispatch. */
export interface AttemptTimeouts {
  readonly connectMs: number;
  readonly firstTokenMs: number;
  readonly interTokenMs: number;
  /** Until its last byte. */
  readonly restMs: number;
}

export const timeoutHeaders = {
  queueMs: "x-faultline-timeout-queue",
  connectMs: "x-faultline-timeout-connect",
  firstTokenMs: "x-faultline-timeout-first-token",
  interTokenMs: "x-faultline-timeout-inter-token",
  totalMs: "x-faultline-timeout-total",
} as const satisfies Record<keyof Timeouts, string>;

// The keys of a literal object are exactly its names.
const names = Object.keys(timeoutHeaders) as (keyof Timeouts)[];

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const durationPattern = /^(\d{1,8})(ms|s|m)$/;

/**
 * What the headers of a request ask for, or `undefined` when they ask for nothing. Throws `request_invalid` for a value
 * that is no duration.
 */
export function readTimeoutHeaders(headers: Headers): PartialTimeouts | undefined {
  let asked: { -readonly [Name in keyof Timeouts]?: number } | undefined;
  for (const name of names) {
    const value = headers[timeoutHeaders[name]];
    if (value === undefined) continue;
    asked ??= {};
    asked[name] = parseDuration(timeoutHeaders[name], String(value));
  }
  return asked;
}

function parseDuration(header: string, value: string): number {
  const [, digits = "", unit = ""] = durationPattern.exec(value.trim()) ?? [];
  const durationMs = Number(digits) * (unitsMs[unit] ?? 0);
  if (durationMs >= 1 && durationMs <= dispatchLimits.timeoutMsMax) return durationMs;
  throw new PlatformError(
    "request_invalid",
    `The header ${header} must be a duration such as 1500ms, 30s or 2m, from 1ms to 1440m, and not "${value.slice(0, 40)}".`,
    { where: `header ${header}` },
  );
}

export class DeadlinePlan {
  readonly timeouts: Timeouts;
  readonly #configured: Timeouts;
  readonly #arrivedMs: number;
  readonly #endMs: number;

  /** `arrivedMs` is monotonic. Each layer can only shorten what the ones before allow. */
  constructor(
    arrivedMs: number,
    configured: Timeouts,
    layers: readonly (PartialTimeouts | undefined)[],
  ) {
    this.timeouts = shortest(configured, layers);
    this.#configured = configured;
    this.#arrivedMs = arrivedMs;
    const { totalMs } = this.timeouts;
    // Without time to write it, the error of a deadline would come too late itself.
    const reserveMs = Math.min(dispatchLimits.encodeReserveMsMax, totalMs * encodeReserveShare);
    this.#endMs = arrivedMs + totalMs - reserveMs;
  }

  /** The same for an operation of which one more layer has become known, such as the bundle's. */
  within(layer: PartialTimeouts): DeadlinePlan {
    return new DeadlinePlan(this.#arrivedMs, this.#configured, [this.timeouts, layer]);
  }

  /** Whether a deadline is as long as the configuration has it, rather than as a key, a bundle or a caller wants it. */
  isAsConfigured(deadline: "connect" | "first-token" | "inter-token"): boolean {
    const name = namesByDeadline[deadline];
    return this.timeouts[name] >= this.#configured[name];
  }

  /** Monotonic time at which the last attempt must have ended. */
  get endMs(): number {
    return this.#endMs;
  }

  /** What remains for attempts; 0 when nothing does. */
  remainingMs(nowMs: number): number {
    return Math.max(0, this.#endMs - nowMs);
  }

  /** How long a call may wait for a place now: all its waits together are bounded, and so is the whole. */
  queueMs(nowMs: number, waitedMs: number): number {
    const left = Math.max(0, this.timeouts.queueMs - waitedMs);
    return Math.min(left, this.remainingMs(nowMs));
  }

  /** What an attempt that begins now may take: no part of it is longer than what remains of the whole. */
  attempt(nowMs: number): AttemptTimeouts {
    const restMs = this.remainingMs(nowMs);
    const { connectMs, firstTokenMs, interTokenMs } = this.timeouts;
    return {
      connectMs: Math.min(connectMs, restMs),
      firstTokenMs: Math.min(firstTokenMs, restMs),
      interTokenMs: Math.min(interTokenMs, restMs),
      restMs,
    };
  }

  /** What has passed since the request arrived. */
  elapsedMs(nowMs: number): number {
    return nowMs - this.#arrivedMs;
  }
}

const encodeReserveShare = 0.05;
const namesByDeadline = {
  connect: "connectMs",
  "first-token": "firstTokenMs",
  "inter-token": "interTokenMs",
} as const;

function shortest(
  configured: Timeouts,
  layers: readonly (PartialTimeouts | undefined)[],
): Timeouts {
  let result = configured;
  for (const layer of layers) {
    if (layer === undefined) continue;
    const shorter = { ...result };
    for (const name of names) {
      shorter[name] = Math.min(result[name], layer[name] ?? Number.POSITIVE_INFINITY);
    }
    result = shorter;
  }
  return result;
}
