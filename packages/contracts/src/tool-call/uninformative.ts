/** Results that say no more than that a call went well, whatever was asked. */

import type { ToolResult } from "../model/evidence.ts";
import { leavesOf } from "./leaves.ts";
import { resultText, resultValue, stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import type { Exchange } from "./conversation/conversation.ts";

const acknowledgingNames = new Set(
  " content data error message ok output response result status success".split(" "),
);
const acknowledgingWords = new Set(
  " accepted acknowledged complete completed done executed false fine finished none null ok okay received success succeeded successful successfully true yes".split(
    " ",
  ),
);
/** A longer text is an answer, also where several are equal. */
const placeholderLengthMax = 80;

/** Whether a result is nothing, or an acknowledgement. */
export function isUninformative(result: ToolResult): boolean {
  if (stateOf(result) === "empty") return true;
  return leavesOf(resultValue(result)).every(({ name, value }) => {
    const word = String(value)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, "");
    return acknowledgingNames.has(name.toLowerCase()) && acknowledgingWords.has(word);
  });
}

/**
 * Whether what a tool answered was left out of the record: one that reads acknowledges, or all tools say the same. A list
 * without items is an answer.
 */
export function areResultsLeftOut(exchanges: readonly Exchange[]): boolean {
  const answered = exchanges.flatMap((item) =>
    item.result === undefined ? [] : [{ ...item, result: item.result }],
  );
  return (
    answered.some(
      ({ tool, definition, result }) =>
        traitsOf(tool, definition).isChanging !== true &&
        isUninformative(result) &&
        !/\[/.test(resultText(result)),
    ) || areAlike(answered)
  );
}

function areAlike(answered: readonly (Exchange & { readonly result: ToolResult })[]): boolean {
  const tools = new Set(answered.map(({ tool }) => tool));
  const texts = new Set(
    answered.map(({ result }) => resultText(result).replaceAll(/\d+/g, "#").trim()),
  );
  const [text = ""] = texts;
  return tools.size > 1 && texts.size === 1 && text.length <= placeholderLengthMax;
}
