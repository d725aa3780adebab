/** Correct conversations in every format are never flagged; broken ones nearly always are. */

import { describe, expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { toolCallContracts } from "./contracts.ts";
import { script, type Script } from "./fixtures/corpus.ts";
import { corpusFormats } from "./fixtures/corpus-formats.ts";
import { recordedFormats } from "./fixtures/recorded-formats.ts";
import { mutate, mutations } from "./fixtures/mutations.ts";
import { toolCallSchema } from "./schema.ts";

const scriptCount = 25;
const seeds = Array.from({ length: scriptCount }, (_, index) => index + 1);

function findingsOf(text: string, contracts = toolCallContracts): Finding[] {
  const { evidence, unreadable } = readEvidence([
    { name: "corpus.json", bytes: new TextEncoder().encode(text) },
  ]);
  expect(unreadable).toEqual([]);
  const snapshot = snapshotOf(evidence);
  return contracts.flatMap((contract) => contract.check(snapshot));
}

/** Whether a call that has its result stands after the one that has none. */
function hasLaterCall({ steps }: Script): boolean {
  const calls = steps.flatMap((step) => ("calls" in step ? step.calls : []));
  return calls.at(-1)?.result !== undefined;
}

describe.each(
  [...corpusFormats, ...recordedFormats].map((format) => [format.name, format] as const),
)("%s", (_name, format) => {
  test("correct conversations are never flagged, and their calls are judged", () => {
    for (const seed of seeds) {
      const findings = findingsOf(format.write(script(seed)));
      const wrong = findings.filter(({ verdict }) => verdict !== "holds");
      expect(wrong.map(({ contract, title }) => `${seed} ${contract}: ${title}`)).toEqual([]);
      const judged = findings.filter(({ contract }) => contract === "tool-call/schema");
      expect(judged.length).toBeGreaterThan(0);
    }
  });

  test("of the broken ones at least 95 % are flagged", () => {
    const missed: string[] = [];
    let count = 0;
    for (const seed of seeds) {
      for (const mutation of mutations) {
        if (mutation === "unpaired" && !format.hasResults) continue;
        const broken = mutate(script(seed), mutation, seed);
        if (broken === undefined) continue;
        // The last call of a log without words may be the one during which the log ends.
        if (mutation === "unpaired" && !format.hasWords && !hasLaterCall(broken)) continue;
        count += 1;
        const findings = findingsOf(format.write(broken), [toolCallSchema]);
        if (!findings.some(({ verdict }) => verdict === "violated"))
          missed.push(`${mutation} ${seed}`);
      }
    }
    expect(count).toBeGreaterThan(scriptCount * 3);
    expect(missed.length, missed.join(", ")).toBeLessThanOrEqual(count * 0.05);
  });
});
