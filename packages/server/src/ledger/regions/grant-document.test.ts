import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import {
  contentText,
  type DocumentContent,
  type DocumentVersion,
  editVersions,
  effectiveContent,
  givenText,
  isConflict,
  mergeVersions,
} from "./grant-document.ts";
import { compareClocks, mergeClocks } from "./vector-clock.ts";

const regions = ["eu", "us", "ap"] as const;
const amountMicros = fc.constantFrom(10n, 20n, 30n);

function budget(limitMicros: bigint, isHard = true): DocumentContent {
  const scope = { kind: "tenant" } as const;
  const terms = { budgetId: "b", currency: "USD", scope, window: { kind: "day" } } as const;
  return { kind: "budget", terms: { ...terms, limitMicros, isHard, thresholdPercents: [] } };
}

function grant(micros: bigint): DocumentContent {
  const given = { currency: "USD", amountMicros: micros, priority: 0, expiresAtMs: undefined };
  return { kind: "grant", given: [{ ...given, currency: "USD" }] };
}

const budgetContent: fc.Arbitrary<DocumentContent> = fc.oneof(
  fc.tuple(amountMicros, fc.boolean()).map(([micros, isHard]) => budget(micros, isHard)),
  fc.constant<DocumentContent>({ kind: "budget-removed", budgetId: "b" }),
);
const region = fc.constantFrom(...regions);

/** What happens to one document: somebody edits it in a region, or a region hears from another one. */
function historyOf(content: fc.Arbitrary<DocumentContent>) {
  return fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant("edit" as const), at: region, content }),
      fc.record({ kind: fc.constant("hear" as const), at: region, from: region }),
    ),
    { maxLength: 24 },
  );
}

type History = ReturnType<typeof historyOf> extends fc.Arbitrary<infer Value> ? Value : never;

interface Replay {
  readonly versions: Map<string, readonly DocumentVersion[]>;
  /** By its text, the edits that an edit came after: found without clocks. */
  readonly before: Map<DocumentVersion, ReadonlySet<DocumentVersion>>;
}

function replay(history: History): Replay {
  const versions = new Map<string, readonly DocumentVersion[]>(regions.map((name) => [name, []]));
  const known = new Map(regions.map((name) => [name as string, new Set<DocumentVersion>()]));
  const before: Replay["before"] = new Map();
  for (const [index, step] of history.entries()) {
    const mine = versions.get(step.at) ?? [];
    const seen = known.get(step.at) ?? new Set();
    if (step.kind === "edit") {
      const edit = { content: step.content, region: step.at, editedAtMs: index };
      const version = editVersions(mine, edit);
      before.set(version, new Set(seen));
      seen.add(version);
      versions.set(step.at, mergeVersions(mine, [version]));
    } else {
      versions.set(step.at, mergeVersions(mine, versions.get(step.from) ?? []));
      for (const version of known.get(step.from) ?? []) seen.add(version);
    }
  }
  return { versions, before };
}

function everything({ versions }: Replay): DocumentVersion[] {
  return [...versions.values()].reduce<DocumentVersion[]>(
    (all, some) => mergeVersions(all, some),
    [],
  );
}

describe("grant documents", () => {
  it("merge to the same in whatever order, grouping and number", () => {
    fc.assert(
      fc.property(historyOf(budgetContent), (history) => {
        const [a = [], b = [], c = []] = [...replay(history).versions.values()];
        expect(mergeVersions(a, b)).toEqual(mergeVersions(b, a));
        expect(mergeVersions(mergeVersions(a, b), c)).toEqual(
          mergeVersions(a, mergeVersions(b, c)),
        );
        expect(mergeVersions(a, a)).toEqual(mergeVersions(a, []));
        expect(mergeVersions(mergeVersions(a, b), b)).toEqual(mergeVersions(a, b));
      }),
    );
  });

  it("keep an edit exactly until one is made that knew of it", () => {
    fc.assert(
      fc.property(historyOf(budgetContent), (history) => {
        const replayed = replay(history);
        const { before } = replayed;
        const followed = new Set([...before.values()].flatMap((earlier) => [...earlier]));
        const open = [...before.keys()].filter((version) => !followed.has(version));
        expect(new Set(everything(replayed))).toEqual(new Set(open));
      }),
    );
  });

  it("have clocks that tell who knew of whom", () => {
    fc.assert(
      fc.property(historyOf(budgetContent), (history) => {
        const { before } = replay(history);
        for (const [one, earlier] of before) {
          for (const other of before.keys()) {
            if (one === other) continue;
            const order = compareClocks(other.clock, one.clock);
            expect(order === "before").toBe(earlier.has(other));
          }
        }
      }),
    );
  });

  it("never lose a grant, whoever gives what under whatever id, and however it is resolved", () => {
    fc.assert(
      fc.property(historyOf(amountMicros.map(grant)), (history) => {
        const replayed = replay(history);
        const merged = everything(replayed);
        const resolved = editVersions(merged, {
          content: { kind: "grant", given: [] },
          region: "eu",
          editedAtMs: 99,
        });
        for (const step of history) {
          if (step.kind !== "edit" || step.content.kind !== "grant") continue;
          for (const one of step.content.given) {
            const held = effectiveContent(merged);
            const after = effectiveContent(mergeVersions(merged, [resolved]));
            for (const content of [held, after])
              expect(content?.kind === "grant" ? content.given.map(givenText) : []).toContain(
                givenText(one),
              );
          }
        }
      }),
    );
  });

  it("hold the lowest limit of those that contradict one another, hard when one is, until a person decides", () => {
    fc.assert(
      fc.property(historyOf(budgetContent), (history) => {
        const merged = everything(replay(history));
        const held = effectiveContent(merged);
        const budgets = merged.flatMap(({ content }) =>
          content.kind === "budget" ? [content.terms] : [],
        );
        if (held?.kind === "budget") {
          for (const { limitMicros, isHard } of budgets) {
            expect(held.terms.limitMicros <= limitMicros).toBe(true);
            if (isHard) expect(held.terms.isHard).toBe(true);
          }
        } else expect(budgets).toEqual([]);
        expect(isConflict(merged)).toBe(
          new Set(merged.map(({ content }) => contentText(content))).size > 1,
        );
        const decided = editVersions(merged, {
          content: budget(15n),
          region: "us",
          editedAtMs: 99,
        });
        const after = mergeVersions(merged, [decided]);
        expect(isConflict(after)).toBe(false);
        expect(effectiveContent(after)).toEqual(budget(15n));
      }),
    );
  });

  it("stand side by side when two edits have one clock, as after a restored backup", () => {
    const one = editVersions([], { content: budget(10n), region: "eu", editedAtMs: 1 });
    const other = editVersions([], { content: budget(20n), region: "eu", editedAtMs: 1 });
    expect(isConflict(mergeVersions([one], [other]))).toBe(true);
    expect(mergeClocks([one.clock, other.clock])).toEqual({ eu: 1 });
  });
});
