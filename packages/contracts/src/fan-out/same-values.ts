/** Tells calls that ask for the very same thing from calls for many things. */

import type { Attributes, Span } from "../model/span.ts";
import { databaseSpanOf } from "../traces/database-call.ts";
import { doubleQuotesOf, isMask, sqlTokens } from "../traces/sql-tokens.ts";
import type { UnitCall } from "../traces/unit.ts";

/** Whether all calls have the same values, as far as the record shows them; hidden values are no proof. */
export function haveSameValues(calls: readonly UnitCall[]): boolean {
  const [first, ...others] = calls;
  if (first === undefined || others.length === 0) return false;
  const question = questionOf(first);
  return question !== undefined && others.every((item) => questionOf(item) === question);
}

/** The call with all its values, or `undefined` when the record does not show them. */
function questionOf({ call, span, trace, index }: UnitCall): string | undefined {
  if (call.truncated || call.batch.isHidden === true) return undefined;
  switch (call.kind) {
    case "rpc":
      return undefined;
    case "http":
      // What a request that writes says stands in its body, which no span records.
      // A call that only the callee recorded is known by its operation, without the address.
      return call.isRead && call.target.includes("/") ? call.target : undefined;
    case "database":
      return statementWithValues(
        span,
        databaseSpanOf(span, trace.marksOf(index))?.statement,
        call.system,
      );
  }
}

/** The tokens of a statement and its parameters, or `undefined` where something only stands for a value. */
function statementWithValues(
  span: Span,
  statement: string | undefined,
  system: string,
): string | undefined {
  if (statement === undefined) return undefined;
  const parameters = parametersOf(span.attributes);
  // Comments are no tokens: they may name the request.
  const tokens = sqlTokens(statement, doubleQuotesOf(system, statement));
  const isHidden =
    tokens.some(({ kind, text }) => kind === "value" && isMask(text)) ||
    parameters.some(([, value]) => isMask(value)) ||
    (parameters.length === 0 && tokens.some(({ kind }) => kind === "placeholder"));
  return isHidden ? undefined : JSON.stringify([tokens.map(({ text }) => text), parameters]);
}

/** The parameters of a statement that were recorded, sorted by name. */
export function parametersOf(attributes: Attributes): [string, string][] {
  return Object.entries(attributes)
    .filter(([name]) => /^db\.(?:query|statement)\.parameters?(?:\.|$)/.test(name))
    .map(([name, value]): [string, string] => [name, textOfValue(value)])
    .sort(([left], [right]) => (left < right ? -1 : 1));
}

/** Redaction turns numbers to text, so they are compared as such. */
function textOfValue(value: Attributes[string]): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
