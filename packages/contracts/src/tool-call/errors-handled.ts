/** The contract tool-call/errors-handled: after a failed call the agent tries otherwise or says so. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import {
  claimsCompletion,
  claimsSuccess,
  isReadable,
  mentionsFailure,
  speaksOf,
} from "./answer-words.ts";
import type { Conversation, Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { answerOf, type Stretch, stretchesOf } from "./conversation/user-turns.ts";
import { stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { Verdicts } from "./verdicts.ts";

export const errorsHandled: Contract = defineContract({
  id: "tool-call/errors-handled",
  version: 1,
  boundary: "model-tool",
  promise: "When a call fails, the agent tries again or otherwise, or says that it failed.",
  reads: ["transcript", "trace"],
  options: {},
  check(snapshot, _options, found) {
    const verdicts = new Verdicts();
    for (const conversation of conversationsOf(snapshot)) {
      for (const stretch of stretchesOf(conversation)) judge(conversation, stretch, verdicts);
    }
    return verdicts.findings(found, {
      holds: "failed and led to another try or a report",
      nextCheck: "Read the answer after the error beside the error.",
    });
  },
});

function judge(conversation: Conversation, stretch: Stretch, verdicts: Verdicts): void {
  const failed = stretch.exchanges.filter(
    ({ result, tool, definition }) =>
      result !== undefined &&
      isFailure(stateOf(result)) &&
      (result.isError || result.isDenied === true || !traitsOf(tool, definition).isQuoting),
  );
  if (failed.length === 0) return;
  const answer = answerOf(conversation, stretch);
  for (const exchange of failed) {
    const later = stretch.exchanges.filter((other) => other.turn >= exchange.resultTurn);
    const isTriedAgain = later.some((other) => other.tool === exchange.tool);
    if (isTriedAgain) {
      // The last failure of the tool is the one that has to be answered for.
      verdicts.fits(exchange.tool, exchange.reference);
      continue;
    }
    if (answer === undefined || answer.turn < exchange.resultTurn) continue;
    judgeAnswer(exchange, {
      text: answer.text,
      stretch,
      pointer: conversation.turns[answer.turn]?.pointer ?? "",
      later,
      verdicts,
    });
  }
}

function isFailure(state: string): boolean {
  return state === "error" || state === "denied";
}

function judgeAnswer(
  exchange: Exchange,
  {
    text,
    stretch,
    pointer,
    later,
    verdicts,
  }: {
    text: string;
    stretch: Stretch;
    pointer: string;
    later: readonly Exchange[];
    verdicts: Verdicts;
  },
): void {
  const { tool, reference } = exchange;
  if (mentionsFailure(text)) {
    verdicts.fits(tool, reference);
    return;
  }
  // Another tool that worked afterwards may have done the same.
  const isReplaced = later.some(
    ({ result }) => result !== undefined && !isFailure(stateOf(result)),
  );
  if (isReplaced || !isReadable(text)) return;
  const isAlone = stretch.exchanges.every(
    ({ result }) => result === undefined || isFailure(stateOf(result)),
  );
  if (claimsSuccess(text) && (speaksOf(text, tool) || (isAlone && claimsCompletion(text)))) {
    verdicts.violated({
      tool,
      fault: "ignored-error",
      what: "failed, and the answer after it claims success and does not mention the failure",
      expected: "another try, or an answer that says what failed",
      actual: "an answer that goes on as if the call had worked",
      causeKind: "data",
      fix: "Give the model the error as an error, and tell it to report what it could not do; hold the answer back while a failed call is unanswered for.",
      nextCheck:
        "Look at how the error reached the model: as a flagged error, or as text among others.",
      evidence: [
        reference,
        { evidenceId: reference.evidenceId, locator: exchange.result?.pointer ?? "" },
        { evidenceId: reference.evidenceId, locator: pointer },
      ],
    });
    return;
  }
  if (!isAlone) return;
  verdicts.open({
    tool,
    what: "failed, and whether the answer after it takes that into account is not plain",
    missing: "an answer that names the failure, or that plainly claims success",
    evidence: [reference, { evidenceId: reference.evidenceId, locator: pointer }],
  });
}
