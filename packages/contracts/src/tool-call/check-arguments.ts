/** Holds the arguments of a call against the schema of its tool. */

import { isFields } from "../model/fields.ts";
import { jsonFaultOffset } from "../readers/json-fault.ts";
import { parseForeignJson } from "../text/foreign-json.ts";
import { parsedJson } from "../text/json-text.ts";
import { nearestName } from "../text/nearest-name.ts";
import type { Fault } from "./fault.ts";
import { SchemaChecker } from "./json-schema/check-value.ts";
import { describeValue, typeOf } from "./json-schema/describe-value.ts";
import type { Declaration, Problem } from "./json-schema/outcome.ts";
import { normaliseSchema } from "./normalise-schema.ts";
import type { ToolUse } from "./tool-use.ts";

/** What comes of one call: faults, or what is missing for a verdict, or neither when the call is right. */
export interface ArgumentCheck {
  readonly faults: readonly Fault[];
  readonly missing: readonly string[];
}

/** Nesting of arguments that is looked at. */
const argumentDepthMax = 200;
/** How much of the arguments' shape is quoted. */
const shapeLimits = { depthMax: 4, fieldCountMax: 20 } as const;

/** Checks calls, with the schema of each tool looked through once. */
export class ArgumentChecker {
  readonly #checkers = new Map<unknown, SchemaChecker>();

  /** Checks a call against the schema that was advertised for it. */
  check(use: ToolUse, schema: unknown): ArgumentCheck {
    const parsed = parseArguments(use);
    if ("fault" in parsed) return { faults: [parsed.fault], missing: [] };
    const known = this.#checkers.get(schema) ?? new SchemaChecker(normaliseSchema(schema));
    this.#checkers.set(schema, known);
    const { problems: all, doubts, declarations } = known.check(parsed.value);
    const undescribed = all.filter((problem) => requiresUndescribed(problem, declarations));
    const problems = all.filter((problem) => !undescribed.includes(problem));
    const unknown = unknownFields(parsed.value, declarations);
    const faults = faultsOf(use, { problems, unknown, declarations });
    const missing = [
      ...doubts,
      ...undescribed.map(
        ({ field = "" }) =>
          `a description of the field ${field.slice(0, 64)}, which the schema requires`,
      ),
    ];
    return { faults, missing: faults.length > 0 ? [] : missing };
  }
}

/** Whether a schema asks for a field that no schema describes, though it describes others: a slip of the schema. */
function requiresUndescribed(
  { keyword, pointer, field }: Problem,
  declarations: readonly Declaration[],
): boolean {
  if (keyword !== "required" || field === undefined) return false;
  const described = declarations.filter((item) => item.pointer === pointer);
  return (
    described.length > 0 &&
    described.every(({ names, isOpen }) => !isOpen && !names.includes(field))
  );
}

type Parsed = { readonly value: unknown } | { readonly fault: Fault };

function parseArguments(use: ToolUse): Parsed {
  const { arguments: given } = use;
  if (typeof given !== "string") return { value: given };
  // Some models emit nothing for a tool that takes nothing.
  if (given.trim() === "") return { value: {} };
  try {
    const value: unknown = parseForeignJson(given);
    if (!isTooDeep(value)) return { value };
  } catch {
    const offset = jsonFaultOffset(given);
    const isCut = offset >= given.trimEnd().length;
    return {
      fault: {
        ...faultBase(use, ""),
        kind: "not-json",
        what: isCut
          ? "was called with arguments that end before their JSON is complete"
          : "was called with arguments that are not JSON",
        expected: "a JSON object",
        actual: `text of ${given.length} characters that stops being JSON at character ${offset}`,
        fix: isCut
          ? "Raise the limit of output tokens, or treat a call that was cut off as failed."
          : "Refuse the call with the parser's message, so that the model can repeat it as JSON.",
      },
    };
  }
  return {
    fault: {
      ...faultBase(use, ""),
      kind: "not-json",
      what: "was called with arguments that are nested too deeply",
      expected: `at most ${argumentDepthMax} levels`,
      actual: "more levels",
      fix: "Refuse the call.",
    },
  };
}

function isTooDeep(root: unknown): boolean {
  const stack = [{ value: root, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (typeof next.value !== "object" || next.value === null) continue;
    if (next.depth >= argumentDepthMax) return true;
    for (const child of Object.values(next.value))
      stack.push({ value: child, depth: next.depth + 1 });
  }
  return false;
}

interface UnknownField {
  readonly pointer: string;
  readonly name: string;
}

/**
 * Fields of objects that no schema which applies to them names. JSON Schema lets such fields pass where the schema does
 * not close the object; a tool drops them in silence, so here an object with named fields is closed unless its schema
 * says what becomes of others.
 */
function unknownFields(value: unknown, declarations: readonly Declaration[]): UnknownField[] {
  const byPointer = Map.groupBy(declarations, (declaration) => declaration.pointer);
  return [...byPointer].flatMap(([pointer, list]) => {
    const object = valueAt(value, pointer);
    if (!isFields(object) || list.some((declaration) => declaration.isOpen)) return [];
    const names = new Set(list.flatMap((declaration) => declaration.names));
    return Object.keys(object)
      .filter((name) => !names.has(name))
      .map((name) => ({ pointer, name }));
  });
}

function faultsOf(
  use: ToolUse,
  {
    problems,
    unknown,
    declarations,
  }: {
    problems: readonly Problem[];
    unknown: readonly UnknownField[];
    declarations: readonly Declaration[];
  },
): Fault[] {
  const isExtra = (problem: Problem): boolean =>
    problem.keyword === "additionalProperties" || problem.keyword === "unevaluatedProperties";
  const extras = [
    ...unknown,
    ...problems.filter(isExtra).map(({ pointer, field }) => ({ pointer, name: field ?? "" })),
  ];
  const missing = problems.filter((problem) => problem.keyword === "required");
  const fields = new Map(extras.map((extra) => [`${extra.pointer}\n${extra.name}`, extra]));
  const unknownFaults = [...fields.values()].map((extra) =>
    unknownFieldFault(use, extra, { missing, declarations }),
  );
  // A required field under another name is one slip, not two.
  const renamed = new Set(
    unknownFaults.map(({ pointer, nearest }) => `${parentOf(pointer)}\n${nearest ?? ""}`),
  );
  const absent = missing.filter(({ pointer, field }) => !renamed.has(`${pointer}\n${field ?? ""}`));
  const others = problems.filter((problem) => !isExtra(problem) && problem.keyword !== "required");
  return [
    ...unknownFaults,
    ...absent.map((problem) => missingFieldFault(use, problem)),
    ...others.map((problem) => valueFault(use, problem)),
  ];
}

function unknownFieldFault(
  use: ToolUse,
  { pointer, name }: UnknownField,
  { missing, declarations }: { missing: readonly Problem[]; declarations: readonly Declaration[] },
): Fault {
  const names = [
    ...new Set(
      declarations.filter((item) => item.pointer === pointer).flatMap((item) => item.names),
    ),
  ];
  const lacking = missing
    .filter((problem) => problem.pointer === pointer)
    .flatMap((problem) => problem.field ?? []);
  // A required field that is missing beside it is the likelier meaning than one that is there already.
  const nearest =
    nearestName(name, lacking) ??
    (lacking.length === 1 ? lacking[0] : undefined) ??
    nearestName(name, names);
  const shown = fieldText(name);
  const isRequired = nearest !== undefined && lacking.includes(nearest);
  return {
    ...faultBase(use, `${pointer}/${token(name)}`),
    kind: "unknown-field",
    what: `was called with the field ${shown}, which its schema${placeText(pointer)} does not have${isRequired ? `, and without ${nearest}, which it requires` : ""}`,
    expected: names.length === 0 ? "no fields" : `only the fields ${names.slice(0, 30).join(", ")}`,
    actual: `the field ${shown}`,
    ...(nearest === undefined ? {} : { nearest }),
    fix: nearest === undefined ? `Leave out ${shown}.` : `Write ${nearest} instead of ${shown}.`,
  };
}

function missingFieldFault(use: ToolUse, { pointer, expected, field = "" }: Problem): Fault {
  return {
    ...faultBase(use, `${pointer}/${token(field)}`),
    kind: "missing-field",
    what: `was called without the field ${field}, which its schema${placeText(pointer)} requires`,
    expected,
    actual: "no such field",
    fix: `Give ${field}.`,
  };
}

function valueFault(use: ToolUse, problem: Problem): Fault {
  const { pointer, keyword, expected, actual, allowed } = problem;
  const where = pointer === "" ? "its arguments" : `the field ${pointer}`;
  if (keyword === "type") {
    return {
      ...faultBase(use, pointer),
      kind: pointer === "" ? "not-an-object" : "wrong-type",
      what: `was called with ${actual} as ${where}, where its schema wants ${expected}`,
      expected,
      actual,
      fix: `Give a value of type ${expected}; nothing is converted on the way.`,
    };
  }
  const value = valueAt(argumentsValue(use), pointer);
  const texts = (allowed ?? []).filter((item) => typeof item === "string");
  const nearest = typeof value === "string" ? nearestName(value, texts) : undefined;
  return {
    ...faultBase(use, pointer),
    kind: "wrong-value",
    what: `was called with ${actual} as ${where}, where its schema wants ${expected}`,
    expected,
    actual,
    ...(nearest === undefined ? {} : { nearest }),
    fix: nearest === undefined ? `Give ${expected}.` : `Give ${nearest}, the nearest valid value.`,
  };
}

function faultBase(
  use: ToolUse,
  pointer: string,
): Pick<Fault, "tool" | "pointer" | "evidenceId" | "locator" | "quote"> {
  const { tool, evidenceId, locator } = use;
  return { tool, pointer, evidenceId, locator, quote: shapeOf(argumentsValue(use)) };
}

/** The arguments without their values: names and types only, because values may be secrets. */
function shapeOf(value: unknown, depth = 0): string {
  if (depth > shapeLimits.depthMax) return "…";
  if (Array.isArray(value)) {
    const types = [
      ...new Set(value.slice(0, shapeLimits.fieldCountMax).map((item) => shapeOf(item, depth + 1))),
    ];
    return `[${types.join(" | ")}]`;
  }
  if (!isFields(value)) return value === undefined ? "no JSON" : typeOf(value);
  const fields = Object.entries(value)
    .slice(0, shapeLimits.fieldCountMax)
    .map(([name, field]) => `${fieldText(name)}: ${shapeOf(field, depth + 1)}`);
  return `{ ${fields.join(", ")} }`;
}

function argumentsValue({ arguments: given }: ToolUse): unknown {
  if (typeof given !== "string") return given;
  // Whoever asks has a value to point into; a text that is none has no parts.
  return parsedJson(given);
}

function valueAt(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(name)];
    else if (isFields(value) && Object.hasOwn(value, name)) value = value[name];
    else return undefined;
  }
  return value;
}

/** A field's name as the model wrote it; what does not look like a name may be content and is only described. */
function fieldText(name: string): string {
  return /^[\w.$@:-]{1,64}$/u.test(name) ? name : `named by ${describeValue(name)}`;
}

function placeText(pointer: string): string {
  return pointer === "" ? "" : ` for ${pointer}`;
}

function parentOf(pointer: string): string {
  return pointer.slice(0, pointer.lastIndexOf("/"));
}

function token(name: string): string {
  return fieldText(name).replaceAll("~", "~0").replaceAll("/", "~1");
}
