/** Tells calls that ask for the very same thing from calls for many things, and says so. */

import type { Fix } from "../model/finding.ts";
import type { Attributes, Span } from "../model/span.ts";
import type { ClassifiedGroup } from "./classify-group.ts";
import { databaseSpanOf } from "./database-call.ts";
import type { RepetitionWords } from "./list-words.ts";
import { doubleQuotesOf, sqlTokens } from "./sql-tokens.ts";
import type { UnitCall } from "./unit.ts";

/** Whether every call of a group has the same values, as far as the record shows them; hidden values are no proof. */
export function hasSameValues({ calls }: ClassifiedGroup): boolean {
  const questions = new Set(calls.map(questionOf));
  return calls.length > 1 && questions.size === 1 && !questions.has(undefined);
}

/** The sentences of a finding about one call that is repeated with the same values, where no list was seen. */
export function sameCallWords(
  { calls, count }: ClassifiedGroup,
  countMin: number,
): RepetitionWords {
  const isStatement = calls[0]?.call.kind === "database";
  const thing = isStatement ? "statement" : "call";
  return {
    title: `${isStatement ? "ran" : "made"} the same ${thing} ${count} times with the same values in one request`,
    expected: `one ${thing} with the same values for a request, and fewer than ${countMin} in any case`,
    nextChecks: [
      `After the repair, record the same request and check it: the ${thing} must not be repeated.`,
    ],
  };
}

/** What to do about one call that is repeated with the same values. */
export function sameCallFixes({ calls }: ClassifiedGroup): Fix[] {
  const isRead = calls[0]?.call.isRead === true;
  const descriptions = isRead
    ? [
        "Load it once per request: take it out of the loop or the function that asks again, and pass the result on.",
        "Keep the answer in a cache that lives as long as the request, so that asking again costs no call.",
      ]
    : ["Write it once per request: take it out of the loop or the function that writes it again."];
  return descriptions.map((description, index) => ({
    description,
    cost: index + 1,
    verified: false,
  }));
}

/** The call with all its values, or `undefined` when the record does not show them. */
function questionOf({ call, span }: UnitCall): string | undefined {
  if (call.truncated || call.batch.isHidden === true) return undefined;
  switch (call.kind) {
    case "rpc":
      return undefined;
    case "http":
      // What a request that writes says stands in its body, which no span records.
      return call.isRead ? call.target : undefined;
    case "database": {
      const parameters = parametersOf(span.attributes);
      const isKnown = parameters.length > 0 || showsItsValues(span, call.system);
      return isKnown ? `${call.target}\n${JSON.stringify(parameters)}` : undefined;
    }
  }
}

function parametersOf(attributes: Attributes): (readonly [string, unknown])[] {
  return Object.entries(attributes)
    .filter(([name]) => /^db\.(?:query|statement)\.parameters?(?:\.|$)/.test(name))
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

/** A recorded statement in which nothing stands for a value: no placeholder, and no mark of a sanitiser. */
function showsItsValues(span: Span, system: string): boolean {
  const statement = databaseSpanOf(span)?.statement;
  if (statement === undefined) return false;
  return sqlTokens(statement, doubleQuotesOf(system, statement)).every(
    ({ kind, text }) => kind !== "placeholder" && !(kind === "value" && maskedValue.test(text)),
  );
}

const maskedValue = /^['"](?:\?|\*+|x{3,}|<?\[?(?:redacted|masked|filtered)[^'"]*)['"]$/i;
