import { describe, expect, it } from "vitest";

import type { EvaluationContent } from "../model/evaluation.ts";
import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { createSnapshot, snapshotOf } from "../snapshot/create-snapshot.ts";
import { seeded } from "./canary/canary-maker.ts";
import { evaluationScores } from "./evaluation-scores.ts";

interface RunPlan {
  readonly run: string;
  readonly count?: number;
  readonly scoreOf: (at: number, next: () => number) => number;
  readonly metric?: string;
  readonly components?: Readonly<Record<string, string>>;
  readonly ranMicros?: number;
}

function runOf(plan: RunPlan, seed = 1): EvaluationContent {
  const next = seeded(seed);
  const { run, count = 200, metric = "correctness", components = {}, ranMicros } = plan;
  return {
    kind: "evaluation",
    tool: "test",
    suite: "support",
    run,
    ...(ranMicros === undefined ? {} : { ranMicros }),
    variants: [{ name: Object.values(components).join(", "), components }],
    cases: Array.from({ length: count }, (_, at) => ({
      id: `case ${at}`,
      variant: 0,
      scores: { [metric]: plan.scoreOf(at, next) },
    })),
  };
}

function check(...contents: readonly EvaluationContent[]): Finding[] {
  const source = { name: "evaluation", format: "test", notes: [] };
  return evaluationScores.check(createSnapshot(contents.map((content) => ({ source, content }))));
}

/** Hard and easy cases; the same in each run but for a little noise. */
const usual = (at: number, next: () => number): number =>
  Math.min(1, Math.max(0, ((at * 37) % 100) / 100 + 0.05 * (next() - 0.5)));

describe("two evaluations of the same cases", () => {
  it("find a small loss case by case that populations would not show", () => {
    const [finding] = check(
      runOf({ run: "baseline", scoreOf: usual }, 1),
      runOf({ run: "candidate", scoreOf: (at, next) => usual(at, next) - 0.04 }, 2),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "change",
      measures: { baseline: "baseline", candidate: "candidate", isPaired: true, caseCount: 200 },
    });
    expect(finding?.title).toMatch(
      /^candidate scores worse than baseline: correctness 0\.4\d* against 0\.\d+\.$/,
    );
    expect(finding?.evidence[0]?.locator).toMatch(/^\/cases\/\d+$/);
  });

  it("find what failed newly, and name the cases", () => {
    const passed = (at: number): number => (at % 10 === 0 ? 0 : 1);
    const [finding] = check(
      runOf({ run: "before", scoreOf: passed, metric: "passed" }),
      runOf({ run: "after", scoreOf: (at) => (at % 9 === 1 ? 0 : passed(at)), metric: "passed" }),
    );
    expect(finding?.verdict).toBe("violated");
    expect(finding?.actual).toContain("Worse among others: case 1;");
  });

  it("hold where nothing changes, and where the newer one is better", () => {
    const before = runOf({ run: "v1", scoreOf: usual }, 1);
    expect(check(before, runOf({ run: "v2", scoreOf: usual }, 2))[0]?.verdict).toBe("holds");
    const better = runOf({ run: "v2", scoreOf: (at, next) => usual(at, next) + 0.1 }, 3);
    expect(check(before, better)[0]?.verdict).toBe("holds");
  });

  it("quote no case that has no score", () => {
    const plan = { scoreOf: (at: number) => (at % 3) / 2, metric: "judge" };
    const [before, after] = ["v1", "v2"].map((run) => runOf({ run, ...plan }));
    const withoutThree = (content: EvaluationContent | undefined): EvaluationContent => ({
      ...runOf({ run: "", ...plan }),
      ...content,
      cases: (content?.cases ?? []).map((item, at) => (at < 3 ? { ...item, scores: {} } : item)),
    });
    const [finding] = check(withoutThree(before), withoutThree(after));
    expect(finding?.verdict).toBe("holds");
    expect(finding?.evidence.map(({ locator }) => locator)).toEqual(["/cases/3", "/cases/3"]);
    expect(JSON.stringify(finding)).not.toContain("NaN");
  });

  it("are inconclusive where the newer variant has no score of cases that the older one has one of", () => {
    const before = runOf({ run: "v1", scoreOf: usual }, 1);
    const after = runOf({ run: "v2", scoreOf: usual }, 2);
    const failed = {
      ...after,
      cases: after.cases.map((item, at) =>
        at % 5 === 0 ? { ...item, scores: {}, error: "it broke" } : item,
      ),
    };
    const [finding] = check(before, failed);
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.title).toMatch(/v2 has no correctness of 40 cases/);
  });

  it("know of which metrics less is better", () => {
    const [finding] = check(
      runOf({ run: "old", scoreOf: usual, metric: "toxicity" }, 1),
      runOf({ run: "new", scoreOf: (at, next) => usual(at, next) + 0.05, metric: "toxicity" }, 2),
    );
    expect(finding?.verdict).toBe("violated");
  });

  it.each(["duration_ms", "edit_distance", "elapsed seconds"])("hold where %s falls", (metric) => {
    const [finding] = check(
      runOf({ run: "old", scoreOf: usual, metric }, 1),
      runOf({ run: "new", scoreOf: (at, next) => usual(at, next) - 0.1, metric }, 2),
    );
    expect(finding?.verdict).toBe("holds");
  });

  it.each(["completion_tokens", "answer length", "stepCount"])(
    "do not know whether more or less of %s is better",
    (metric) => {
      const [finding] = check(
        runOf({ run: "old", scoreOf: usual, metric }, 1),
        runOf({ run: "new", scoreOf: (at, next) => usual(at, next) - 0.1, metric }, 2),
      );
      expect(finding?.verdict).toBe("inconclusive");
    },
  );

  it("are inconclusive where no case is in both", () => {
    const one = runOf({ run: "old", scoreOf: usual }, 1);
    const two = runOf({ run: "new", scoreOf: (at, next) => usual(at, next) - 0.3 }, 2);
    const others = {
      ...two,
      cases: two.cases.map((item) => ({ ...item, id: `other ${item.id}` })),
    };
    expect(check(one, others)[0]?.verdict).toBe("inconclusive");
  });

  it("tell the newer one by when it ran, where both are of one model", () => {
    const worse = (at: number, next: () => number): number => usual(at, next) - 0.1;
    const [finding] = check(
      runOf({ run: "x", scoreOf: worse, ranMicros: 2e15 }, 1),
      runOf({ run: "y", scoreOf: usual, ranMicros: 1e15 }, 2),
    );
    expect(finding).toMatchObject({ verdict: "violated", measures: { candidate: "x" } });
  });

  it.each([
    {
      why: "nobody says which is newer",
      of: [{}, {}],
      title: /nobody says which is the newer one/,
    },
    {
      why: "two things differ at once",
      of: [
        { model: "m-1", prompt: "a" },
        { model: "m-2", prompt: "b" },
      ],
      title: /confounded: they differ in model and prompt/,
    },
  ])("are inconclusive where $why", ({ of: [components = {}, others = {}], title }) => {
    const [finding] = check(
      runOf({ run: "x", scoreOf: usual, components }, 1),
      runOf({ run: "y", scoreOf: (at, next) => usual(at, next) - 0.1, components: others }, 2),
    );
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.title).toMatch(title);
  });

  it("are inconclusive where too few cases could show a loss", () => {
    const some = (_at: number, next: () => number): number => (next() < 0.7 ? 1 : 0);
    const [finding] = check(
      runOf({ run: "v1", scoreOf: some, count: 30 }, 1),
      runOf({ run: "v2", scoreOf: some, count: 30 }, 2),
    );
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.title).toMatch(/a loss of less than \d+ % in correctness could not be seen/);
    expect(check(runOf({ run: "v1", scoreOf: usual }))).toEqual([]);
  });

  it("find the same whichever comes first", () => {
    const one = runOf({ run: "v1", scoreOf: usual }, 1);
    const two = runOf({ run: "v2", scoreOf: (at, next) => usual(at, next) - 0.1 }, 2);
    expect(check(two, one).map(({ title }) => title)).toEqual(
      check(one, two).map(({ title }) => title),
    );
  });
});

it("calls at most 1 in 100 of 1,000 pairs of equal variants unlike, over all metrics together", () => {
  let called = 0;
  for (let seed = 0; seed < 1_000; seed += 1) {
    const contents = ["v1", "v2"].map((run, place): EvaluationContent => {
      const next = seeded(seed * 2 + place + 11);
      const base = runOf({ run, count: 60, scoreOf: () => 0 });
      return {
        ...base,
        cases: base.cases.map((item, at) => ({
          ...item,
          scores: {
            passed: next() < (at % 10) / 10 ? 1 : 0,
            quality: usual(at, next),
            rating: 1 + Math.floor(5 * next() ** 2),
          },
        })),
      };
    });
    if (check(...contents).some(({ verdict }) => verdict === "violated")) called += 1;
  }
  expect(called).toBeLessThanOrEqual(10 + 3 * Math.sqrt(10));
});

it("compares two files of records as they lie in two folders", () => {
  const file = (folder: string, shift: number): { name: string; bytes: Uint8Array } => ({
    name: `${folder}/results.jsonl`,
    bytes: new TextEncoder().encode(
      Array.from({ length: 80 }, (_, at) =>
        JSON.stringify({ case_id: `q${at}`, model: "gpt-4o", score: ((at * 7) % 10) / 10 - shift }),
      ).join("\n"),
    ),
  });
  const { evidence } = readEvidence([file("baseline", 0), file("candidate", 0.1)]);
  expect(evaluationScores.check(snapshotOf(evidence))[0]).toMatchObject({
    verdict: "violated",
    measures: { candidate: "candidate/results (gpt-4o)" },
  });
});
