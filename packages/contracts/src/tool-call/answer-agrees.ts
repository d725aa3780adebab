/** The contract tool-call/answer-agrees: an answer does not contradict the results that it rests on. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { type Contradiction, contradictionsOf } from "./contradictions.ts";
import type { Conversation, Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { answerOf, type Stretch, stretchesOf } from "./conversation/user-turns.ts";
import { type Leaf, leavesOf } from "./leaves.ts";
import { resultText, resultValue, stateOf } from "./result-state.ts";
import { Support } from "./support.ts";
import { traitsOf } from "./tool-traits.ts";
import { Verdicts } from "./verdicts.ts";

export const answerAgrees: Contract = defineContract({
  id: "tool-call/answer-agrees",
  version: 1,
  boundary: "model-tool",
  promise: "What an answer states about a key of a tool's result is what the result says.",
  reads: ["transcript", "trace"],
  options: {},
  check(snapshot, _options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      const before = new Before(conversation);
      for (const stretch of stretchesOf(conversation)) {
        judge(conversation, stretch, { before, verdicts });
      }
    }
    return verdicts.findings(found, {
      holds: "gave values that the answer repeats as they are",
      nextCheck: "Read the answer beside the results.",
    });
  },
});

/** A value in a result of this stretch, and whose it is. */
interface Fact {
  readonly leaf: Leaf;
  readonly exchange: Exchange;
}

function judge(
  conversation: Conversation,
  stretch: Stretch,
  { before, verdicts }: { before: Before; verdicts: Verdicts },
): void {
  const answer = answerOf(conversation, stretch);
  if (answer === undefined) return;
  const read = stretch.exchanges.filter(
    ({ result, resultTurn }) => result !== undefined && resultTurn < answer.turn,
  );
  if (read.length === 0) return;
  const facts = read.flatMap((exchange): Fact[] => {
    const { result } = exchange;
    const state = result === undefined ? "error" : stateOf(result);
    if (result === undefined || state === "error" || state === "denied") return [];
    return leavesOf(resultValue(result)).map((leaf) => ({ leaf, exchange }));
  });
  before.readUntil(answer.turn);
  const { contradictions, agreeing } = contradictionsOf(answer.text, {
    leaves: facts.map(({ leaf }) => leaf),
    said: (text) => before.says(text),
    support: before.support,
    hasChanges: read.some(
      ({ tool, definition }) => traitsOf(tool, definition).isChanging !== false,
    ),
    emptyResults: emptyOnes(read),
  });
  const pointer = conversation.turns[answer.turn]?.pointer ?? "";
  for (const contradiction of contradictions) {
    const exchange = ownerOf(contradiction, { facts, read });
    if (exchange !== undefined) report(contradiction, { exchange, pointer, verdicts });
  }
  const [first] = agreeing;
  const owner = facts.find(({ leaf }) => leaf === first)?.exchange;
  if (contradictions.length === 0 && owner !== undefined)
    verdicts.fits(owner.tool, owner.reference);
}

function ownerOf(
  { leaf }: Contradiction,
  { facts, read }: { facts: readonly Fact[]; read: readonly Exchange[] },
): Exchange | undefined {
  return leaf === undefined ? read[0] : facts.find((fact) => fact.leaf === leaf)?.exchange;
}

/** Whether all that was found is nothing, so that an answer which names items has them from nowhere. */
function emptyOnes(read: readonly Exchange[]): boolean {
  return read.every(
    ({ result }) =>
      result !== undefined &&
      stateOf(result) === "empty" &&
      typeof resultValue(result) === "object",
  );
}

/** What was said before an answer. It is read once, from one answer to the next. */
class Before {
  /** The numbers that the answer may rest on. */
  readonly support = new Support();
  readonly #turns: Conversation["turns"];
  /** Texts that the model read, in lower case. */
  readonly #texts: string[] = [];
  #next = 0;

  constructor({ turns }: Conversation) {
    this.#turns = turns;
  }

  /** Reads the turns up to that of an answer, which comes after the one before. */
  readUntil(end: number): void {
    for (; this.#next < end; this.#next += 1) {
      const turn = this.#turns[this.#next];
      if (turn === undefined) return;
      const { role, text, instructions, results, calls } = turn;
      if (role !== "assistant" && text !== undefined) this.#texts.push(text.toLowerCase());
      if (instructions !== undefined) {
        this.#texts.push(instructions.toLowerCase());
        this.support.addText(instructions);
      }
      if (text !== undefined) this.support.addText(text);
      for (const result of results) {
        const read = resultText(result);
        this.#texts.push(read.toLowerCase());
        this.support.addText(read);
        for (const length of listLengths(resultValue(result), 0)) this.support.add(length);
      }
      for (const call of calls) this.support.addText(JSON.stringify(call.arguments ?? ""));
    }
  }

  /** Whether the model read a text, given in lower case. */
  says(text: string): boolean {
    return this.#texts.some((item) => item.includes(text));
  }
}

function listLengths(value: unknown, depth: number): number[] {
  if (typeof value !== "object" || value === null || depth > 6) return [];
  const own = Array.isArray(value) ? [value.length] : [];
  const inner: readonly unknown[] = Object.values(value);
  return [...own, ...inner.slice(0, 200).flatMap((item) => listLengths(item, depth + 1))];
}

function report(
  { kind, name, stated, recorded }: Contradiction,
  { exchange, pointer, verdicts }: { exchange: Exchange; pointer: string; verdicts: Verdicts },
): void {
  const { tool, reference, result } = exchange;
  const about = name === "" ? "what was found" : `'${name}'`;
  verdicts.violated({
    tool,
    fault: name === "" ? kind : `${kind} ${name}`,
    what: `gave ${recorded} for ${about}, and the answer states ${stated}, which nothing before it supports`,
    expected: `${about} as the result says: ${recorded}`,
    actual: `the answer states ${stated}`,
    causeKind: "data",
    fix: "Have the answer quote values from results by their keys, or check it against them before it is sent.",
    nextCheck:
      "See whether the result was still whole in the context, or cut or summarised, when the answer was written.",
    evidence: [
      reference,
      { evidenceId: reference.evidenceId, locator: result?.pointer ?? "" },
      { evidenceId: reference.evidenceId, locator: pointer },
    ],
    measures: { key: name, stated, recorded },
  });
}
