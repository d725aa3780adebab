/** Whether the control process is heard by a worker, which serves from its latest snapshot either way. */

import type { Clock } from "#kernel/index.ts";

import { gatewayLimits } from "../limits.ts";
import { counter, gauge, type MetricData } from "./metric-data.ts";

const msPerSecond = 1_000;

export class ControlLink {
  readonly #clock: Clock;
  #heardMs: number;
  /** Wall time of the last sign of life before the silence. */
  #lostSinceMs: number | undefined;
  #lossCount = 0;
  #lostMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#heardMs = clock.monotonicMs();
  }

  /** When the silence began, in milliseconds since the Unix epoch; `undefined` while the control process is heard. */
  get lostSinceMs(): number | undefined {
    return this.#lostSinceMs;
  }

  /** The control process said something. */
  onHeard(): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#lostSinceMs !== undefined) {
      this.#lostMs += nowMs - this.#heardMs;
      this.#lostSinceMs = undefined;
    }
    this.#heardMs = nowMs;
  }

  /** Looks whether the silence has become too long. */
  check(): void {
    const silentMs = this.#clock.monotonicMs() - this.#heardMs;
    if (this.#lostSinceMs !== undefined || silentMs < gatewayLimits.controlSilenceMs) return;
    this.#lostSinceMs = this.#clock.nowMs() - silentMs;
    this.#lossCount += 1;
  }

  /** For `/readyz/gateway`. */
  report():
    | { readonly control: "connected" }
    | { readonly control: "lost"; readonly since: string } {
    return this.#lostSinceMs === undefined
      ? { control: "connected" }
      : { control: "lost", since: formatTime(this.#lostSinceMs) };
  }

  read(): MetricData[] {
    const isLost = this.#lostSinceMs !== undefined;
    const lostMs = this.#lostMs + (isLost ? this.#clock.monotonicMs() - this.#heardMs : 0);
    return [
      gauge("control_lost_workers", "Workers that do not hear the control process.", {
        value: isLost ? 1 : 0,
      }),
      counter("control_losses_total", "How often a worker lost the control process.", [
        { labels: {}, value: this.#lossCount },
      ]),
      counter("control_lost_seconds_total", "Time that workers did not hear the control process.", [
        { labels: {}, value: lostMs / msPerSecond },
      ]),
    ];
  }
}

function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
