/** The contract tool-call/loops: an agent that learns nothing new stops. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { plural } from "../text/plural.ts";
import type { Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { stretchesOf } from "./conversation/user-turns.ts";
import { resultText, saysPending, stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { keyOf } from "./value-key.ts";
import { Verdicts } from "./verdicts.ts";

interface Options {
  readonly repetitionCountMin: number;
  readonly pollCountMax: number;
  readonly callCountPerTurnMax: number;
}

/** Different calls of one cycle. */
const cycleLengthMax = 6;
/** Repetitions of a call that are far apart by the clock wait for something. */
const waitSecondsMin = 5;

export const loops: Contract = defineContract<Options>({
  id: "tool-call/loops",
  version: 3,
  boundary: "model-tool",
  promise:
    "Calls do not go round in a circle: the same calls with the same answers end before long.",
  reads: ["transcript", "trace"],
  options: {
    repetitionCountMin: {
      default: 3,
      description: "How often the same calls with the same answers must follow one another.",
    },
    pollCountMax: {
      default: 20,
      description:
        "Equal calls in a row of a tool that waits for something, such as a status, that are allowed.",
    },
    callCountPerTurnMax: {
      default: 0,
      description: "Calls that one message of the user may lead to; 0 for no such budget.",
    },
  },
  check(snapshot, options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      for (const { exchanges } of stretchesOf(conversation)) {
        judge(exchanges, { options, verdicts, changeMicros: conversation.changeMicros });
      }
    }
    return verdicts.findings(found, {
      holds: "went on to something new",
      nextCheck: "Record the results of the calls.",
    });
  },
});

interface Setting {
  readonly options: Options;
  readonly verdicts: Verdicts;
  readonly changeMicros: readonly number[];
}

function judge(exchanges: readonly Exchange[], { options, verdicts, changeMicros }: Setting): void {
  const budget = options.callCountPerTurnMax;
  const over = budget > 0 ? exchanges[budget] : undefined;
  if (over !== undefined) verdicts.violated(overBudget(over, exchanges, budget));
  const keys = exchanges.map(stepKey);
  const inCycle = new Set<number>();
  let at = 0;
  while (at < exchanges.length) {
    const cycle = cycleAt(exchanges, keys, { at, options, changeMicros });
    if (cycle === undefined) {
      at += 1;
      continue;
    }
    report(exchanges.slice(at, at + cycle.length * cycle.count), cycle, { options, verdicts });
    for (let index = at; index < at + cycle.length * cycle.count; index += 1) inCycle.add(index);
    at += cycle.length * cycle.count;
  }
  if (exchanges.length < options.repetitionCountMin) return;
  for (const [index, exchange] of exchanges.entries()) {
    if (!inCycle.has(index)) verdicts.fits(exchange.tool, exchange.reference);
  }
}

/** What a call is and what came of it; a call without a result is like no other. */
function stepKey({ tool, given, call, result }: Exchange): string | undefined {
  if (result === undefined) return undefined;
  const key = keyOf(given) ?? keyOf(call.arguments);
  const text = resultText(result);
  // An error may name another time or request each time and be the same.
  const said = stateOf(result) === "error" ? text.replaceAll(/[0-9a-f-]{8,}|\d+/gi, "#") : text;
  return key === undefined ? undefined : `${tool}\n${key}\n${said}`;
}

interface Cycle {
  readonly length: number;
  readonly count: number;
}

/** The shortest cycle that begins here and is repeated often enough. */
function cycleAt(
  exchanges: readonly Exchange[],
  keys: readonly (string | undefined)[],
  { at, options, changeMicros }: { at: number } & Omit<Setting, "verdicts">,
): Cycle | undefined {
  for (let length = 1; length <= cycleLengthMax; length += 1) {
    const key = keys[at];
    if (key === undefined) return undefined;
    let end = at + length;
    while (end < keys.length && keys[end] !== undefined && keys[end] === keys[end - length])
      end += 1;
    const count = Math.floor((end - at) / length);
    if (count < Math.max(2, options.repetitionCountMin)) continue;
    const cycle = exchanges.slice(at, at + length);
    if (hasOtherAnswers(cycle)) continue;
    const isPoll = cycle.some(isWaiting) || (length === 1 && bringsNews(exchanges, end));
    if (isPoll && count <= options.pollCountMax) continue;
    const steps = exchanges.slice(at, at + length * count);
    if (isSpaced(steps, length) || isAmongChanges(steps, changeMicros)) continue;
    return { length, count };
  }
  return undefined;
}

/**
 * Whether a call went well twice in a row with different answers: a tool that draws or generates brings something new each
 * time. Where other calls stand between, they may have changed what it says, as an agent does that goes back and forth.
 */
function hasOtherAnswers(cycle: readonly Exchange[]): boolean {
  return cycle.some((exchange, at) => {
    const before = cycle[at - 1];
    if (before === undefined || !isFine(before) || !isFine(exchange)) return false;
    return callKey(before) === callKey(exchange) && stepKey(before) !== stepKey(exchange);
  });
}

function callKey({ tool, given, call }: Exchange): string {
  return `${tool}\n${keyOf(given) ?? keyOf(call.arguments) ?? ""}`;
}

function isWaiting({ tool, definition, result }: Exchange): boolean {
  return traitsOf(tool, definition).isWaiting || (result !== undefined && saysPending(result));
}

/** Whether the call at this place is the one before it once more, and went well with another answer: that was waited for. */
function bringsNews(exchanges: readonly Exchange[], at: number): boolean {
  const [before, next] = [exchanges[at - 1], exchanges[at]];
  if (before === undefined || next === undefined || !isFine(next) || !isFine(before)) return false;
  return before.tool === next.tool && keyOf(before.given) === keyOf(next.given);
}

/** Other work of the trace changed something while the calls went on: they may have looked for that. */
function isAmongChanges(steps: readonly Exchange[], changeMicros: readonly number[]): boolean {
  const [from, to] = [steps[0]?.timeMicros, steps.at(-1)?.timeMicros];
  if (from === undefined || to === undefined || !steps.every(isFine)) return false;
  return changeMicros.some((moment) => moment > from && moment <= to);
}

/** Whoever waits between repetitions is waiting, not going round. */
function isSpaced(exchanges: readonly Exchange[], length: number): boolean {
  return exchanges.some((exchange, index) => {
    const before = exchanges[index - length];
    if (exchange.timeMicros === undefined || before?.timeMicros === undefined) return false;
    return (
      exchange.timeMicros - before.timeMicros > waitSecondsMin * 1e6 * length && isFine(exchange)
    );
  });
}

function isFine({ result }: Exchange): boolean {
  return result !== undefined && stateOf(result) !== "error";
}

function report(
  steps: readonly Exchange[],
  { length, count }: Cycle,
  { options, verdicts }: { options: Options; verdicts: Verdicts },
): void {
  const cycle = steps.slice(0, length);
  const tools = cycle.map((exchange) => exchange.tool);
  const [first] = steps;
  if (first === undefined) return;
  const isError = cycle.every(({ result }) => result !== undefined && stateOf(result) === "error");
  const stop = steps[length * Math.max(1, options.repetitionCountMin - 1)] ?? first;
  const path = tools.join(" → ").slice(0, 300);
  verdicts.violated({
    tool: [...tools].sort()[0] ?? first.tool,
    fault: isError ? "same-error-again" : "cycle",
    what:
      length === 1
        ? `was called ${plural(count, "time")} in a row with the same arguments and ${isError ? "failed in the same way" : "got the same answer"} each time`
        : `goes round in the circle ${path}, ${plural(count, "time")} with the same answers`,
    expected: `another call, an answer or a question after at most ${plural(options.repetitionCountMin - 1, "time")}`,
    actual: `${path}, ${plural(count, "time")}`,
    causeKind: "configuration",
    fix: isError
      ? "Stop after the second equal error, and give the model the error with what it may do instead."
      : "Stop when calls and answers repeat, and tell the model that it has the answer already.",
    nextCheck: `The turn at ${stop.reference.locator ?? "the last repetition"} is where it should have stopped: read what the model had been told by then.`,
    evidence: steps.map((exchange) => exchange.reference),
    measures: {
      cycleLength: length,
      repetitionCount: count,
      cycle: path,
      stopAt: stop.reference.locator ?? "",
    },
  });
}

function overBudget(
  over: Exchange,
  exchanges: readonly Exchange[],
  budget: number,
): Parameters<Verdicts["violated"]>[0] {
  return {
    tool: over.tool,
    fault: "budget",
    what: `was called beyond the budget of ${plural(budget, "call")} for one message of the user`,
    expected: `at most ${plural(budget, "call")}`,
    actual: plural(exchanges.length, "call"),
    causeKind: "configuration",
    fix: "Stop at the budget with what is known by then, and say what is missing.",
    nextCheck: "See what the calls after the budget brought that was new.",
    evidence: [over.reference],
    measures: { callCount: exchanges.length },
  };
}
