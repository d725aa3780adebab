/** What one transcript is like, as numbers: whether a tool failed in it, whether it was refused, how long it is, its tools. */

import { stateOf } from "../../tool-call/result-state.ts";
import type { ScoreTable } from "../evaluations/compare-scores.ts";
import type { Transcript, TranscriptSides } from "./sides.ts";

/** Beginnings by which models refuse. */
const refusal =
  /^(?:I(?:'|’)?m (?:very |really )?sorry,? (?:but )?I (?:can(?:'|’)?t|cannot|am (?:not able|unable))|I (?:can(?:'|’)?t|cannot|won(?:'|’)?t|am (?:not able|unable) to) (?:help|assist|comply|do that|provide|create|discuss|support|fulfil)|Sorry,? (?:but )?I (?:can(?:'|’)?t|cannot)|I must decline|I decline|I(?:'|’)?m (?:not able|unable) to (?:help|assist|provide|comply))/i;

/** Tools that are told apart; the rest are left out. */
const toolCountMax = 64;

/** Features of both sides by case; cases of one first request are the same where they are told apart by it. */
export function featureTables({ baseline, candidate }: TranscriptSides): [ScoreTable, ScoreTable] {
  const sides = [baseline.transcripts, candidate.transcripts] as const;
  const tools = toolsOf([...sides[0], ...sides[1]]);
  const [first, second] = sides.map((transcripts, side) => tableOf(transcripts, tools, side));
  return [first ?? new Map(), second ?? new Map()];
}

function tableOf(
  transcripts: readonly Transcript[],
  tools: readonly string[],
  side: number,
): ScoreTable {
  const requests = transcripts.map(requestOf);
  const counts = new Map<string, number>();
  for (const request of requests) counts.set(request, (counts.get(request) ?? 0) + 1);
  const table = new Map<string, Map<string, number>>();
  for (const [at, transcript] of transcripts.entries()) {
    const request = requests[at] ?? "";
    const isKnown = request !== "" && counts.get(request) === 1;
    const id = isKnown ? request : `${side} ${transcript.id}`;
    for (const [name, value] of featuresOf(transcript, tools)) {
      const values = table.get(name) ?? new Map<string, number>();
      table.set(name, values.set(id, value));
    }
  }
  return table;
}

/** What was asked first. */
export function requestOf({ content }: Transcript): string {
  return content.turns.find(({ role }) => role === "user")?.text?.trim() ?? "";
}

function featuresOf(
  { content }: Transcript,
  tools: readonly string[],
): (readonly [name: string, value: number])[] {
  const { turns } = content;
  const called = new Set(turns.flatMap(({ calls }) => calls.map(({ name }) => name)));
  const hasFailed = turns.some(({ results }) =>
    results.some((result) => stateOf(result) === "error"),
  );
  const answers = turns.filter(({ role }) => role === "assistant");
  const last = answers.at(-1);
  const isRefused = refusal.test(last?.text?.trimStart() ?? "");
  return [
    ["tool errors", hasFailed ? 1 : 0],
    ["refusals", isRefused ? 1 : 0],
    ["turns", answers.length],
    ["tool calls", turns.reduce((sum, { calls }) => sum + calls.length, 0)],
    ...tools.map((tool): [string, number] => [`use of ${tool}`, called.has(tool) ? 1 : 0]),
  ];
}

/** The tools that were called, the most frequent first. */
function toolsOf(transcripts: readonly Transcript[]): string[] {
  const counts = new Map<string, number>();
  for (const { content } of transcripts)
    for (const { calls } of content.turns)
      for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .sort(([left, count], [right, other]) => other - count || (left < right ? -1 : 1))
    .slice(0, toolCountMax)
    .map(([name]) => name);
}
