/** What runs of LangSmith that are tools take and give. */

import { isFields } from "../../model/fields.ts";
import type { AttributeValue } from "../../model/span.ts";
import { parsedJson } from "../../text/json-text.ts";
import { readLiteral } from "./python-literal.ts";

/** The arguments in what a tool's run took: in a field `input` of its own, there also as text, or alone. */
export function givenToRun(value: AttributeValue | undefined): AttributeValue | undefined {
  const taken = parsed(value);
  if (!isFields(taken) || Object.keys(taken).length !== 1) return taken;
  const { input } = taken;
  const inner = typeof input === "string" && input.startsWith("{") ? readLiteral(input) : input;
  // What was parsed from text is what an attribute may hold.
  return isFields(inner) ? (inner as AttributeValue) : taken;
}

/** The result in what a tool's run gave: a message, its text, or a field `output` that holds one of them. */
export function givenByRun(value: AttributeValue | undefined): AttributeValue | undefined {
  const given = parsed(value);
  if (!isFields(given)) return given;
  const output = given["output"] ?? given;
  if (!isFields(output)) return output;
  const message = isFields(output["kwargs"]) ? output["kwargs"] : output;
  return (message["type"] === "tool" ? message["content"] : undefined) ?? output;
}

function parsed(value: AttributeValue | undefined): AttributeValue | undefined {
  if (typeof value !== "string" || !/^\s*[{[]/.test(value)) return value;
  // What was parsed from JSON text is what an attribute may hold.
  return (parsedJson(value) as AttributeValue | undefined) ?? value;
}
