/** What an assistant's answer says about how things went, as far as its words are plain. English only. */

import { nameWords } from "./name-words.ts";

/** Text of an answer that is read. */
const textLengthMax = 20_000;

const failureWords =
  /\b(?:error|errors|fail(?:s|ed|ure|ing)?|unable|cannot|can't|can’t|could ?n[o']t|couldn’t|not able|not be (?:able|found|completed|processed)|unavailable|unsuccessful|issue|issues|problem|problems|trouble|sorry|apologi[sz]e|unfortunately|denied|rejected|declined|refused|forbidden|unauthori[sz]ed|permission|timed? ?out|timeout|invalid|not found|no such|does ?n[o']t exist|doesn’t|did ?n[o']t|didn’t|was ?n[o']t|wasn’t|were ?n[o']t|won't|isn't|isn’t|aren't|has ?n[o']t|hasn’t|have ?n[o']t|haven’t|down|retry|try again|again later|however|instead|exceed(?:s|ed)?|limit|not (?:allowed|permitted|possible|supported|available|valid|eligible)|incorrect|wrong|missing|no (?:results?|record|data|matching|user|order|account|access)|need (?:to|you|your|more)|require[sd]?|please (?:provide|confirm|check|verify|share)|could you|can you|would you|transfer(?:red|ring)? you to)\b/i;

const successClaims =
  /\b(?:success(?:ful(?:ly)?)?|all set|done|completed?|confirmed|(?:has|have) been \w+(?:ed|en|nt|ut|ade|old|id)\b|(?:was|were|is now|are now) (?:\w+ly )?(?:\w+ed|sent|paid|made|set|put|written|sold)|I(?:'ve|’ve| have)? (?:now |just |also |already )?(?:\w+ed|sent|paid|made|set|put|written|found|done)|here (?:is|are)|you(?:'re| are) all set|booked|scheduled|enjoy your)\b/i;

/** Whether an answer speaks of something that did not work, or asks for something. */
export function mentionsFailure(text: string): boolean {
  return failureWords.test(text.slice(0, textLengthMax)) || text.trimEnd().endsWith("?");
}

/** Whether an answer plainly claims that something was done or found. */
export function claimsSuccess(text: string): boolean {
  return successClaims.test(text.slice(0, textLengthMax));
}

/** Whether an answer claims that what was asked for is done, whatever it was. */
export function claimsCompletion(text: string): boolean {
  return /\b(?:success(?:ful(?:ly)?)?|all set|done|completed?|(?:has|have) been|booked|scheduled|confirmed)\b/i.test(
    text.slice(0, textLengthMax),
  );
}

/** Whether an answer is in a language whose words are known here. */
export function isReadable(text: string): boolean {
  const sample = text.slice(0, 2_000);
  const words = sample.match(/\p{L}+/gu) ?? [];
  const common =
    /^(?:the|a|an|is|are|was|has|have|been|your|you|i|it|to|of|for|and|in|on|this|that|here|with)$/i;
  return words.length > 0 && words.filter((word) => common.test(word)).length * 8 >= words.length;
}

/** Whether an answer speaks of what a tool does: a word of the tool's name stands in it, in any form. */
export function speaksOf(text: string, tool: string): boolean {
  const said = new Set(
    (
      text
        .slice(0, textLengthMax)
        .toLowerCase()
        .match(/\p{L}+/gu) ?? []
    ).map(stemOf),
  );
  return nameWords(tool).some((word) => word.length > 2 && said.has(stemOf(word)));
}

/** Words without their usual endings: `booked`, `booking` and `books` are `book`. */
export function stemOf(word: string): string {
  const stem = word.replace(/(?:ation|ing|ed|es|s|e)$/, "");
  const plain = stem.length < 3 ? word : stem;
  return plain.replace(/([^aeiouls])\1$/, "$1");
}
