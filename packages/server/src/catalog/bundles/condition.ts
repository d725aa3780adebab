/** Conditions of targets: CEL over what a request asks for and whose key it carries. */

import {
  compileExpression,
  type Expression,
  ExpressionError,
  Steps,
  StepsUsedUp,
} from "@faultline/contracts/expressions";

/** What a condition may ask about a request. */
export interface RequestFacts {
  /** The name that the caller asked for. */
  readonly model: string;
  readonly stream: boolean;
  /** The `user` of the body; empty without one. */
  readonly user: string;
  readonly toolCount: number;
  readonly imageCount: number;
  /** Whether it asks for an answer in the form of a JSON schema. */
  readonly jsonSchema: boolean;
  /** About how many tokens input and output take together. */
  readonly tokens: number;
  /** By names in lower case, without those that carry secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What a condition may ask about the key. */
export interface KeyFacts {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly tenant: string;
}

/** Steps that one evaluation may take; about a millisecond. */
const conditionStepsMax = 10_000;

const records = {
  Request: {
    model: "string",
    stream: "bool",
    user: "string",
    toolCount: "int",
    imageCount: "int",
    jsonSchema: "bool",
    tokens: "int",
    headers: "map",
    metadata: "map",
  },
  Key: { id: "string", name: "string", role: "string", tenant: "string" },
} as const;
const variables = { request: "Request", key: "Key" } as const;

export interface Condition {
  /** Whether it holds. What has no value, such as a header that did not come, does not hold. */
  holds(request: RequestFacts, key: KeyFacts): boolean;
}

/** Compiles a condition. Throws an `ExpressionError` with the place of what is wrong. */
export function compileCondition(text: string): Condition {
  const expression = compileExpression(text, variables, records);
  if (expression.type !== "bool" && expression.type !== "dyn") {
    throw new ExpressionError(
      `A condition is true or false; this one is of type ${expression.type}.`,
      { start: 0, end: text.length },
    );
  }
  return { holds: (request, key) => evaluate(expression, request, key) };
}

function evaluate(expression: Expression, request: RequestFacts, key: KeyFacts): boolean {
  // Whole numbers of CEL are `bigint`.
  const counted = {
    ...request,
    toolCount: BigInt(request.toolCount),
    imageCount: BigInt(request.imageCount),
    tokens: BigInt(request.tokens),
  };
  try {
    return expression.evaluate([counted, key], new Steps(conditionStepsMax)) === true;
  } catch (error) {
    if (error instanceof StepsUsedUp) return false;
    throw error;
  }
}
