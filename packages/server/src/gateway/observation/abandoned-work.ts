/** Work that goes on after its caller has left: how much, and for how long. */

import { counter, gauge, type MetricData } from "./metric-data.ts";

/** `cancelled` until the exchange with the provider has really ended; `kept` because others may read the reply. */
export type AbandonedWork = "cancelled" | "kept";

const msPerSecond = 1_000;

export class AbandonedWorkCounts {
  readonly #counts: Record<AbandonedWork, number> = { cancelled: 0, kept: 0 };
  readonly #durationsMs: Record<AbandonedWork, number> = { cancelled: 0, kept: 0 };
  #openCount = 0;

  /** Gives what must be called once the work has ended; a second call changes nothing. */
  begin(work: AbandonedWork, startedMs: number): (endedMs: number) => void {
    this.#counts[work] += 1;
    this.#openCount += 1;
    let hasEnded = false;
    return (endedMs) => {
      if (hasEnded) return;
      hasEnded = true;
      this.#openCount -= 1;
      this.#durationsMs[work] += endedMs - startedMs;
    };
  }

  read(): MetricData[] {
    const works = ["cancelled", "kept"] as const;
    return [
      counter(
        "abandoned_calls_total",
        "Calls whose caller left while a provider was at work on them.",
        works.map((work) => ({ labels: { work }, value: this.#counts[work] })),
      ),
      counter(
        "abandoned_seconds_total",
        "Time that work went on after its caller had left.",
        works.map((work) => ({
          labels: { work },
          value: this.#durationsMs[work] / msPerSecond,
        })),
      ),
      gauge("abandoned_calls_open", "Calls at work whose caller has left.", {
        value: this.#openCount,
      }),
    ];
  }
}
