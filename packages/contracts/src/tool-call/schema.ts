/** The contract tool-call/schema: calls of tools fit what was advertised, and each has its result. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { TranscriptTurn } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { tracesOf } from "../traces/trace.ts";
import { nearestName } from "../text/nearest-name.ts";
import { ArgumentChecker } from "./check-arguments.ts";
import { pairingFaults } from "./check-pairing.ts";
import { pairingFaultsOfTrace } from "./pairing-of-trace.ts";
import { usesOfTrace, usesOfTranscript } from "./collect-uses.ts";
import type { Fault } from "./fault.ts";
import { fittingFinding, unjudgedFinding, violatedFinding } from "./findings.ts";
import { definitionOf } from "./tool-names.ts";
import type { ToolUse } from "./tool-use.ts";

/** What was seen of the calls of one tool. */
interface ToolRecord {
  readonly uses: ToolUse[];
  readonly faults: Fault[];
  readonly missing: Set<string>;
}

export const toolCallSchema: Contract = defineContract({
  id: "tool-call/schema",
  version: 2,
  boundary: "model-tool",
  promise:
    "Every call names an advertised tool, fits its schema as it stands, and has exactly one result.",
  reads: ["transcript", "trace"],
  options: {},
  check(snapshot): Finding[] {
    const records = [...readRecords(snapshot)].sort(([left], [right]) => (left < right ? -1 : 1));
    const violated = records.flatMap(([tool, { faults }]) =>
      [...Map.groupBy(faults, groupOf)]
        .sort(([left], [right]) => (left < right ? -1 : 1))
        .flatMap(([, group]) => violatedFinding(tool, group)),
    );
    const unjudged = records.flatMap(([tool, { uses, missing }]) =>
      missing.size === 0 ? [] : [unjudgedFinding(tool, uses, [...missing].sort())],
    );
    const fitting = records.flatMap(([tool, { uses, faults, missing }]) =>
      faults.length > 0 || missing.size > 0 || uses.length === 0
        ? []
        : [fittingFinding(tool, uses)],
    );
    return [...violated, ...unjudged, ...fitting];
  },
});

function readRecords(snapshot: Snapshot): Map<string, ToolRecord> {
  const records = new Map<string, ToolRecord>();
  const recordOf = (tool: string): ToolRecord => {
    const record = records.get(tool) ?? { uses: [], faults: [], missing: new Set() };
    records.set(tool, record);
    return record;
  };
  const checker = new ArgumentChecker();
  const judge = (use: ToolUse): void => {
    const record = recordOf(use.tool);
    record.uses.push(use);
    const { faults, missing } = judgeUse(use, checker);
    record.faults.push(...faults);
    for (const what of missing) record.missing.add(what);
  };
  for (const evidence of evidenceOfKind(snapshot, "transcript")) {
    for (const use of usesOfTranscript(evidence)) judge(use);
    const turns = evidence.content.turns.map((turn) => ({ ...turn, evidenceId: evidence.id }));
    const areKept = areResultsKept(turns);
    for (const fault of pairingFaults(turns)) {
      const { faults, missing } = recordOf(fault.tool);
      if (areKept || fault.kind !== "call-without-result") faults.push(fault);
      else missing.add("the results of the calls, none of which is recorded");
    }
  }
  for (const trace of tracesOf(snapshot)) {
    for (const use of usesOfTrace(trace)) judge(use);
    for (const fault of pairingFaultsOfTrace(trace)) recordOf(fault.tool).faults.push(fault);
  }
  return records;
}

/** Whether a transcript keeps results: without any after calls in several turns it is a key of right answers, or left them out. */
function areResultsKept(turns: readonly TranscriptTurn[]): boolean {
  return (
    turns.some(({ results }) => results.length > 0) ||
    turns.filter(({ calls }) => calls.length > 0).length < 2
  );
}

function judgeUse(
  use: ToolUse,
  checker: ArgumentChecker,
): { faults: readonly Fault[]; missing: readonly string[] } {
  const { advertised } = use;
  if (advertised === undefined) {
    return { faults: [], missing: ["the tools that were advertised when the call was made"] };
  }
  const definition = definitionOf(use.tool, advertised);
  if (definition === undefined && use.areToolsPartial)
    return { faults: [], missing: ["the definitions of all tools that were advertised"] };
  if (definition === undefined)
    return {
      faults: [
        unknownTool(
          use,
          advertised.map((tool) => tool.name),
        ),
      ],
      missing: [],
    };
  if (use.arguments === undefined) return { faults: [], missing: ["the arguments of the call"] };
  if (definition.inputSchema === undefined) {
    return { faults: [], missing: [`the input schema of the tool ${use.tool}`] };
  }
  return checker.check(use, definition.inputSchema);
}

function unknownTool(use: ToolUse, names: readonly string[]): Fault {
  const nearest = nearestName(use.tool, names);
  const isStale = use.advertisedElsewhere.has(use.tool);
  return {
    kind: "unknown-tool",
    tool: use.tool,
    what: isStale
      ? "was called in a turn in which it was not advertised, although it is in another"
      : "was called but never advertised",
    expected:
      names.length === 0
        ? "no tool at all"
        : `one of the advertised tools ${names.slice(0, 30).join(", ")}`,
    actual: `a call of ${use.tool}`,
    pointer: "",
    ...(nearest === undefined ? {} : { nearest }),
    fix:
      nearest === undefined
        ? `Advertise ${use.tool} in this turn, or refuse the call and name the tools that exist.`
        : `Call ${nearest}, or advertise ${use.tool} in this turn.`,
    evidenceId: use.evidenceId,
    locator: use.locator,
  };
}

/** Equal faults stand in one finding; the place of an item in a list does not make them different. */
function groupOf({ kind, pointer, what }: Fault): string {
  const place = pointer.replaceAll(/\/\d+(?=\/|$)/g, "/*");
  const isAboutValue = kind === "wrong-type" || kind === "wrong-value" || kind === "not-an-object";
  return [kind, place, isAboutValue ? "" : what.replaceAll(/\/\d+(?=\/|$)/g, "/*")].join("\n");
}
