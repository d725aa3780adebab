/** The contract tool-call/schema-strictness: the schema of a tool can be met, and checks what it is given. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { EvidenceReference, ToolDefinition } from "../model/evidence.ts";
import { isFields } from "../model/fields.ts";
import type { Conversation } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { normaliseSchema } from "./normalise-schema.ts";
import { checksNothing, flawsOf, type SchemaFlaw } from "./schema-flaws.ts";
import { keyOf } from "./value-key.ts";
import { Verdicts } from "./verdicts.ts";

export const schemaStrictness: Contract = defineContract({
  id: "tool-call/schema-strictness",
  version: 1,
  boundary: "model-tool",
  promise:
    "The schema of every advertised tool can be met, describes the arguments that it is given, and has a name of its own.",
  reads: ["transcript", "trace"],
  options: {},
  check(snapshot, _options, found) {
    const verdicts = new Verdicts();
    const seen = new Set<string>();
    for (const conversation of conversationsOf(snapshot)) {
      const passing = toolsGivenFields(conversation);
      for (const turn of conversation.turns) {
        const { tools } = turn;
        if (tools === undefined) continue;
        const key = keyOf(tools) ?? "";
        const passed = tools.filter((tool) => passing.has(tool.name)).map((tool) => tool.name);
        const once = `${key}\n${passed.join("\n")}`;
        if (seen.has(once)) continue;
        seen.add(once);
        const reference = { evidenceId: turn.evidenceId, locator: turn.pointer };
        judgeNames(tools, reference, verdicts);
        for (const tool of tools)
          judgeTool(tool, { reference, isGivenFields: passing.has(tool.name), verdicts, seen });
      }
    }
    return verdicts.findings(found, {
      holds: "met a schema that checks what it is given",
      nextCheck: "Record the definitions of the tools with their schemas.",
    });
  },
});

/** The tools that are called with at least one field in this conversation. */
function toolsGivenFields({ exchanges }: Conversation): ReadonlySet<string> {
  return new Set(
    exchanges.flatMap(({ tool, given, definition }) =>
      isFields(given) && Object.keys(given).length > 0 ? [definition?.name ?? tool] : [],
    ),
  );
}

function judgeTool(
  tool: ToolDefinition,
  {
    reference,
    isGivenFields,
    verdicts,
    seen,
  }: {
    reference: EvidenceReference;
    isGivenFields: boolean;
    verdicts: Verdicts;
    seen: Set<string>;
  },
): void {
  const { name, inputSchema } = tool;
  if (inputSchema === undefined) return;
  const once = `${name}\n${keyOf(inputSchema) ?? ""}\n${String(isGivenFields)}`;
  if (seen.has(once)) return;
  seen.add(once);
  const flaws = flawsOf(inputSchema);
  for (const { kind, pointer, what, fix } of flaws) {
    const missing = missingFor(kind, pointer);
    if (missing !== undefined) {
      verdicts.open({
        tool: name,
        what: `has a schema that ${what}`,
        missing,
        evidence: [{ ...reference, quote: `${name}: ${pointer}` }],
      });
      continue;
    }
    verdicts.violated({
      tool: name,
      fault: kind,
      what: `has a schema that ${what}`,
      expected: "a schema that right arguments meet and wrong ones do not",
      actual: kind.replaceAll("-", " "),
      causeKind: "configuration",
      fix,
      nextCheck: "Hold a right call and a wrong one against the schema before it is advertised.",
      evidence: [{ ...reference, quote: `${name}: ${pointer === "" ? "/" : pointer}` }],
      measures: { pointer },
    });
  }
  if (isGivenFields && checksNothing(normaliseSchema(inputSchema))) {
    verdicts.violated({
      tool: name,
      fault: "checks-nothing",
      what: "is called with fields of which its schema describes none, so that any call passes",
      expected: "a schema that names the fields with their types and says which are required",
      actual: "a schema without described fields",
      causeKind: "configuration",
      fix: `Describe the fields of ${name} with their types, and list those that are required.`,
      nextCheck: "Collect the fields that recorded calls use: they are the schema to begin with.",
      evidence: [{ ...reference, quote: `${name}: no properties` }],
    });
  } else if (flaws.length === 0 && isGivenFields) verdicts.fits(name, reference);
}

/** What would have to be known to tell whether a way of writing does harm that many corpora and servers have. */
function missingFor(kind: SchemaFlaw["kind"], pointer: string): string | undefined {
  if (kind === "enum-of-items") return `how whoever reads the schema takes the enum at ${pointer}`;
  if (kind === "enum-of-other-type")
    return `whether whoever reads the schema goes by the type or by the enum at ${pointer}`;
  if (kind === "values-in-words-only")
    return `whether the tool refuses other values at ${pointer} than its description lists`;
  return undefined;
}

/** Two tools that a model or a dispatcher cannot tell apart. */
function judgeNames(
  tools: readonly ToolDefinition[],
  reference: EvidenceReference,
  verdicts: Verdicts,
): void {
  for (const [, group] of Map.groupBy(tools, ({ name }) =>
    name.replaceAll(/[^\p{L}\p{N}]/gu, "_").toLowerCase(),
  )) {
    const kinds = new Set(
      group.map(({ name, inputSchema }) => `${name}\n${keyOf(inputSchema) ?? ""}`),
    );
    const [first] = group;
    if (kinds.size < 2 || first === undefined) continue;
    const names = [...new Set(group.map(({ name }) => name))];
    verdicts.violated({
      tool: [...names].sort()[0] ?? first.name,
      fault: "colliding-names",
      what:
        names.length === 1
          ? "is advertised more than once with different schemas"
          : `has a name that is the same as ${names.slice(1, 5).join(", ")} where only letters and digits count`,
      expected: "one tool for each name",
      actual: `${group.length} tools under ${names.slice(0, 5).join(", ")}`,
      causeKind: "configuration",
      fix: "Give each tool a name of its own, with the server's name before it where several servers bring tools.",
      nextCheck: "See which of them the dispatcher runs.",
      evidence: [reference],
      measures: { toolCount: group.length },
    });
  }
}
