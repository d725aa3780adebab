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

interface Decided {
  readonly command: LedgerCommand;
  readonly decision: ReturnType<typeof decide>;
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
  /** Who may write: the database knows the process that read it last. */
  #writer = 1;
  /** Processes that stand still, and when they go on. */
  readonly #wakesAtMs = new Map<number, number>();
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

  /** Stands still with what it was about to write, while another process takes over; then goes on, and knows of nothing. */
  replace(durationMs: number, stillMs: number): void {
    this.#wakesAtMs.set(this.#life, this.#world.queue.nowMs + stillMs);
    this.kill(durationMs, this.#clockOffMs);
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
    const writer = this.#writer;
    const wakesAtMs = (): number => this.#wakesAtMs.get(life) ?? 0;
    this.#world.queue.after(this.#chance.between(1, 6), () => {
      if (life !== this.#life && wakesAtMs() > 0) {
        const stillMs = wakesAtMs() - this.#world.queue.nowMs;
        this.#world.queue.after(stillMs, () => this.#write(writer, decisions));
        return;
      }
      if (life !== this.#life) {
        // Killed meanwhile: the commit may have reached the database, and then it is done.
        if (!this.#isAway && this.#chance.happens(0.5)) this.#write(writer, decisions);
        return;
      }
      this.#isCommitting = false;
      if (this.#isAway) this.#reload();
      else {
        this.#write(writer, decisions);
        if (this.#isUncertain) {
          this.#isUncertain = false;
          this.#reload();
        } else for (const { reply, decision } of decisions) this.#answer(reply, decision.answer);
      }
      this.#startCommit();
    });
  }

  /** The database takes nothing from a process that was replaced. */
  #write(writer: number, decisions: readonly Decided[]): void {
    if (writer !== this.#writer) return;
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
    this.#writer += 1;
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
