/** Parses an expression and holds its names and types against the variables that it may use. */

import {
  type ASTNode,
  Environment,
  ParseError,
  TypeError as CelTypeError,
} from "@marcbachmann/cel-js";

import { nearestName } from "../../text/nearest-name.ts";
import { ExpressionError } from "./fault.ts";

/** A type: one of CEL's own, `list<Name>` or the name of a record, or the fields of a record by their types. */
export type FieldTypes = Readonly<Record<string, string>>;

/** The variables of an expression by their types, in the order of their values. */
export type VariableTypes = Readonly<Record<string, string>>;

/** Limits of one expression, held when it is parsed. */
const expressionLimits = {
  maxAstNodes: 2_000,
  maxDepth: 60,
  maxListElements: 500,
  maxMapEntries: 200,
  maxCallArguments: 8,
} as const;
/** Length of one expression, in UTF-16 units. */
const textLengthMax = 8_192;

/** The records whose fields are checked; whatever is `dyn` or a `map` is checked when it is evaluated. */
export const recordTypes: Readonly<Record<string, FieldTypes>> = {
  Span: {
    traceId: "string",
    spanId: "string",
    parentSpanId: "string",
    name: "string",
    kind: "string",
    service: "string",
    startMicros: "dyn",
    durationMillis: "dyn",
    status: "string",
    statusMessage: "string",
    attributes: "map",
    resource: "map",
    events: "list<map>",
  },
  Trace: { traceId: "string", spans: "list<Span>", services: "list<string>" },
  Series: {
    name: "string",
    labels: "map",
    unit: "string",
    type: "string",
    values: "list",
    timesMicros: "list",
    first: "dyn",
    last: "dyn",
    min: "dyn",
    max: "dyn",
    mean: "dyn",
  },
  Line: {
    text: "string",
    severity: "string",
    service: "string",
    timeMicros: "dyn",
    attributes: "map",
  },
  Log: {
    namespace: "string",
    pod: "string",
    container: "string",
    isPrevious: "bool",
    lines: "list<Line>",
  },
  Call: {
    tool: "string",
    arguments: "dyn",
    callId: "string",
    isAnswered: "bool",
    isError: "bool",
    result: "dyn",
  },
  Turn: { role: "string", text: "string", calls: "list<Call>", tools: "list<string>" },
  Transcript: { turns: "list<Turn>", calls: "list<Call>" },
  Surroundings: { name: "string", facts: "map" },
};

/** The parsed expression and its type. Throws an `ExpressionError`. */
export function checkedNode(
  text: string,
  variables: VariableTypes,
  records: Readonly<Record<string, FieldTypes>> = recordTypes,
): { readonly node: ASTNode; readonly type: string } {
  if (text.length > textLengthMax) {
    throw new ExpressionError(`It has more than ${textLengthMax} characters.`, {
      start: textLengthMax,
      end: text.length,
    });
  }
  const environment = environmentOf(variables, records);
  try {
    const parsed = environment.parse(text);
    const result = parsed.check();
    if (!result.valid) throw result.error ?? new ParseError("It does not fit its variables.");
    return { node: parsed.ast, type: result.type ?? "dyn" };
  } catch (error) {
    if (error instanceof ParseError || error instanceof CelTypeError) {
      throw new ExpressionError(explain(error, variables), error.range ?? { start: 0, end: 0 });
    }
    throw error;
  }
}

function environmentOf(
  variables: VariableTypes,
  records: Readonly<Record<string, FieldTypes>>,
): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: false,
    homogeneousAggregateLiterals: false,
    limits: expressionLimits,
  });
  for (const [name, fields] of Object.entries(records)) {
    environment.registerType(name, { fields });
  }
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return environment;
}

/** The library's words, with the nearest name where one is unknown. */
function explain(error: ParseError | CelTypeError, variables: VariableTypes): string {
  const unknown = /^Unknown variable: (\w+)/.exec(error.summary)?.[1];
  if (unknown !== undefined) {
    const names = Object.keys(variables);
    const near = nearestName(unknown, names);
    return `There is no variable ${unknown} here; ${near === undefined ? `there are ${names.join(", ")}` : `did you mean ${near}?`}`;
  }
  if (error.summary === "has() invalid argument") {
    return "has() takes a field by its names from a variable on, as in has(object.spec.replicas); of an item of a list as in cel.bind(c, object.spec.containers[0], has(c.resources)).";
  }
  return error.summary;
}
