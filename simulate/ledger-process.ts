/**
 * The process that decides for the tenant, and its database. It decides a batch in memory, commits it, and answers after that;
 * when a commit fails or nobody knows, it forgets its memory and reads the database anew.
 */

import type {
  LedgerCommand,
  LedgerOutcome,
  Refusal,
} from "@faultline/server/ledger/rules/commands.ts";
import { decide } from "@faultline/server/ledger/rules/decide.ts";
import { brokenInvariants } from "@faultline/server/ledger/rules/invariants.ts";
import { emptyLedger, type LedgerState } from "@faultline/server/ledger/rules/ledger-state.ts";
import type { WorkerCommand } from "@faultline/server/ledger/worker/lease-keeper.ts";

import type { Chance } from "./chance.ts";
import { copyLedger } from "./copy-ledger.ts";
import { startMs, type World } from "./world.ts";

type Answer = LedgerOutcome | Refusal;

/** A command as it is sent; the ledger adds the time. */
export type SentCommand =
  | WorkerCommand
  | (LedgerCommand extends infer Command
      ? Command extends LedgerCommand
        ? Omit<Command, "atMs">
        : never
      : never);

interface Waiting {
  readonly command: SentCommand;
  readonly reply: (answer: Answer) => void;
}

const stableMs = 5_000;

export class LedgerProcess {
  readonly transferred = new Map<string, bigint>();
  /** Called when credit is refused while leases hold some. */
  onLack: () => void = () => {};
  #state: LedgerState = emptyLedger();
  /** What the database has: all that was committed, decided once more. */
  readonly #committed: LedgerState = emptyLedger();
  #waiting: Waiting[] = [];
  #isCommitting = false;
  #isAway = false;
  #isUncertain = false;
  #life = 1;
  #isUp = true;
  #clockOffMs = 0;
  #stableSinceMs = 0;
  #sweepCount = 0;
  readonly #world: World;
  readonly #chance: Chance;

  constructor(world: World, chance: Chance) {
    this.#world = world;
    this.#chance = chance.fork("ledger");
    this.#sweep();
  }

  get state(): LedgerState {
    return this.#state;
  }

  /** Whether all that was decided is in the database too. */
  get isSettled(): boolean {
    return this.#isUp && !this.#isCommitting && this.#waiting.length === 0;
  }

  /** Takes a command; when the process is down, nobody hears it. */
  receive(command: SentCommand, reply: (answer: Answer) => void): void {
    if (!this.#isUp) return;
    this.#waiting.push({ command, reply });
    this.#startCommit();
  }

  /** Commits fail for a while. */
  loseDatabase(durationMs: number): void {
    this.#isAway = true;
    this.#world.queue.after(durationMs, () => {
      this.#isAway = false;
      this.#stableSinceMs = this.#world.queue.nowMs;
    });
  }

  /** The next commit is done, and nobody learns that it was. */
  loseNextAcknowledgement(): void {
    this.#isUncertain = true;
  }

  /** Dies and comes back, maybe with another clock. */
  kill(durationMs: number, clockOffMs: number): void {
    this.#isUp = false;
    this.#life += 1;
    this.#waiting = [];
    this.#isCommitting = false;
    const life = this.#life;
    this.#world.queue.after(durationMs, () => {
      if (life !== this.#life) return;
      this.#clockOffMs = clockOffMs;
      this.#isUp = true;
      this.#reload();
    });
  }

  #startCommit(): void {
    if (this.#isCommitting || this.#waiting.length === 0) return;
    this.#isCommitting = true;
    const batch = this.#waiting;
    this.#waiting = [];
    const life = this.#life;
    const atMs = startMs + this.#clockOffMs + Math.floor(this.#world.queue.nowMs);
    const decisions = batch.map(({ command, reply }) => {
      const timed: LedgerCommand = { ...command, atMs };
      return { command: timed, reply, decision: decide(this.#state, timed) };
    });
    this.#world.queue.after(this.#chance.between(1, 6), () => {
      if (life !== this.#life) {
        // Killed meanwhile: the commit may have reached the database, and then it is done.
        if (!this.#isAway && this.#chance.happens(0.5)) this.#store(decisions);
        return;
      }
      this.#isCommitting = false;
      if (this.#isAway) this.#reload();
      else {
        this.#store(decisions);
        if (this.#isUncertain) {
          this.#isUncertain = false;
          this.#reload();
        } else for (const { reply, decision } of decisions) this.#answer(reply, decision.answer);
      }
      this.#startCommit();
    });
  }

  #store(decisions: readonly { command: LedgerCommand; decision: ReturnType<typeof decide> }[]) {
    for (const { command, decision } of decisions) {
      const { answer, isRepeated, transfers } = decision;
      if (isRepeated) continue;
      this.#world.auditor.observe({ kind: "decided", command, answer });
      if (answer.kind === "refused") continue;
      decide(this.#committed, command);
      for (const { from, to, amountMicros } of transfers) {
        this.transferred.set(from, (this.transferred.get(from) ?? 0n) - amountMicros);
        this.transferred.set(to, (this.transferred.get(to) ?? 0n) + amountMicros);
      }
    }
  }

  #answer(reply: (answer: Answer) => void, answer: Answer): void {
    const isLack = answer.kind === "refused" && answer.code === "credit_exhausted";
    if (isLack && answer.leasedMicros > 0n) this.onLack();
    this.#world.send(() => reply(answer));
  }

  #reload(): void {
    this.#stableSinceMs = this.#world.queue.nowMs;
    this.#state = copyLedger(this.#committed);
    const broken = brokenInvariants(this.#state);
    for (const sentence of broken) this.#world.auditor.violations.push(sentence);
  }

  /** Frees what nobody renewed; not while renewals may have been kept from coming. */
  #sweep(): void {
    this.#world.queue.after(1_000, () => {
      const isStable = this.#world.queue.nowMs - this.#stableSinceMs >= stableMs && !this.#isAway;
      if (this.#isUp && isStable) {
        this.#sweepCount += 1;
        const id = `sweep/${this.#life}/${this.#sweepCount}`;
        this.receive({ kind: "expire-holds", id: `${id}/holds` }, () => {});
        this.receive({ kind: "expire-lots", id: `${id}/lots` }, () => {});
      }
      this.#sweep();
    });
  }
}
