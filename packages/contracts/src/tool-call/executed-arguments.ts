/** The contract tool-call/executed-arguments: what the model asked for is what runs. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import { isFields } from "../model/fields.ts";
import { readLiteral } from "../readers/transcript/python-literal.ts";
import { compareArguments, type Difference } from "./compare-arguments.ts";
import type { Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { parseArguments } from "./conversation/parse-arguments.ts";
import { Verdicts } from "./verdicts.ts";

/** Fields in which recorders wrap arguments. */
const wrapperNames = new Set(["input", "inputs", "args", "kwargs", "arguments", "parameters"]);

export const executedArguments: Contract = defineContract({
  id: "tool-call/executed-arguments",
  version: 1,
  boundary: "model-tool",
  promise:
    "A tool runs with the arguments that the model emitted: nothing is renamed, converted, dropped or added on the way.",
  reads: ["transcript", "trace"],
  options: {
    ignoredFields: {
      default: [] as readonly string[],
      description:
        "Names of fields that the application adds or changes by design, such as a session.",
    },
  },
  check(snapshot, { ignoredFields }, found) {
    const verdicts = new Verdicts();
    for (const { exchanges } of conversationsOf(snapshot)) {
      for (const exchange of exchanges) judge(exchange, new Set(ignoredFields), verdicts);
    }
    return verdicts.findings(found, {
      holds: "ran with the arguments that the model emitted",
      nextCheck:
        "Record the arguments on the span that runs the tool (gen_ai.tool.call.arguments).",
    });
  },
});

function judge(exchange: Exchange, ignored: ReadonlySet<string>, verdicts: Verdicts): void {
  const { execution, given, tool, definition } = exchange;
  if (execution === undefined || execution.arguments === undefined) return;
  const ran = executedValue(execution.arguments, given);
  // Emitted text that is no JSON is the fault of another contract; what ran is then somebody's guess.
  if (!isFields(given) || !isFields(ran)) return;
  const differences = compareArguments(given, ran, definition?.inputSchema).filter(
    ({ pointer }) => !ignored.has(pointer.slice(pointer.lastIndexOf("/") + 1)),
  );
  if (differences.length === 0) {
    verdicts.fits(tool, exchange.reference);
    return;
  }
  for (const difference of differences) {
    const field = difference.pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*");
    verdicts.violated({
      tool,
      fault: `${difference.kind}-field`,
      what: wordsOf(difference, field),
      expected: `the field ${field} as the model emitted it: ${difference.emitted}`,
      actual: `${difference.ranAs === undefined ? field : difference.ranAs}: ${difference.executed}`,
      causeKind: "data",
      fix: fixOf(difference, field),
      nextCheck:
        "Look for the code between the model's answer and the tool that parses, maps or validates arguments.",
      evidence: [exchange.reference, execution.reference],
      measures: {
        pointer: field,
        differenceCount: differences.length,
        ...(difference.ranAs === undefined ? {} : { ranAs: difference.ranAs }),
      },
    });
  }
}

function wordsOf({ kind, ranAs = "", emitted, executed }: Difference, field: string): string {
  switch (kind) {
    case "renamed":
      return `ran with the field ${ranAs} where the model emitted ${field}`;
    case "coerced":
      return `ran with ${executed} as ${field}, which the model emitted as ${emitted}`;
    case "changed":
      return `ran with another value for ${field} than the model emitted: ${executed} instead of ${emitted}`;
    case "dropped":
      return `ran without the field ${field} that the model emitted`;
    default:
      return `ran with the field ${field}, which the model did not emit and for which its schema has no such default`;
  }
}

function fixOf({ kind }: Difference, field: string): string {
  switch (kind) {
    case "added":
      return `Declare the default of ${field} in the schema, or refuse the call and ask for it.`;
    case "changed":
      return `Run the call with ${field} as emitted, or refuse it and say why.`;
    default:
      return `Refuse the call with what the schema wants of ${field}, so that the model repeats it rightly, instead of mending it in silence.`;
  }
}

/** The value that ran; recorders write it as JSON, as Python, and in wrappers. */
function executedValue(recorded: unknown, given: unknown): unknown {
  const value =
    parseArguments(recorded) ??
    (typeof recorded === "string" ? readLiteral(recorded.trim()) : undefined);
  if (!isFields(value)) return value;
  const [only, ...others] = Object.keys(value);
  const isWrapped =
    only !== undefined &&
    others.length === 0 &&
    wrapperNames.has(only) &&
    !(isFields(given) && Object.hasOwn(given, only));
  if (!isWrapped) return value;
  const inner = value[only];
  const opened = typeof inner === "string" ? (parseArguments(inner) ?? readLiteral(inner)) : inner;
  return isFields(opened) ? opened : value;
}
