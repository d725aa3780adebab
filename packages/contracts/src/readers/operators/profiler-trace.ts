/** Reads what PyTorch's profiler exports as a trace of Chrome, with the shapes that it was told to record. */

import type { OperatorAttribute, TensorOperator, TensorShape } from "../../model/operators.ts";
import { bareOperatorName } from "../../model/operator-name.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { cutText } from "../../text/cut-text.ts";
import { EvidenceError } from "../evidence-error.ts";
import type { FileContent, FormatInput } from "../format.ts";
import { parseJson } from "../text.ts";
import { parametersOf } from "./aten-parameters.ts";
import { operatorLimits } from "./limits.ts";
import { attributeOf, expressionOf } from "./python-expression.ts";
import { dtypeOf, tensorsOf } from "./tensor-shape.ts";

/** Whether a text begins as a trace of the profiler of PyTorch. */
export function recogniseProfilerTrace(head: string): boolean {
  return (
    /^\s*\{/.test(head) &&
    /"traceEvents"\s*:\s*\[/.test(head) &&
    /"Input Dims"\s*:|"record_shapes"\s*:|"cat"\s*:\s*"cpu_op"/.test(head)
  );
}

/**
 * Reads the operators that the program called, in their order. What an operator calls in turn is left out, and so is what is
 * the same as one before.
 */
export function readProfilerTrace(input: FormatInput): FileContent {
  const document = parseJson(input.text());
  const listed: unknown = isFields(document) ? document["traceEvents"] : undefined;
  const calls = callsOf(Array.isArray(listed) ? listed : []);
  if (calls.length === 0) {
    throw new EvidenceError("The trace has no shapes of operators.", {
      expected: "a profile that was taken with record_shapes=True",
    });
  }
  const seen = new Set<string>();
  const operators: TensorOperator[] = [];
  for (const { event, index } of outermost(calls)) {
    const operator = operatorOf(event, index);
    const key = JSON.stringify([operator.operator, operator.inputs, operator.attributes]);
    if (seen.has(key)) continue;
    seen.add(key);
    operators.push(operator);
    if (operators.length > operatorLimits.operatorCountMax) {
      throw new EvidenceError("The trace has too many operators.", {
        expected: `at most ${operatorLimits.operatorCountMax} different operators`,
      });
    }
  }
  const name = cutText(input.name.replace(/\.\w+$/, ""), 256);
  return {
    contents: [{ kind: "operators", name, framework: "torch", operators }],
    notes: [`Of ${calls.length} calls, ${operators.length} that differ are kept.`],
  };
}

interface Call {
  readonly event: Fields;
  readonly index: number;
  readonly thread: string;
  readonly start: number;
  readonly end: number;
}

function callsOf(events: readonly unknown[]): Call[] {
  return events.flatMap((event, index): Call[] => {
    if (!isFields(event) || event["ph"] !== "X") return [];
    const { name, ts, dur, args } = event;
    const isOperator = typeof name === "string" && name.startsWith("aten::");
    if (!isOperator || !isFields(args) || !Array.isArray(args["Input Dims"])) return [];
    const [start, length] = [Number(ts), Number(dur)];
    if (!Number.isFinite(start) || !Number.isFinite(length)) return [];
    const thread = `${String(event["pid"])} ${String(event["tid"])}`;
    return [{ event, index, thread, start, end: start + length }];
  });
}

/** Calls that lie in no other call of their thread, in the order of time. */
function outermost(calls: readonly Call[]): Call[] {
  const ends = new Map<string, number>();
  return calls
    .toSorted((left, right) => left.start - right.start || right.end - left.end)
    .filter(({ thread, start, end }) => {
      if (start < (ends.get(thread) ?? Number.NEGATIVE_INFINITY)) return false;
      ends.set(thread, end);
      return true;
    });
}

/** Types of arguments that are no tensors; one that is absent has none. */
const noTensor = /^(?:|Scalar|ScalarList|GenericList|Device|None)$/;

function operatorOf(event: Fields, index: number): TensorOperator {
  const operator = cutText(String(event["name"]), 256);
  const args = isFields(event["args"]) ? event["args"] : {};
  const dims = listOf(args["Input Dims"]);
  const types = listOf(args["Input type"]);
  const values = listOf(args["Concrete Inputs"]);
  const names = parametersOf(bareOperatorName(operator));
  const inputs: TensorShape[] = [];
  const attributes: Record<string, OperatorAttribute> = {};
  for (const [place, shape] of dims.slice(0, operatorLimits.tensorCountMax).entries()) {
    const type = types[place];
    const isTensor = typeof type !== "string" || !noTensor.test(type);
    if (isTensor) inputs.push(...tensorsIn(shape, type));
    const value = values[place];
    const name = names?.[place]?.replace(/^\*/, "") ?? `argument_${place}`;
    if (isTensor || typeof value !== "string" || value === "" || value.length > 4_096) continue;
    const attribute = attributeOf(expressionOf(value));
    if (attribute !== undefined && attribute !== null) attributes[name] = attribute;
  }
  return {
    operator,
    inputs: inputs.slice(0, operatorLimits.tensorCountMax),
    outputs: [],
    attributes,
    pointer: `/traceEvents/${index}`,
  };
}

/** One tensor, or those of a list. */
function tensorsIn(shape: unknown, type: unknown): TensorShape[] {
  const list: readonly unknown[] = Array.isArray(shape) ? shape : [];
  const isList = list.some((item) => Array.isArray(item));
  if (type === "TensorList" && !isList) return list.length === 0 ? [] : [{}];
  if (isList) return tensorsOf(list, false);
  const [tensor = {}] = list.length === 0 ? [{ shape: [] }] : tensorsOf(list, true);
  const dtype = typeof type === "string" ? typeWord(type) : undefined;
  return [dtype === undefined ? tensor : { ...tensor, dtype }];
}

/** Types as C++ spells them. */
function typeWord(type: string): string | undefined {
  const bare = type
    .replace(/^c10::/, "")
    .replace(/^(long|int|short|signed char|unsigned char)(?: int)?$/, "$1");
  const words: Readonly<Record<string, string>> = {
    long: "int64",
    int: "int32",
    short: "int16",
    "signed char": "int8",
    "unsigned char": "uint8",
    Half: "float16",
    BFloat16: "bfloat16",
  };
  return Object.hasOwn(words, bare) ? words[bare] : cutText(dtypeOf(bare) ?? bare, 64);
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
