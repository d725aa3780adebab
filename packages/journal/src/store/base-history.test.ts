import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Base } from "./base.ts";
import { BaseHistory } from "./base-history.ts";
import { binaryKey } from "./binary-key.ts";
import type { Block } from "./block.ts";
import { BlockBuilder } from "./block-builder.ts";

function blockOf(key: string, value = "v"): Block {
  const builder = new BlockBuilder(64);
  const entry = { key: binaryKey(Buffer.from(key)), value: Buffer.from(value) };
  builder.addWrite({ ...entry, expiresAtMs: Infinity });
  const block = builder.take();
  if (block === undefined) throw new Error("An entry was added.");
  return block;
}

function isReleased({ memory }: Block): boolean {
  return memory.byteLength === 0;
}

type Step =
  | { readonly kind: "open" }
  | { readonly kind: "close"; readonly pick: number }
  | { readonly kind: "replace"; readonly kept: readonly boolean[]; readonly addedCount: number };

const arbitrarySteps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.constant<Step>({ kind: "open" }),
    fc.record({ kind: fc.constant("close" as const), pick: fc.nat({ max: 5 }) }),
    fc.record({
      kind: fc.constant("replace" as const),
      kept: fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
      addedCount: fc.nat({ max: 3 }),
    }),
  ),
  { maxLength: 60, size: "max" },
);

/** Every block that there ever was, and who can still reach it. */
class HistoryRun {
  readonly #all: Block[] = [blockOf("a"), blockOf("b")];
  #current: readonly Block[] = this.#all.slice();
  readonly #history = new BaseHistory(new Base(this.#current));
  readonly #views: { readonly generation: number; readonly blocks: readonly Block[] }[] = [];

  run(steps: readonly Step[]): void {
    for (const step of steps) {
      this.#step(step);
      this.#check();
    }
    while (this.#views.length > 0) this.#step({ kind: "close", pick: 0 });
    this.#check();
    expect(this.#history.pinnedBytes).toBe(0);
  }

  #step(step: Step): void {
    if (step.kind === "open") {
      this.#views.push({ generation: this.#history.open(), blocks: this.#current });
    } else if (step.kind === "close") {
      const [view] = this.#views.splice(step.pick % Math.max(1, this.#views.length), 1);
      if (view !== undefined) this.#history.close(view.generation);
    } else {
      const kept = this.#current.filter((_, index) => step.kept[index] ?? false);
      const replaced = this.#current.filter((block) => !kept.includes(block));
      const added = Array.from({ length: step.addedCount }, () => blockOf("c"));
      this.#all.push(...added);
      this.#current = [...kept, ...added];
      this.#history.replace({
        base: new Base(this.#current),
        added: added.map(({ memory }) => memory),
        replaced: replaced.map(({ memory }) => memory),
      });
    }
  }

  #check(): void {
    const reachable = new Set([...this.#current, ...this.#views.flatMap(({ blocks }) => blocks)]);
    expect(this.#all.map((block) => !isReleased(block))).toEqual(
      this.#all.map((block) => reachable.has(block)),
    );
    const pinned = [...reachable].filter((block) => !this.#current.includes(block));
    const pinnedBytes = pinned.reduce((sum, { memory }) => sum + memory.byteLength, 0);
    expect(this.#history.pinnedBytes).toBe(pinnedBytes);
  }
}

describe("the history of the base", () => {
  it("holds exactly the blocks that the current base or an open view can reach", () => {
    fc.assert(fc.property(arbitrarySteps, (steps) => new HistoryRun().run(steps)));
  });
});
