/** Who opens the account, grants credit and sets budgets; sends again until the ledger has answered. */

import type { BudgetScope, BudgetWindow } from "@faultline/server/ledger/rules/types.ts";
import type { BudgetRule } from "@faultline/server/ledger/worker/budget-rules.ts";

import type { Chance } from "./chance.ts";
import type { Gateway } from "./gateway.ts";
import type { LedgerProcess, SentCommand } from "./ledger-process.ts";
import { startMs, type World } from "./world.ts";

const resendMs = 700;
const currency = "USD" as const;

export class Administrator {
  readonly #world: World;
  readonly #ledger: LedgerProcess;
  readonly #gateways: readonly Gateway[];
  readonly #chance: Chance;
  readonly #rules = new Map<string, BudgetRule>();
  readonly #unanswered = new Set<string>();
  #count = 0;

  constructor(
    world: World,
    parts: { ledger: LedgerProcess; gateways: readonly Gateway[]; chance: Chance },
  ) {
    this.#world = world;
    this.#ledger = parts.ledger;
    this.#gateways = parts.gateways;
    this.#chance = parts.chance.fork("administrator");
  }

  get isIdle(): boolean {
    return this.#unanswered.size === 0;
  }

  /** Plans everything that is done in a simulation. */
  plan(durationMs: number): void {
    const chance = this.#chance;
    const limitMicros = chance.happens(0.2) ? 20_000n : 0n;
    this.#at(0, { kind: "open-account", currency, limitMicros });
    this.#grantAt(20, chance.between(100_000, 400_000));
    for (let count = chance.between(2, 5); count > 0; count -= 1)
      this.#grantAt(chance.between(50, durationMs), chance.between(20_000, 250_000));
    this.#budgetAt(30, "by day", { kind: "tenant" }, { kind: "day" });
    this.#budgetAt(
      35,
      "of a key",
      { kind: "key", value: "key1" },
      { kind: "rolling", durationMs: 20_000 },
    );
    this.#budgetAt(40, "of a model", { kind: "model", value: "large" }, { kind: "total" });
    this.#budgetAt(45, "of a tag", { kind: "tag", value: "batch" }, { kind: "month" });
    const laterMs = chance.between(5_000, durationMs);
    this.#budgetAt(laterMs, "of a user", { kind: "user", value: "ann" }, { kind: "total" });
    this.#budgetAt(
      laterMs + 500,
      "of a model",
      { kind: "model", value: "large" },
      { kind: "total" },
    );
    if (chance.happens(0.3)) this.#removeAt(chance.between(8_000, durationMs), "of a key");
    for (let count = chance.between(0, 2); count > 0; count -= 1) {
      const direction = chance.pick<"give" | "take">(["give", "take"]);
      const amountMicros = BigInt(chance.between(1, 20_000));
      this.#at(chance.between(5_000, durationMs), {
        kind: "adjust",
        currency,
        direction,
        amountMicros,
      });
    }
    if (chance.happens(0.1)) {
      const closedMs = chance.between(10_000, durationMs);
      this.#at(closedMs, { kind: "close-account", currency });
      this.#at(closedMs + 2_000, { kind: "open-account", currency, limitMicros });
    }
  }

  #grantAt(afterMs: number, micros: number): void {
    const chance = this.#chance;
    const expiresAtMs = chance.happens(0.6)
      ? startMs + afterMs + chance.between(2_000, 60_000)
      : undefined;
    const terms = { amountMicros: BigInt(micros), priority: chance.between(0, 1), expiresAtMs };
    this.#at(afterMs, { kind: "grant", currency, ...terms });
  }

  #budgetAt(
    afterMs: number,
    budgetId: string,
    ...[scope, window]: [BudgetScope, BudgetWindow]
  ): void {
    const isHard = budgetId !== "of a tag";
    const limitMicros = BigInt(this.#chance.between(20_000, 600_000));
    const terms = {
      budgetId,
      currency,
      scope,
      window,
      limitMicros,
      isHard,
      thresholdPercents: [50, 90],
    };
    this.#at(afterMs, { kind: "set-budget", terms, spentMicros: 0n }, () => {
      this.#rules.set(budgetId, { budgetId, scope, isHard });
      this.#tell();
    });
  }

  #removeAt(afterMs: number, budgetId: string): void {
    this.#at(afterMs, { kind: "remove-budget", budgetId }, () => {
      this.#rules.delete(budgetId);
      this.#tell();
    });
  }

  #tell(): void {
    for (const gateway of this.#gateways) gateway.setRules([...this.#rules.values()]);
  }

  #at(afterMs: number, what: WithoutId<SentCommand>, then: () => void = () => {}): void {
    this.#count += 1;
    // Only the id was left out of the command.
    const command = { ...what, id: `admin/${this.#count}` } as SentCommand;
    this.#unanswered.add(command.id);
    const send = (): void => {
      if (!this.#unanswered.has(command.id)) return;
      this.#world.send(() => {
        this.#ledger.receive(command, (answer) => {
          const isNew = this.#unanswered.delete(command.id);
          if (isNew && answer.kind !== "refused") then();
        });
      });
      this.#world.queue.after(resendMs, send);
    };
    this.#world.queue.after(afterMs, send);
  }
}

type WithoutId<Command> = Command extends SentCommand ? Omit<Command, "id"> : never;
