/**
 * The attempts of one call: a place with a target, the exchange, and after a failure before commit the same target again,
 * another one, or the end. One exchange is under way at a time.
 */

import type { Target } from "#catalog/index.ts";
import type { RetryConfig } from "#config/index.ts";
import type { Clock, Random } from "#kernel/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { AttemptUsage } from "../calls/attempt-usage.ts";
import type { LatencyKind } from "./adaptive-concurrency.ts";
import type { AttemptFailure, GateRefusal } from "./attempt-failure.ts";
import type { DeadlinePlan } from "./deadline-plan.ts";
import type { QueueRequest } from "./fair-queue.ts";
import { decideNextAttempt, type NextStep } from "./next-attempt.ts";
import { formatRetryAfter } from "./retry-after.ts";
import { judgeFailure, type FailureReason, type Verdict } from "./retry-policy.ts";
import { nextTarget, type RouteTarget } from "./route-target.ts";
import type { HealthTicket } from "./target-health.ts";
import type { TargetState } from "./target-state.ts";
import type { Targets } from "./targets.ts";

/** Why a target cannot be asked; the error is the caller's when no other can be either. */
export interface Unready {
  readonly refusal: GateRefusal;
  readonly error: PlatformError;
}

/** Who makes the exchanges. */
export interface AttemptLoopOwner {
  /**
   * The loop turns to this target. `asking` leaves the answer open: `prepared` of the loop must follow, perhaps before this
   * returns, unless the call is left. Must not throw.
   */
  prepare(target: Target): "ready" | "asking" | Unready;
  /** Starts an exchange with this target, and tells the loop how it goes. Must not throw. */
  onTarget(target: Target): void;
  /** No attempt follows, although none is under way. The error says why the last target could not be asked. */
  onGivenUp(error: PlatformError): void;
}

export interface AttemptLoopParts {
  readonly targets: Targets;
  readonly clock: Clock;
  readonly random: Random;
  readonly retries: RetryConfig;
  readonly plan: DeadlinePlan;
  /** At least one. */
  readonly route: readonly RouteTarget[];
  /** Those of them whose limits have refused the call already. */
  readonly limited: readonly RouteTarget[];
  readonly request: Omit<QueueRequest, "queueMsMax">;
  readonly kind: LatencyKind;
  /** How long the call waited for other places already. */
  readonly waitedMs: number;
}

/** How an exchange failed. */
export interface FailedExchange {
  readonly failure: AttemptFailure;
  /** The caller has got a part of the answer. */
  readonly committed: boolean;
  readonly retryAfterMs: number | undefined;
  readonly shouldRetry: boolean | undefined;
  /** What the target did for money; `undefined` when it did nothing. */
  readonly used: AttemptUsage | undefined;
}

/** One failure, and what followed it. */
export interface FailedAttempt {
  readonly target: string;
  readonly reason: FailureReason;
  /** Since the request arrived. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** `retry` and `fallback`, or why nothing followed. */
  readonly next: string;
  /** Whether there was an exchange; else the target was skipped. */
  readonly wasAsked: boolean;
  readonly used: AttemptUsage | undefined;
}

export class AttemptLoop {
  readonly #parts: AttemptLoopParts;
  readonly #owner: AttemptLoopOwner;
  /** Targets that were not asked yet. */
  readonly #remaining: RouteTarget[];
  readonly failures: FailedAttempt[] = [];
  #current: RouteTarget | undefined;
  /** The prompt was too long for it: only longer ones can follow, also after those that were skipped. */
  #tooShort: RouteTarget | undefined;
  #state: TargetState | undefined;
  #leaveGate: (() => void) | undefined;
  #ticket: HealthTicket | undefined;
  #attemptCount = 0;
  #sameTargetCount = 0;
  #startedMs = 0;
  #waitedMs: number;
  /** When the back-off ends. */
  #retryAtMs: number | undefined;
  #began = false;

  constructor(parts: AttemptLoopParts, owner: AttemptLoopOwner) {
    this.#parts = parts;
    this.#owner = owner;
    this.#remaining = [...parts.route];
    this.#waitedMs = parts.waitedMs;
  }

  /** Exchanges so far, the one under way included. */
  get attemptCount(): number {
    return this.#attemptCount;
  }

  /** How long the call waited for places. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Asks the first target that may be asked. */
  begin(): void {
    for (const limited of this.#parts.limited) {
      this.#remaining.splice(this.#remaining.indexOf(limited), 1);
      this.#state = this.#parts.targets.of(limited.target);
      this.#startedMs = this.#parts.clock.monotonicMs();
      this.#note("limit-reached", "fallback", undefined);
    }
    const first = this.#nextTarget();
    if (first === undefined) this.#owner.onGivenUp(this.#unavailable());
    else this.#turnTo(first);
  }

  onTick(nowMs: number): void {
    if (this.#retryAtMs === undefined || nowMs < this.#retryAtMs) return;
    this.#retryAtMs = undefined;
    this.#enter();
  }

  /** The target has begun to answer well. */
  began(): void {
    const state = this.#state;
    if (this.#began || state === undefined || this.#ticket === undefined) return;
    this.#began = true;
    state.health.succeeded(this.#ticket);
    if (this.#parts.kind === "stream") this.#observeLatency(state);
  }

  /** The exchange is over, and its answer whole. */
  completed(): void {
    this.began();
    if (this.#state !== undefined && this.#parts.kind === "plain") {
      this.#observeLatency(this.#state);
    }
    this.#giveBack();
  }

  /** The exchange failed. Says whether another attempt follows; if not, the failure is the caller's. */
  failed(exchange: FailedExchange): boolean {
    const verdict = this.#judge(exchange.failure);
    this.#blame(verdict, exchange.failure.kind);
    this.#giveBack();
    if (exchange.committed) {
      this.#note(verdict.reason, "committed", exchange);
      return false;
    }
    if (verdict.reason === "context-length") this.#tooShort = this.#current;
    return this.#goOn(verdict, exchange);
  }

  /** Whether the target that was asking for can be asked is known now. */
  prepared(unready: Unready | undefined): void {
    if (unready === undefined) this.#enter();
    else this.#skip(unready);
  }

  /** Nobody wants the answer any more, or it ended for reasons that are none of the target's. */
  leave(): void {
    this.#retryAtMs = undefined;
    if (this.#ticket !== undefined && !this.#began) this.#state?.health.abandoned(this.#ticket);
    this.#giveBack();
  }

  #turnTo(next: RouteTarget): void {
    this.#remaining.splice(this.#remaining.indexOf(next), 1);
    this.#current = next;
    this.#state = this.#parts.targets.of(next.target);
    this.#sameTargetCount = 0;
    this.#startedMs = this.#parts.clock.monotonicMs();
    const readiness = this.#owner.prepare(next.target);
    if (readiness === "ready") this.#enter();
    else if (readiness !== "asking") this.#skip(readiness);
  }

  /** Turns from a target that was not asked to another one. */
  #skip({ refusal, error }: Unready): void {
    const verdict = judgeFailure({ kind: "gate", refusal });
    if (!this.#goOn(verdict, undefined)) this.#owner.onGivenUp(error);
  }

  /** Waits for a place with the current target. */
  #enter(): void {
    const state = this.#state;
    if (state === undefined) return;
    const { clock, plan, request } = this.#parts;
    const enteredMs = clock.monotonicMs();
    this.#startedMs = enteredMs;
    const queueMsMax = plan.queueMs(enteredMs, this.#waitedMs);
    let outcome: "admitted" | GateRefusal | undefined;
    let entering = true;
    const settle = (settled: "admitted" | GateRefusal): void => {
      outcome = settled;
      if (entering) return;
      this.#waitedMs += clock.monotonicMs() - enteredMs;
      this.#onGate(settled);
    };
    this.#leaveGate = state.lane.enter(
      { ...request, queueMsMax },
      { admitted: () => settle("admitted"), refused: (refusal) => settle(refusal) },
    );
    entering = false;
    if (outcome === undefined) this.#parts.targets.watch();
    else this.#onGate(outcome);
  }

  #onGate(outcome: "admitted" | GateRefusal): void {
    const { current, state } = { current: this.#current, state: this.#state };
    if (current === undefined || state === undefined) return;
    const refusal = outcome === "admitted" ? this.#send(current, state) : outcome;
    if (refusal === undefined) return;
    this.#giveBack();
    this.#skip({ refusal, error: this.#refusal(refusal, state) });
  }

  #send(current: RouteTarget, state: TargetState): GateRefusal | undefined {
    const ticket = state.health.enter();
    if (ticket === undefined) return "breaker-open";
    this.#ticket = ticket;
    this.#began = false;
    this.#attemptCount += 1;
    this.#sameTargetCount += 1;
    state.attemptCount += 1;
    if (this.#sameTargetCount === 1) {
      state.budget.noteCall();
      if (this.failures.length > 0) state.fallbackCount += 1;
    }
    this.#startedMs = this.#parts.clock.monotonicMs();
    this.#owner.onTarget(current.target);
    return undefined;
  }

  /** Decides what follows, and begins it. */
  #goOn(verdict: Verdict, exchange: FailedExchange | undefined): boolean {
    const state = this.#state;
    if (state === undefined) return false;
    const { plan, clock, retries, random } = this.#parts;
    const nowMs = clock.monotonicMs();
    const follower = this.#nextTarget();
    const step = decideNextAttempt(
      {
        verdict,
        attemptCount: this.#attemptCount,
        sameTargetCount: this.#sameTargetCount,
        hasFallback: follower !== undefined,
        retryAfterMs: exchange?.retryAfterMs,
        shouldRetry: exchange?.shouldRetry,
        remainingMs: plan.remainingMs(nowMs),
      },
      { bounds: retries, budget: state.budget, random },
    );
    this.#note(verdict.reason, nameOf(step), exchange);
    if (step.kind === "give-up") return false;
    if (step.kind === "fallback") {
      if (follower === undefined) return false;
      this.#turnTo(follower);
    } else {
      state.retryCount += 1;
      this.#retryAtMs = nowMs + step.delayMs;
    }
    return true;
  }

  #nextTarget(): RouteTarget | undefined {
    const nowMs = this.#parts.clock.monotonicMs();
    return nextTarget(this.#remaining, {
      tooShort: this.#tooShort,
      admits: (target) => this.#parts.targets.of(target).health.admits(nowMs),
    });
  }

  /** Deadlines that the caller shortened say nothing of the target: a caller must not be able to take it out. */
  #judge(failure: AttemptFailure): Verdict {
    const verdict = judgeFailure(failure);
    const ours = failure.kind !== "deadline" || this.#parts.plan.isAsConfigured(failure.deadline);
    return ours ? verdict : { ...verdict, unhealthy: false, overload: false };
  }

  #blame(verdict: Verdict, kind: AttemptFailure["kind"]): void {
    const state = this.#state;
    if (state === undefined || this.#ticket === undefined) return;
    state.countFailure(verdict.reason);
    if (verdict.overload) state.concurrency.observeOverload();
    if (verdict.unhealthy) {
      state.health.failed(this.#ticket);
      const { targets, route } = this.#parts;
      if (route.length > 1) {
        targets.compare(
          state,
          route.map(({ target }) => target),
        );
      }
    } else if (!this.#began) {
      // A refused request shows that the target answers; that it has too much to do, or less time than is its due, does not.
      if (verdict.overload || kind === "deadline") state.health.abandoned(this.#ticket);
      else state.health.succeeded(this.#ticket);
    }
  }

  #observeLatency(state: TargetState): void {
    const latencyMs = this.#parts.clock.monotonicMs() - this.#startedMs;
    state.concurrency.observeLatency(this.#parts.kind, latencyMs);
  }

  #giveBack(): void {
    this.#ticket = undefined;
    const leave = this.#leaveGate;
    this.#leaveGate = undefined;
    leave?.();
  }

  #note(reason: FailureReason, next: string, exchange: FailedExchange | undefined): void {
    const { clock, plan } = this.#parts;
    const nowMs = clock.monotonicMs();
    this.failures.push({
      target: this.#state?.id ?? "",
      reason,
      startedMs: plan.elapsedMs(this.#startedMs),
      durationMs: nowMs - this.#startedMs,
      next,
      wasAsked: exchange !== undefined,
      used: exchange?.used,
    });
  }

  #refusal(refusal: GateRefusal, state: TargetState): PlatformError {
    if (refusal === "breaker-open") return this.#unavailable();
    const why =
      refusal === "queue-full"
        ? "the queue for it is full"
        : `no place became free within ${Math.round(this.#waitedMs)} ms`;
    return new PlatformError(
      "limit_exceeded",
      `The target "${state.id}" has as many calls as it carries (${state.concurrency.limit}), and ${why}.`,
      { hint: "Try again; the operator sets gateway.queueMs and gateway.concurrency." },
    );
  }

  #unavailable(): PlatformError {
    const { route, targets, clock } = this.#parts;
    const nowMs = clock.monotonicMs();
    const waits = route.map(({ target }) => targets.of(target).health.waitMs(nowMs));
    const names = route.map(({ target }) => `"${target.model.id}"`).join(", ");
    const seconds = formatRetryAfter(Math.max(Math.min(...waits), 1));
    return new PlatformError(
      "target_unavailable",
      `Nothing can serve this now: after failures in a row, ${names} gets no calls.`,
      { hint: `The next probe is due in ${seconds} s.`, context: { retryAfter: seconds } },
    );
  }
}

function nameOf(step: NextStep): string {
  return step.kind === "give-up" ? step.reason : step.kind;
}
