import { describe, expect, it } from "vitest";

import { decide } from "../rules/decide.ts";
import { balanceOf } from "../rules/draft.ts";
import { emptyLedger } from "../rules/ledger-state.ts";
import { LeaseKeeper } from "./lease-keeper.ts";

const currency = "USD";
const price = { inputMicrosPerMillionTokens: 1_000_000, outputMicrosPerMillionTokens: 1_000_000 };
const what = { usageKind: "tokens", attribution: {}, price, isClampable: false } as const;

function world(epoch = 1) {
  const state = emptyLedger();
  decide(state, { kind: "open-account", id: "o", atMs: 0, currency, limitMicros: 0n });
  const amounts = { amountMicros: 10_000n, priority: 0, expiresAtMs: undefined };
  decide(state, { kind: "grant", id: "g", atMs: 0, currency, ...amounts });
  const terms = { workerId: "w", epoch, currency, durationMs: 10_000, minimumMicros: 100 } as const;
  const keeper = new LeaseKeeper(terms);
  const pump = (atMs: number): string[] =>
    keeper.due(atMs).map((command) => {
      keeper.answered(command.id, decide(state, { ...command, atMs }).answer);
      return command.kind;
    });
  const use = (usageId: string, atMs: number, tokens = 10) =>
    keeper.book.admit({ ...what, usageId, inputTokensMax: tokens, outputTokensMax: tokens }, atMs);
  return { state, keeper, pump, use };
}

describe("a lease keeper", () => {
  it("asks for a lease, reports uses, and returns everything when it stops", () => {
    const { state, keeper, pump, use } = world();
    expect(pump(0)).toEqual(["lease"]);
    const operation = use("u", 1);
    if (operation.kind !== "admitted") throw new Error("it fits");
    keeper.stop();
    expect(pump(2)).toEqual([]);
    keeper.book.settle(operation, 5);
    expect(pump(3)).toEqual(["report-lease"]);
    expect(pump(4)).toEqual(["return-lease"]);
    expect(keeper.isIdle).toBe(true);
    expect(balanceOf(state, "holds", currency)).toBe(0n);
    expect(balanceOf(state, "credit", currency)).toBe(9_995n);
  });

  it("asks for more as it spends faster, and gives back when it does not", () => {
    const { state, keeper, pump, use } = world();
    pump(0);
    for (let atMs = 1; atMs < 400; atMs += 10) {
      const operation = use(`u${atMs}`, atMs);
      if (operation.kind === "admitted") keeper.book.settle(operation, 20);
      pump(atMs);
    }
    const held = balanceOf(state, "holds", currency);
    expect(held).toBeGreaterThan(400n);
    const commands = [8_000, 14_000, 20_000, 26_000].flatMap((atMs) => pump(atMs));
    expect(commands).toContain("shrink-lease");
    expect(balanceOf(state, "holds", currency)).toBeLessThan(400n);
  });

  it("sends again what was not answered, and takes an answer once", () => {
    const { state, keeper } = world();
    const [first] = keeper.due(0);
    expect(keeper.due(499)).toEqual([]);
    const [again] = keeper.due(500);
    expect(again).toEqual(first);
    if (first === undefined) throw new Error("it asks for a lease");
    const { answer } = decide(state, { ...first, atMs: 0 });
    keeper.answered(first.id, answer);
    keeper.answered(first.id, answer);
    expect(keeper.book.current?.idleMicros).toBe(100);
    // It asked at 0, so its deadline counts from there.
    expect(keeper.book.current?.deadlineMonotonicMs).toBe(10_000);
  });

  it("ends its lease once a later life is known", () => {
    const { state, keeper, pump, use } = world();
    pump(0);
    const who = { workerId: "w", epoch: 2, currency, durationMs: 9, budgets: [] } as const;
    const amounts = { amountMicros: 1n, minimumMicros: 1n };
    decide(state, { kind: "lease", id: "next", atMs: 1, ...who, ...amounts });
    pump(6_000);
    expect(keeper.isFenced).toBe(true);
    expect(use("u", 6_001).kind).toBe("no-lease");
  });

  it("after standing still beyond its deadline admits nothing before it has a lease again", () => {
    const { pump, use } = world();
    pump(0);
    expect(use("u", 10_000).kind).toBe("no-lease");
    pump(10_001);
    expect(use("v", 10_002).kind).toBe("admitted");
  });

  it("gives back all that lies idle when it is recalled", () => {
    const { state, keeper, pump, use } = world();
    pump(0);
    use("u", 1);
    keeper.recall(2);
    expect(pump(2)).toContain("shrink-lease");
    expect(use("v", 3).kind).toBe("short");
    expect(balanceOf(state, "holds", currency)).toBeLessThan(120n);
  });
});
