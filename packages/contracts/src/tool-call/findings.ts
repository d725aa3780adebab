/** Turns what was seen of a tool's calls into findings. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { CauseKind, Finding } from "../model/finding.ts";
import { shorten } from "../text/cut-text.ts";
import type { Fault, FaultKind } from "./fault.ts";
import type { ToolUse } from "./tool-use.ts";

/** Limits of what one finding lists. */
const listLimits = {
  evidenceCountMax: 50,
  missingCountMax: 20,
  textLengthMax: 1_000,
  toolNameLengthMax: 200,
} as const;

const causeKinds: Readonly<Record<FaultKind, CauseKind>> = {
  "unknown-tool": "configuration",
  "not-json": "data",
  "not-an-object": "data",
  "unknown-field": "data",
  "missing-field": "data",
  "wrong-type": "data",
  "wrong-value": "data",
  "call-without-result": "dependency",
  "result-without-call": "dependency",
  "duplicate-call-id": "dependency",
  "second-result": "dependency",
};

/** The finding about equal faults of one tool. */
export function violatedFinding(tool: string, faults: readonly Fault[]): Finding[] {
  const [first] = faults;
  if (first === undefined) return [];
  const often = faults.length === 1 ? "" : ` (${faults.length} calls)`;
  const meant = first.nearest === undefined ? "" : `; the nearest valid is ${first.nearest}`;
  return [
    {
      ...base(tool, "violated"),
      title: cut(`${nameOf(tool)} ${first.what}${meant}${often}.`),
      expected: cut(first.expected),
      actual: cut(first.actual),
      causeKind: causeKinds[first.kind],
      measures: {
        fault: first.kind,
        faultCount: faults.length,
        ...(first.pointer === "" ? {} : { pointer: cut(first.pointer) }),
        ...(first.nearest === undefined ? {} : { nearestValid: cut(first.nearest) }),
      },
      evidence: referencesOf(faults),
      fixes: [{ description: cut(first.fix), verified: false }],
      nextChecks: nextChecksOf(first),
    },
  ];
}

/** The finding about a tool of whose calls something is not known. */
export function unjudgedFinding(
  tool: string,
  uses: readonly ToolUse[],
  missing: readonly string[],
): Finding {
  return {
    ...base(tool, "inconclusive"),
    title: cut(
      `Whether the calls of ${nameOf(tool)} fit is not known: the evidence lacks ${missing[0] ?? "something"}.`,
    ),
    actual: `${uses.length} calls, not all of which can be judged`,
    measures: { callCount: uses.length },
    evidence: referencesOf(uses),
    missing: missing.slice(0, listLimits.missingCountMax).map(cut),
    nextChecks: [
      "Record the request with its tools beside the messages, or gen_ai.tool.definitions on the span of the model call.",
    ],
  };
}

/** The finding about a tool all of whose calls are right. */
export function fittingFinding(tool: string, uses: readonly ToolUse[]): Finding {
  const calls = uses.length === 1 ? "the one call" : `all ${uses.length} calls`;
  return {
    ...base(tool, "holds"),
    title: cut(`${nameOf(tool)}: ${calls} fit its schema.`),
    actual: `${calls} fit`,
    measures: { callCount: uses.length },
    evidence: referencesOf(uses.slice(0, 1)),
  };
}

function base(tool: string, verdict: Finding["verdict"]): Omit<Finding, "title" | "actual"> {
  return {
    contract: "tool-call/schema",
    contractVersion: 1,
    boundary: "model-tool",
    verdict,
    subject: { kind: "tool", name: tool.slice(0, listLimits.toolNameLengthMax) },
    expected:
      "Calls name an advertised tool, fit its schema as it stands, and have one result each.",
    causeKind: "none",
    measures: {},
    evidence: [],
    missing: [],
    fixes: [],
    nextChecks: [],
  };
}

function nextChecksOf({ kind }: Fault): string[] {
  switch (kind) {
    case "unknown-tool":
      return ["Compare the tools of this request with those of the turn before."];
    case "call-without-result":
    case "result-without-call":
    case "duplicate-call-id":
    case "second-result":
      return ["Look at how the application stores and resends the conversation."];
    default:
      return [
        "Refuse such calls before the tool runs, and return the schema's words to the model.",
      ];
  }
}

function referencesOf(
  items: readonly {
    readonly evidenceId: string;
    readonly locator: string;
    readonly quote?: string;
  }[],
): EvidenceReference[] {
  return items.slice(0, listLimits.evidenceCountMax).map(({ evidenceId, locator, quote }) => ({
    evidenceId,
    locator: cut(locator),
    ...(quote === undefined ? {} : { quote: cut(quote) }),
  }));
}

function nameOf(tool: string): string {
  return tool.slice(0, listLimits.toolNameLengthMax);
}

function cut(text: string): string {
  return shorten(text, listLimits.textLengthMax);
}
