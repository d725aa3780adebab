/** The contract tool-call/authorization: only allowed tools run, and only with the approvals they need. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Conversation, Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { keyOf } from "./value-key.ts";
import { Verdicts } from "./verdicts.ts";

interface Options {
  readonly allowedTools: readonly string[];
  readonly approvalTools: readonly string[];
}

export const authorization: Contract = defineContract<Options>({
  id: "tool-call/authorization",
  version: 1,
  boundary: "model-tool",
  promise:
    "A tool runs only when it is among those that its caller may use, and after every approval that it needs.",
  reads: ["transcript", "trace"],
  options: {
    allowedTools: {
      default: [],
      description:
        "Names of the only tools that may run, whatever the evidence allows; empty for no such list.",
    },
    approvalTools: {
      default: [],
      description:
        "Names of tools that need a person's approval beside those that the evidence marks.",
    },
  },
  check(snapshot, options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      for (const exchange of conversation.exchanges) {
        judgeAllowed(conversation, exchange, { options, verdicts });
        judgeApproval(exchange, { options, verdicts });
        judgeDenial(conversation, exchange, verdicts);
      }
    }
    return verdicts.findings(found, {
      holds: "had leave to run, or had no effect",
      nextCheck: "Record what became of the call: its result, or the decision of the policy.",
    });
  },
});

interface Judging {
  readonly options: Options;
  readonly verdicts: Verdicts;
}

/** Whether a call had an effect: `ran`, `refused`, or not known. */
function outcomeOf({ call, result, execution }: Exchange): "ran" | "refused" | "unknown" {
  const state = result === undefined ? undefined : stateOf(result);
  if (
    call.approval === "denied" &&
    (state === undefined || state === "denied" || state === "error")
  )
    return "refused";
  if (state === "denied") return "refused";
  if (state === "fine" || state === "empty" || state === "unknown") return "ran";
  if (execution !== undefined && execution.result?.isError !== true && state === undefined)
    return "ran";
  return "unknown";
}

function judgeAllowed(
  { turns }: Conversation,
  exchange: Exchange,
  { options, verdicts }: Judging,
): void {
  const { tool, reference } = exchange;
  const own = options.allowedTools.length > 0 ? options.allowedTools : undefined;
  const allowed = own ?? turns[exchange.turn]?.allowedTools;
  if (allowed === undefined) return;
  if (allowed.includes(tool)) {
    verdicts.fits(tool, reference);
    return;
  }
  const outcome = outcomeOf(exchange);
  if (outcome === "refused") verdicts.fits(tool, reference);
  else if (outcome === "unknown") {
    verdicts.open({
      tool,
      what: "was called without being allowed, and whether it ran is not known",
      missing: "the result of the call, or the decision about it",
      evidence: [reference],
    });
  } else {
    verdicts.violated({
      tool,
      fault: "not-allowed",
      what: "ran although it is not among the tools that its caller may use",
      expected: `only ${allowed.length === 0 ? "no tool" : allowed.slice(0, 30).join(", ")}`,
      actual: `${tool} was called and answered`,
      causeKind: "configuration",
      fix: `Refuse ${tool} where the call is dispatched, or add it to the allowed set of this caller.`,
      nextCheck:
        "Look at where the allowed set is enforced: beside the model's list of tools it must stand before the dispatch.",
      evidence: referencesOf(exchange),
    });
  }
}

function judgeApproval(exchange: Exchange, { options, verdicts }: Judging): void {
  const { call, tool, definition, reference } = exchange;
  const isNeeded =
    definition?.requiresApproval === true ||
    options.approvalTools.includes(tool) ||
    call.approval !== undefined;
  if (!isNeeded) return;
  const outcome = outcomeOf(exchange);
  if (call.approval === "granted" || outcome === "refused") {
    verdicts.fits(tool, reference);
    return;
  }
  if (call.approval === undefined) {
    if (outcome !== "ran") return;
    verdicts.open({
      tool,
      what: "needs approval and ran, and the evidence does not say whether somebody approved",
      missing: "the approval of the call: who decided what",
      evidence: [reference],
    });
    return;
  }
  if (outcome !== "ran") return;
  const isDenied = call.approval === "denied";
  verdicts.violated({
    tool,
    fault: isDenied ? "denied-and-run" : "not-approved",
    what: isDenied
      ? "was denied and ran nevertheless"
      : "needs approval, was waiting for it, and ran without",
    expected: isDenied ? "no effect of a call that was denied" : "an approval before the call runs",
    actual: "the call has a result that is no refusal",
    causeKind: "configuration",
    fix: "Run the call only after the decision, in the same place that asks for it.",
    nextCheck: "Compare the time of the decision with that of the execution.",
    evidence: referencesOf(exchange),
  });
}

/** A refusal did its work unless the same effect came about afterwards, without anybody agreeing in between. */
function judgeDenial(
  { turns, exchanges }: Conversation,
  exchange: Exchange,
  verdicts: Verdicts,
): void {
  const { tool, result, reference } = exchange;
  if (result === undefined || stateOf(result) !== "denied") return;
  const { execution } = exchange;
  if (
    execution?.result !== undefined &&
    execution.result !== result &&
    stateOf(execution.result) === "fine"
  ) {
    verdicts.violated(despite(exchange, "was refused, but its span shows that it ran"));
    return;
  }
  const key = keyOf(exchange.given);
  const nextUser = turns.findIndex(
    (turn, index) =>
      index > exchange.resultTurn && turn.role === "user" && turn.results.length === 0,
  );
  const end = nextUser < 0 ? turns.length : nextUser;
  const again = exchanges.find(
    (other) =>
      other.turn >= exchange.resultTurn &&
      other.turn < end &&
      other.tool === tool &&
      keyOf(other.given) === key &&
      other.call.approval !== "granted" &&
      outcomeOf(other) === "ran" &&
      traitsOf(tool, other.definition).isChanging !== false,
  );
  if (again === undefined) {
    verdicts.fits(tool, reference);
    return;
  }
  const offence = despite(
    exchange,
    "was refused, and the same call ran afterwards without an approval",
  );
  verdicts.violated({ ...offence, evidence: [...offence.evidence, ...referencesOf(again)] });
}

function despite(exchange: Exchange, what: string): Parameters<Verdicts["violated"]>[0] {
  return {
    tool: exchange.tool,
    fault: "effect-despite-denial",
    what,
    expected: "no effect of a call that was refused",
    actual: "an effect after the refusal",
    causeKind: "configuration",
    fix: "Decide once for each call, where it is dispatched, and keep the decision for repetitions.",
    nextCheck: "Look at whether every way to the tool passes the policy.",
    evidence: referencesOf(exchange),
  };
}

function referencesOf({ reference, execution, result }: Exchange): Exchange["reference"][] {
  return [
    reference,
    ...(execution === undefined ? [] : [execution.reference]),
    ...(result === undefined
      ? []
      : [{ evidenceId: reference.evidenceId, locator: result.pointer }]),
  ];
}
