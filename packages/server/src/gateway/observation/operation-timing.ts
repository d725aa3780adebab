/** When what happened in one operation: written into its record as it happens, and at its end. */

import type { Clock } from "#kernel/index.ts";

import type { OperationRecord } from "../calls/operation-record.ts";
import type { AbandonedWork } from "./abandoned-work.ts";
import type { EventLoopWatch } from "./event-loop-watch.ts";
import type { GatewayMetrics } from "./gateway-metrics.ts";

export class OperationTiming {
  readonly #record: OperationRecord;
  readonly #arrivedMs: number;
  readonly #clock: Clock;
  readonly #loop: EventLoopWatch;
  readonly #metrics: GatewayMetrics;
  /** Of the events of a stream that come after it has said something; those that come together count once. */
  #paceFirstMs = 0;
  #paceLastMs = 0;
  #paceCount = 0;
  /** Notes the end of work that went on without its caller. */
  #abandonedEnds: ((endedMs: number) => void) | undefined;
  #abandoned: AbandonedWork | undefined;

  constructor(
    { record, arrivedMs }: { readonly record: OperationRecord; readonly arrivedMs: number },
    {
      clock,
      loop,
      metrics,
    }: {
      readonly clock: Clock;
      readonly loop: EventLoopWatch;
      readonly metrics: GatewayMetrics;
    },
  ) {
    this.#record = record;
    this.#arrivedMs = arrivedMs;
    this.#clock = clock;
    this.#loop = loop;
    this.#metrics = metrics;
  }

  /** The event loop has come to something of this operation. */
  touch(): void {
    this.#loop.touch();
  }

  /** A part of the reply came. */
  onProgress(nowMs: number, saysSomething: boolean): void {
    const record = this.#record;
    record.firstChunkMs ??= nowMs - this.#arrivedMs;
    if (!saysSomething) return;
    record.firstTokenMs ??= nowMs - this.#arrivedMs;
    if (this.#paceCount === 0) this.#paceFirstMs = nowMs;
    this.#paceLastMs = nowMs;
    this.#paceCount += 1;
  }

  /** What an attempt that another follows has brought is none of the reply. */
  forget(): void {
    this.#record.firstChunkMs = undefined;
    this.#paceCount = 0;
  }

  onConnected(durationMs: number): void {
    this.#record.connectMs = durationMs;
  }

  /** The caller left, and this goes on without it. */
  onCallerLeft(work: AbandonedWork): void {
    this.#abandoned ??= work;
    this.#abandonedEnds ??= this.#metrics.callerLeft(work, this.#clock.monotonicMs());
  }

  /** The exchange that was cancelled has really ended. */
  onGone(): void {
    this.#abandonedEnds?.(this.#clock.monotonicMs());
  }

  /** The operation has ended. */
  end(endedMs: number, queueMs: number): void {
    const record = this.#record;
    record.durationMs = endedMs - this.#arrivedMs;
    record.queueMs = queueMs;
    if (record.stream && this.#paceCount > 1) {
      record.interTokenMs = (this.#paceLastMs - this.#paceFirstMs) / (this.#paceCount - 1);
    }
    if (this.#abandoned === "kept") this.#abandonedEnds?.(endedMs);
  }
}
