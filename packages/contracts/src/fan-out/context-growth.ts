/** Turns of an agent that add far more to its context than a turn may. */

import type { FindingParts } from "../model/make-finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { numberOf, textOf } from "../traces/call.ts";
import { mark } from "../traces/marks.ts";
import { type Trace, tracesOf } from "../traces/trace.ts";

interface ContextBudget {
  readonly contextStepTokensMax: number;
  readonly contextStepRatioMax: number;
}

/** A call of a model that told how many tokens it was given. */
interface Turn {
  readonly index: number;
  readonly inputTokens: number;
}

interface Step {
  readonly trace: Trace;
  readonly before: Turn;
  readonly after: Turn;
  /** Tools that ran between the two turns. */
  readonly tools: readonly number[];
}

/** Steps beyond the budget, one finding for each agent or model of a service. */
export function judgeContexts(snapshot: Snapshot, budget: ContextBudget): FindingParts[] {
  const bySubject = new Map<string, Step[]>();
  for (const trace of tracesOf(snapshot)) {
    for (const [owner, turns] of turnsByOwner(trace)) {
      const steps = stepsOf(trace, turns, budget);
      if (steps.length === 0) continue;
      const name = subjectName(trace, owner);
      bySubject.set(name, [...(bySubject.get(name) ?? []), ...steps]);
    }
  }
  return [...bySubject]
    .sort(([left], [right]) => compareText(left, right))
    .map(([name, steps]) => findingOf(name, steps, budget));
}

/** Turns by the span whose loop makes them: the parent of the model calls and of the tools. */
function turnsByOwner(trace: Trace): Map<number, Turn[]> {
  const owners = new Map<number, Turn[]>();
  for (let index = 0; index < trace.spans.length; index += 1) {
    const needed = mark.genAi | mark.size;
    if ((trace.marksOf(index) & needed) !== needed) continue;
    const { attributes } = trace.span(index);
    const operation = textOf(attributes, "gen_ai.operation.name", "openinference.span.kind");
    // An agent's own span adds up what its turns used.
    if (operation !== undefined && /agent|workflow|execute_tool|chain|tool/i.test(operation))
      continue;
    const inputTokens = numberOf(
      attributes,
      "gen_ai.usage.input_tokens",
      "gen_ai.usage.prompt_tokens",
      "llm.token_count.prompt",
      "llm.usage.prompt_tokens",
      "ai.usage.promptTokens",
    );
    const parent = trace.parents[index] ?? -1;
    if (inputTokens === undefined || parent < 0) continue;
    const turns = owners.get(parent);
    if (turns === undefined) owners.set(parent, [{ index, inputTokens }]);
    else turns.push({ index, inputTokens });
  }
  return owners;
}

function stepsOf(trace: Trace, turns: readonly Turn[], budget: ContextBudget): Step[] {
  return turns.flatMap((after, at) => {
    const before = turns[at - 1];
    if (before === undefined) return [];
    const added = after.inputTokens - before.inputTokens;
    const isLarge =
      added > budget.contextStepTokensMax &&
      after.inputTokens > budget.contextStepRatioMax * before.inputTokens;
    // Only what a tool brought between two turns of one loop is a step of one context.
    const tools = isLarge ? toolsBetween(trace, before.index, after.index) : [];
    return tools.length === 0 ? [] : [{ trace, before, after, tools }];
  });
}

function toolsBetween(trace: Trace, before: number, after: number): number[] {
  const tools: number[] = [];
  for (let index = before + 1; index < after; index += 1) {
    if ((trace.marksOf(index) & mark.genAi) === 0) continue;
    if (trace.parents[index] !== trace.parents[after]) continue;
    if (toolName(trace, index) !== undefined) tools.push(index);
  }
  return tools;
}

function toolName(trace: Trace, index: number): string | undefined {
  return textOf(trace.span(index).attributes, "gen_ai.tool.name", "tool.name", "ai.toolCall.name");
}

function subjectName(trace: Trace, owner: number): string {
  const { service, attributes, name } = trace.span(owner);
  return `${service} ${textOf(attributes, "gen_ai.agent.name") ?? name}`;
}

function findingOf(name: string, steps: readonly Step[], budget: ContextBudget): FindingParts {
  const added = ({ before, after }: Step): number => after.inputTokens - before.inputTokens;
  const worst = steps.reduce((large, step) => (added(step) > added(large) ? step : large));
  const { trace, before, after, tools } = worst;
  const tool = tools.map((index) => toolName(trace, index) ?? "").join(", ");
  return {
    verdict: "violated",
    boundary: "model-tool",
    subject: { kind: "agent", name },
    title: `${name}: one turn added ${added(worst)} tokens to the context, after the result of ${tool}`,
    actual: `${before.inputTokens} input tokens before, ${after.inputTokens} after`,
    expected: `at most ${budget.contextStepTokensMax} tokens added by one turn`,
    causeKind: "data",
    measures: {
      tokensBefore: before.inputTokens,
      tokensAfter: after.inputTokens,
      tokensAdded: added(worst),
      stepCount: steps.length,
      tool,
    },
    evidence: steps.flatMap((step) => [
      ...step.tools.map((index) => step.trace.reference(index, toolName(step.trace, index) ?? "")),
      step.trace.reference(step.after.index, `${step.after.inputTokens} input tokens`),
    ]),
    fixes: [
      {
        description:
          "Bound what the tool returns: a page, the fields that the task needs, or a summary with a handle to read more.",
        cost: 1,
      },
    ],
    nextChecks: ["Look at the tool's result: what of it did the later turns use?"],
  };
}
