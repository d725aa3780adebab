/** Credit as the supervisor of the workers handles it: lives, messages, and what is left of workers that died. */

import type { Lending } from "#ledger/index.ts";
import type { Clock } from "#kernel/index.ts";

import { CreditAuthority } from "./credit-authority.ts";
import type { CreditStart } from "./credit-desk.ts";
import { type CreditDown, type CreditUp, lifeOf, workerPrefix } from "./credit-messages.ts";
import { creditLimits } from "./limits.ts";
import { CreditRecovery } from "./recover-credit.ts";
import { findJournals, usageFolderOf } from "./usage-files.ts";

/** Where the gateway gets credit from. */
export interface CreditSource {
  readonly lending: Pick<
    Lending,
    "submit" | "budgetRules" | "openReserves" | "unreadLeases" | "latestEpoch"
  >;
  /** Default: that of the limits. */
  readonly leaseDurationMs?: number;
  /** A file of the journal of usage is closed when it is this long. Default: that of the limits. */
  readonly journalFileBytesMax?: number;
}

export interface CreditControlParts<Worker> {
  /** Without it no tenant can pay, so that none of those who must is served. */
  readonly source: CreditSource | undefined;
  readonly journalFolder: string;
  readonly clock: Clock;
  readonly send: (worker: Worker, messages: readonly CreditDown[]) => void;
  readonly log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Ends all work. */
  readonly signal: AbortSignal;
}

export class CreditControl<Worker> {
  readonly #parts: CreditControlParts<Worker>;
  readonly #authority: CreditAuthority<Worker> | undefined;
  readonly #recovery: CreditRecovery | undefined;
  #latestEpoch = 0;

  constructor(parts: CreditControlParts<Worker>) {
    this.#parts = parts;
    const { source } = parts;
    if (source === undefined) return;
    const { lending } = source;
    this.#authority = new CreditAuthority({ ...parts, ledger: lending });
    this.#recovery = new CreditRecovery({ ...parts, lending, folder: this.#folder });
  }

  /** Recovers what an earlier control process has left, and goes on to look for what workers leave. */
  async open(closing: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    await this.#learnEpochs();
    await this.#recovery?.collect();
    clock.every(creditLimits.recoveryMs, closing, () => void this.#recovery?.collect());
  }

  /** No life begins in an epoch that is known already, also where the clock was set back meanwhile. */
  async #learnEpochs(): Promise<void> {
    const { source, log, signal } = this.#parts;
    if (source === undefined) return;
    for (const { life } of await findJournals(this.#folder)) this.#noteEpoch(life.epoch);
    try {
      this.#noteEpoch(await source.lending.latestEpoch(workerPrefix, signal));
    } catch (error) {
      // Then those of the journals and of the clock must do: a worker whose epoch is too low is refused its leases.
      if (!signal.aborted)
        log("the epochs of earlier workers are not known", { cause: String(error) });
    }
  }

  #noteEpoch(epoch: number): void {
    this.#latestEpoch = Math.max(this.#latestEpoch, epoch);
  }

  /** What the next life of the worker in a place is started with. */
  startOf(index: number): CreditStart {
    // Greater than those of all earlier lives, also of an earlier control process.
    this.#latestEpoch = Math.max(this.#parts.clock.nowMs(), this.#latestEpoch + 1);
    const {
      leaseDurationMs = creditLimits.leaseDurationMs,
      journalFileBytesMax: fileBytesMax = creditLimits.journalFileBytesMax,
    } = this.#parts.source ?? {};
    const life = lifeOf(index, this.#latestEpoch);
    return { life, leaseDurationMs, folder: this.#folder, fileBytesMax };
  }

  receive(worker: Worker, messages: readonly CreditUp[]): void {
    this.#authority?.receive(worker, messages);
  }

  lose(worker: Worker): void {
    this.#authority?.lose(worker);
    void this.#recovery?.collect();
  }

  get #folder(): string {
    return usageFolderOf(this.#parts.journalFolder);
  }
}
