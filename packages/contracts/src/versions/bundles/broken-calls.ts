/** Calls that a version of a bundle breaks: values that its prompt needs and nobody sends, and arguments that its tools no longer have. */

import { isFields } from "../../model/fields.ts";
import type { FindingParts } from "../../model/make-finding.ts";
import type { EvidenceOf } from "../../model/snapshot.ts";
import type { AttributeValue } from "../../model/span.ts";
import { toolOfSpan } from "../../readers/transcript/span-messages.ts";
import { mark } from "../../traces/marks.ts";
import type { Unit } from "../canary/units.ts";
import { bundleHashOf } from "./bundle-hash.ts";
import { nameOf } from "./identity.ts";
import type { ServedBundle } from "./served-bundles.ts";
import { parsedJson } from "../../text/json-text.ts";

type StoredBundle = EvidenceOf<"bundle">;

/** `{{ name }}` in a prompt, with the spaces around the name. */
const variablePattern = /\{\{([^{}]*)\}\}/g;

/** Variables of the prompt that are not declared, or that requests do not bring. */
export function promptFindings(
  bundle: StoredBundle,
  served: ServedBundle | undefined,
): FindingParts[] {
  const prompt = bundle.content.document["systemPrompt"];
  if (!isFields(prompt) || typeof prompt["text"] !== "string") return [];
  const { text, variables } = prompt;
  const declared: readonly unknown[] = Array.isArray(variables) ? variables : [];
  const names = new Set(declared.flatMap((item) => (isFields(item) ? [item["name"]] : [])));
  const used = new Set([...text.matchAll(variablePattern)].map((match) => (match[1] ?? "").trim()));
  const unknown = [...used].filter((name) => !names.has(name));
  const name = nameOf(bundle.content);
  const subject = { kind: "prompt", name: bundle.content.name };
  if (unknown.length > 0) {
    return [
      {
        verdict: "violated",
        subject,
        causeKind: "configuration",
        title: `The prompt of ${name} uses {{ ${unknown[0]} }}, which is not among its variables.`,
        actual: `Declared: ${[...names].join(", ") || "none"}; used: ${[...used].join(", ")}.`,
        evidence: [
          {
            evidenceId: bundle.id,
            locator: "/document/systemPrompt/text",
            quote: text.slice(0, 500),
          },
        ],
        fixes: [
          { description: `Declare ${unknown.join(", ")} in systemPrompt.variables.`, cost: 1 },
        ],
      },
    ];
  }
  return declared.flatMap((variable) => unsentValue(bundle, variable, served));
}

function unsentValue(
  bundle: StoredBundle,
  variable: unknown,
  served: ServedBundle | undefined,
): FindingParts[] {
  if (!isFields(variable) || variable["default"] !== undefined || served === undefined) return [];
  const { from } = variable;
  const source = isFields(from) ? (from["header"] ?? from["metadata"]) : undefined;
  if (typeof source !== "string") return [];
  const failed = served.units.filter(({ lead }) => needsValue(lead.status.message, source));
  const [first] = failed;
  if (first === undefined) return [];
  const { content } = bundle;
  return [
    {
      verdict: "violated",
      subject: { kind: "prompt", name: content.name },
      causeKind: "configuration",
      title: `The prompt of ${nameOf(content)} needs ${source}, which ${failed.length} of ${served.units.length} requests do not bring.`,
      actual: `The variable ${String(variable["name"])} has no default.`,
      measures: { failedCount: failed.length, callCount: served.units.length },
      evidence: [
        {
          evidenceId: bundle.id,
          locator: "/document/systemPrompt/variables",
          quote: JSON.stringify(variable).slice(0, 500),
        },
        first.trace.reference(first.index, first.lead.status.message),
      ],
      fixes: [
        {
          description: `Give the variable ${String(variable["name"])} a default, or have callers send ${source}.`,
          cost: 1,
        },
      ],
    },
  ];
}

function needsValue(message: string | undefined, source: string): boolean {
  if (message === undefined || !message.includes("prompt needs")) return false;
  return message.split(/[\s,.]+/).includes(source) || message.includes(`metadata.${source},`);
}

/** A call of a tool as it was made. */
interface MadeCall {
  readonly tool: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly unit: Unit;
}

/** Calls under the newer of two versions that still fit the tools of the older one alone. */
export function toolFindings(
  older: StoredBundle,
  newer: StoredBundle,
  served: ServedBundle | undefined,
): FindingParts[] {
  if (served === undefined) return [];
  const before = toolsOf(older);
  const after = toolsOf(newer);
  const changed = [...after].filter(([name, schema]) => {
    const was = before.get(name);
    return was !== undefined && JSON.stringify(was) !== JSON.stringify(schema);
  });
  if (changed.length === 0) return [];
  const calls = served.units.flatMap(callsOfUnit);
  return changed.flatMap(([tool, schema]): FindingParts[] => {
    const was = before.get(tool);
    const own = calls.filter((call) => call.tool === tool);
    const fault = firstFault(own, was, schema);
    if (fault === undefined) return [];
    const { call, words, count } = fault;
    return [
      {
        verdict: "violated",
        subject: { kind: "tool", name: `${newer.content.name}: ${tool}` },
        causeKind: "change",
        title: `${count} of ${own.length} calls of ${tool} under ${nameOf(newer.content)} ${words}.`,
        actual: `Between ${nameOf(older.content)} and ${nameOf(newer.content)} the arguments of ${tool} change, and calls do not.`,
        measures: { callCount: own.length, faultCount: count },
        evidence: [
          {
            evidenceId: older.id,
            locator: `/document/tools/${tool}`,
            quote: JSON.stringify(was).slice(0, 900),
          },
          {
            evidenceId: newer.id,
            locator: `/document/tools/${tool}`,
            quote: JSON.stringify(schema).slice(0, 900),
          },
          call.unit.trace.reference(call.unit.index, JSON.stringify(call.given).slice(0, 500)),
        ],
        fixes: [
          {
            description: `Have ${tool} take the old arguments as well until prompts and callers follow.`,
            cost: 1,
          },
        ],
      },
    ];
  });
}

function firstFault(
  calls: readonly MadeCall[],
  was: unknown,
  is: unknown,
): { readonly call: MadeCall; readonly words: string; readonly count: number } | undefined {
  const [own, others] = [namesOf(was), namesOf(is)];
  const gone = own.all.filter((name) => !others.all.includes(name));
  const needed = others.required.filter((name) => !own.required.includes(name));
  for (const name of gone) {
    const found = calls.filter(({ given }) => given[name] !== undefined);
    const [call] = found;
    if (call !== undefined)
      return { call, count: found.length, words: `still give ${name}, which it no longer has` };
  }
  for (const name of needed) {
    const found = calls.filter(({ given }) => given[name] === undefined);
    const [call] = found;
    if (call !== undefined)
      return { call, count: found.length, words: `lack ${name}, which it now requires` };
  }
  return undefined;
}

function namesOf(schema: unknown): {
  readonly all: readonly string[];
  readonly required: readonly string[];
} {
  if (!isFields(schema) || !isFields(schema["properties"])) return { all: [], required: [] };
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  return {
    all: Object.keys(schema["properties"]),
    required: required.filter((name) => typeof name === "string"),
  };
}

function toolsOf({ content }: StoredBundle): ReadonlyMap<string, unknown> {
  const tools: readonly unknown[] = Array.isArray(content.document["tools"])
    ? content.document["tools"]
    : [];
  return new Map(
    tools.flatMap((tool): [string, unknown][] =>
      isFields(tool) && typeof tool["name"] === "string"
        ? [[tool["name"], tool["parameters"]]]
        : [],
    ),
  );
}

/** Calls in the answer of a model, and tools that ran below it. */
function callsOfUnit(unit: Unit): MadeCall[] {
  const { trace, lead, index } = unit;
  const calls = emittedCalls(lead.attributes["gen_ai.output.messages"]).map((call) => ({
    ...call,
    unit,
  }));
  if (calls.length > 0 || !trace.hasMarks(mark.genAi | mark.toolName)) return calls;
  return [...trace.children(index)].flatMap((child): MadeCall[] => {
    const tool = toolOfSpan(trace.span(child));
    const given = tool === undefined ? undefined : argumentsOf(tool.arguments);
    return tool === undefined || given === undefined ? [] : [{ tool: tool.name, given, unit }];
  });
}

function emittedCalls(value: AttributeValue | undefined): Omit<MadeCall, "unit">[] {
  if (typeof value !== "string" || !value.includes("tool_call")) return [];
  const messages = parsedJson(value);
  if (!Array.isArray(messages)) return [];
  return messages.flatMap((message: unknown) => {
    const parts = isFields(message) ? message["parts"] : undefined;
    if (!Array.isArray(parts)) return [];
    return parts.flatMap((part: unknown) => {
      if (!isFields(part) || part["type"] !== "tool_call" || typeof part["name"] !== "string")
        return [];
      const given = argumentsOf(part["arguments"]);
      return given === undefined ? [] : [{ tool: part["name"], given }];
    });
  });
}

function argumentsOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const given = typeof value === "string" ? parsedJson(value) : value;
  return isFields(given) ? given : undefined;
}

/** Stored versions of one bundle next to one another, the older first. */
export function neighboursOf(
  stored: readonly StoredBundle[],
): readonly (readonly [StoredBundle, StoredBundle])[] {
  return [...Map.groupBy(stored, ({ content }) => content.name).values()].flatMap((own) => {
    const sorted = own
      .filter(({ content }) => content.version !== undefined)
      .toSorted((left, right) => (left.content.version ?? 0) - (right.content.version ?? 0));
    return sorted.flatMap((newer, at): [StoredBundle, StoredBundle][] => {
      const older = sorted[at - 1];
      return older === undefined ? [] : [[older, newer]];
    });
  });
}

/** The calls under a stored bundle. */
export function servedUnder(
  { content }: StoredBundle,
  served: readonly ServedBundle[],
): ServedBundle | undefined {
  const hash = bundleHashOf(content);
  return served.find((bundle) => bundle.hash === hash);
}
