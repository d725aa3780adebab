/**
 * How many calls one target carries at once. While its latency stays near that of an idle target the limit rises; when
 * latency grows with load, or the target says that it is overloaded, the limit falls. After the gradient limits of
 * Netflix's concurrency-limits and of Envoy: windows, a baseline, and dips that measure the baseline anew.
 */

import type { Clock } from "#kernel/index.ts";

import type { Gate } from "./fair-queue.ts";
import { LatencyTrack } from "./latency-track.ts";

export interface ConcurrencyBounds {
  /** Never fewer places than this. */
  readonly concurrencyMin: number;
  /** Never more; where the limit starts, since a target is healthy until it shows otherwise. */
  readonly concurrencyMax: number;
  /** How many times the idle latency is still no sign of load. */
  readonly latencyRatioMax: number;
  /** `false` leaves the limit at its maximum. */
  readonly adapts: boolean;
}

/** What a latency is of: the two differ in size, so that each has its own baseline. */
export type LatencyKind =
  /** To the first token of a stream. */
  | "stream"
  /** To the end of a plain reply. */
  | "plain";

const windowMsMin = 500;
/** A window lasts this many times the latency, so that it sees more than the fastest calls. */
const windowLatencyCount = 2;
/** A median of fewer samples says little: latencies of models have long tails. */
const sampleCountMin = 24;
/** Every so many windows, one is spent at a lower limit, to see how fast the target is with less load. */
const dipWindowCount = 12;
/** Below the reciprocal of any sensible ratio, so that a dip shows what the load costs. */
const dipShare = 0.4;
/** A dip that does not get its samples within this many windows is given up. */
const dipWindowLengthMax = 3;
/** So many shortest windows without a new call, although one waits, and the limit is no longer based on anything. */
const stuckWindowCount = 3;
const gradientMin = 0.5;
const overloadShare = 0.75;
/** Load below this share of the limit says nothing of whether more would be carried. */
const busyShare = 0.8;
/** Latency that stays above this share while the load is halved does not come from the load. */
const stubbornShare = 0.8;

export class AdaptiveConcurrency implements Gate {
  readonly #clock: Clock;
  readonly #bounds: () => ConcurrencyBounds;
  readonly #tracks: Readonly<Record<LatencyKind, LatencyTrack>> = {
    stream: new LatencyTrack(),
    plain: new LatencyTrack(),
  };
  #limit = Number.POSITIVE_INFINITY;
  #takenCount = 0;
  #lastTakenMs = Number.NEGATIVE_INFINITY;
  /** The most places taken at once in this window, and how many were given back. */
  #peak = 0;
  #givenBackCount = 0;
  #windowStartMs: number;
  #windowMs = windowMsMin;
  #windowCount = 0;
  #dips = false;
  #overloadedUntilMs = Number.NEGATIVE_INFINITY;
  /** Load and latency when the limit began to fall. */
  #fallStart: { readonly peak: number; readonly ratio: number } | undefined;

  /** `bounds` gives those of the newest configuration. */
  constructor(clock: Clock, bounds: () => ConcurrencyBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
    this.#windowStartMs = clock.monotonicMs();
  }

  /** Places now; a whole number within the bounds. */
  get limit(): number {
    const { concurrencyMin, concurrencyMax, adapts } = this.#bounds();
    if (!adapts) return concurrencyMax;
    const limit = this.#dips ? this.#limit * dipShare : this.#limit;
    return Math.floor(clamp(limit, concurrencyMin, concurrencyMax));
  }

  get takenCount(): number {
    return this.#takenCount;
  }

  tryTake(): boolean {
    if (this.#takenCount >= this.limit && !this.#widen()) return false;
    this.#takenCount += 1;
    this.#lastTakenMs = this.#clock.monotonicMs();
    if (this.#takenCount > this.#peak) this.#peak = this.#takenCount;
    return true;
  }

  giveBack(): void {
    this.#takenCount -= 1;
    this.#givenBackCount += 1;
  }

  /** Tells how long a call took that the target answered well. */
  observeLatency(kind: LatencyKind, latencyMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    // A call that began before this window was sent under another limit.
    if (nowMs - latencyMs >= this.#windowStartMs) this.#tracks[kind].add(latencyMs);
    const lengthMs = nowMs - this.#windowStartMs;
    if (lengthMs >= this.#windowMs) this.#endWindow(nowMs, lengthMs);
  }

  /** Tells that the target refused a call or missed a deadline because it has too much to do. */
  observeOverload(): void {
    const nowMs = this.#clock.monotonicMs();
    // The calls under way were sent before the limit fell: what they say is known already.
    if (nowMs < this.#overloadedUntilMs) return;
    this.#overloadedUntilMs = nowMs + windowMsMin;
    // What was carried counts, not a limit that nobody had reached.
    this.#setLimit(Math.min(this.#limit, Math.max(this.#peak, 1)) * overloadShare);
    this.#startWindow(nowMs);
  }

  /**
   * Lets a few more in, when long calls hold all places and no latency is seen any more that could raise the limit again.
   * Says whether there is a place by now.
   */
  #widen(): boolean {
    const { concurrencyMax, adapts } = this.#bounds();
    const nowMs = this.#clock.monotonicMs();
    const isStuck =
      nowMs - this.#lastTakenMs >= Math.max(this.#windowMs, windowMsMin * stuckWindowCount);
    if (!adapts || !isStuck || this.#takenCount >= concurrencyMax) return false;
    this.#dips = false;
    this.#setLimit(this.#takenCount + Math.ceil(Math.sqrt(this.#takenCount)));
    return true;
  }

  #endWindow(nowMs: number, lengthMs: number): void {
    const { stream, plain } = this.#tracks;
    if (stream.sampleCount + plain.sampleCount < sampleCountMin) {
      // Too little was seen: the window goes on, but a dip holds callers up.
      if (this.#dips && lengthMs >= this.#windowMs * dipWindowLengthMax) this.#dips = false;
      return;
    }
    const { concurrencyMin, concurrencyMax } = this.#bounds();
    const { ratio, medianMs } = this.#readTracks();
    const limit = clamp(this.#limit, concurrencyMin, concurrencyMax);
    const busy = this.#peak >= limit * busyShare;
    if (!this.#dips) this.#adapt(limit, ratio);
    this.#windowCount += 1;
    // Whoever is not busy sees the idle latency anyway, and where calls last long a dip would hold up callers for long.
    const turnsOver = this.#givenBackCount >= this.#peak;
    this.#dips = !this.#dips && busy && turnsOver && this.#windowCount % dipWindowCount === 0;
    this.#windowMs = Math.max(windowMsMin, windowLatencyCount * medianMs);
    this.#startWindow(nowMs);
  }

  #adapt(limit: number, ratio: number): void {
    const gradient = clamp(this.#bounds().latencyRatioMax / ratio, gradientMin, 1);
    if (gradient >= 1) {
      this.#fallStart = undefined;
      if (this.#peak >= limit * busyShare) this.#setLimit(limit + Math.sqrt(limit));
      return;
    }
    this.#fallStart ??= { peak: this.#peak, ratio };
    const halved = this.#peak * 2 <= this.#fallStart.peak;
    if (halved && ratio >= this.#fallStart.ratio * stubbornShare) {
      // The target is slow for reasons of its own: fewer calls of ours would not make it faster.
      this.#fallStart = undefined;
      for (const track of Object.values(this.#tracks)) track.forgetBaseline();
      return;
    }
    // What was carried counts, not a limit that nobody had reached.
    this.#setLimit(Math.min(limit, this.#peak) * gradient);
  }

  /** The latency of this window in units of the idle latency, over both kinds by how often each was seen. */
  #readTracks(): { ratio: number; medianMs: number } {
    let count = 0;
    let ratioSum = 0;
    let medianMs = 0;
    for (const track of Object.values(this.#tracks)) {
      const { sampleCount } = track;
      if (sampleCount === 0) continue;
      const window = track.endWindow();
      count += sampleCount;
      ratioSum += window.ratio * sampleCount;
      medianMs = Math.max(medianMs, window.medianMs);
    }
    return { ratio: ratioSum / count, medianMs };
  }

  #setLimit(limit: number): void {
    const { concurrencyMin, concurrencyMax } = this.#bounds();
    this.#limit = clamp(limit, concurrencyMin, concurrencyMax);
  }

  #startWindow(nowMs: number): void {
    this.#windowStartMs = nowMs;
    this.#peak = this.#takenCount;
    this.#givenBackCount = 0;
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(Math.max(value, min), Math.max(max, 1));
}
