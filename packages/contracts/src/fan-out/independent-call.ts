/** Whether a call could have been made before the answers of the calls ahead of it were there. */

import type { AttributeValue } from "../model/span.ts";
import { databaseSpanOf } from "../traces/database-call.ts";
import { doubleQuotesOf, isMask, sqlTokens } from "../traces/sql-tokens.ts";
import type { Unit, UnitCall } from "../traces/unit.ts";
import { isPageParameter, looksLikeId } from "../traces/url-template.ts";
import { parametersOf } from "./same-values.ts";

/**
 * Values that were there before a run of calls began: those of the request that the unit serves. A call whose values
 * are all among them, or are constants of the code, does not need the answer of an earlier call.
 */
export function knownValuesOf(unit: Unit): ReadonlySet<string> {
  const known = new Set<string>();
  if (unit.entry === undefined) return known;
  for (const value of Object.values(unit.entry.attributes)) addWords(known, value);
  return known;
}

const textLengthMax = 2_048;

function addWords(known: Set<string>, value: AttributeValue): void {
  if (Array.isArray(value)) for (const item of value) addWords(known, item);
  if (typeof value !== "string" && typeof value !== "number") return;
  for (const word of String(value)
    .slice(0, textLengthMax)
    .split(/[/?&=#,;\s"':]+/)) {
    if (word !== "") known.add(word);
  }
}

/** Known values, and those that a call itself asks for. */
export function withValuesOf(known: ReadonlySet<string>, item: UnitCall): ReadonlySet<string> {
  const values = item.call.kind === "database" ? valuesOfStatement(item) : valuesOfUrl(item);
  return new Set([...known, ...(values ?? [])]);
}

/** Whether nothing in a call can come from the answer of an earlier one, as far as the record shows its values. */
export function isIndependent(item: UnitCall, known: ReadonlySet<string>): boolean {
  const values = item.call.kind === "database" ? valuesOfStatement(item) : valuesOfUrl(item);
  return values !== undefined && values.every((value) => known.has(value));
}

/** What a statement asks for, without its constants; `undefined` where the record hides it. */
function valuesOfStatement({ call, span, trace, index }: UnitCall): string[] | undefined {
  if (call.truncated || call.batch.isHidden === true) return undefined;
  const statement = databaseSpanOf(span, trace.marksOf(index))?.statement;
  // What is no SQL may name its keys in ways that nobody here knows.
  if (statement === undefined || !/^\s*(?:select|with|\()/i.test(statement)) return undefined;
  const parameters = parametersOf(span.attributes).map(([, value]) => value);
  const values: string[] = [];
  let placeholderCount = 0;
  let before = "";
  let column = "";
  for (const { kind, text } of sqlTokens(statement, doubleQuotesOf(call.system, statement))) {
    if (kind === "placeholder") placeholderCount += 1;
    if (kind === "value") {
      if (isMask(text)) return undefined;
      if (!isConstant(text, before, column)) values.push(text.replace(/^'|'$/g, ""));
    }
    if (kind === "name") column = text;
    before = text;
  }
  if (placeholderCount > 0 && parameters.length === 0) return undefined;
  return [...values, ...parameters];
}

/** Numbers of a limit, 0 and 1, and words that are no name of a thing stand in the code. */
function isConstant(text: string, before: string, column: string): boolean {
  if (/^(?:limit|offset|top|interval|fetch|first|next)$/.test(before)) return true;
  if (/^[01]$/.test(text)) return true;
  if (/(?:^|_)(?:id|ids|key|name|email|token|slug|uuid|code|sku)$/.test(column)) return false;
  return /^'[A-Za-z_ %.-]{0,32}'$/.test(text);
}

/** The parts of an address that name things; `undefined` where the call's values do not stand in an address. */
function valuesOfUrl({ call }: UnitCall): string[] | undefined {
  if (call.kind !== "http" || !call.target.includes("/")) return undefined;
  const [path = "", query = ""] = call.target.split("?", 2);
  const values = path.replace(/^\w+ /, "").split("/").filter(mayNameThing);
  for (const pair of query.split("&")) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (!isNumberedPage(name, value) && !isConstantParameter(name, value)) values.push(value);
  }
  return values;
}

/** A single digit is a version or a number of the interface, not of a thing. */
function mayNameThing(segment: string): boolean {
  return looksLikeId(segment) && !/^\d$/.test(segment);
}

/** The number of a page can be counted; a cursor comes with the page before. */
function isNumberedPage(name: string, value: string): boolean {
  return isPageParameter(name) && /^\d{1,6}$/.test(value);
}

function isConstantParameter(name: string, value: string): boolean {
  if (
    value === "" ||
    /^(?:limit|per_?page|page_?size|size|count|top|take|v|version)$/i.test(name)
  ) {
    return true;
  }
  return (
    !/(?:id|key|token|code|cursor|after|before)s?$/i.test(name) && /^[A-Za-z_-]{1,24}$/.test(value)
  );
}
