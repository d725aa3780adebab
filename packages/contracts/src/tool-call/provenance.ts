/** The contract tool-call/provenance: identifiers in arguments were said before. */

import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { ToolResult } from "../model/evidence.ts";
import { isFields } from "../model/fields.ts";
import type { Conversation, Exchange } from "./conversation/conversation.ts";
import { conversationsOf } from "./conversation/conversations.ts";
import { identifiesAThing, looksLikeIdentifier, SaidBefore } from "./identifiers.ts";
import { type Leaf, leavesOf } from "./leaves.ts";
import { masked } from "./masked.ts";
import { resultText, stateOf } from "./result-state.ts";
import { traitsOf } from "./tool-traits.ts";
import { areResultsLeftOut } from "./uninformative.ts";
import { Verdicts } from "./verdicts.ts";

/** Text of one turn beyond this length is not kept by the readers, so a literal may have stood there. */
const textLengthMax = 65_536;

export const provenance: Contract = defineContract({
  id: "tool-call/provenance",
  version: 2,
  boundary: "model-tool",
  promise:
    "An identifier in the arguments of a call was given by the user, the instructions or the result of a tool before.",
  reads: ["transcript", "trace"],
  options: {
    digitCountMin: {
      default: 5,
      description: "Digits that a plain number must have to count as an identifier.",
    },
    ignoredFields: {
      default: [] as readonly string[],
      description: "Names of fields whose identifiers the model may make up.",
    },
  },
  check(snapshot, { digitCountMin, ignoredFields }, found) {
    const verdicts = new Verdicts();
    const settings = { digitCountMin, ignored: new Set(ignoredFields), verdicts };
    for (const conversation of conversationsOf(snapshot)) judge(conversation, settings);
    return verdicts.findings(found, {
      holds: "named only identifiers that had been said",
      nextCheck: "Record the whole conversation: system text, user messages and every result.",
    });
  },
});

interface Settings {
  readonly digitCountMin: number;
  readonly ignored: ReadonlySet<string>;
  readonly verdicts: Verdicts;
}

function judge(conversation: Conversation, settings: Settings): void {
  const { turns, exchanges } = conversation;
  const said = new SaidBefore();
  const spoken = new SaidBefore();
  const chosen = new Set<string>();
  // Without any words there is nothing to look in: a server's log, or spans of tools alone.
  if (!turns.some((turn) => turn.role === "user" && turn.text !== undefined)) return;
  // Several calls without any result are a key of right answers, in which the results in between are left out.
  if (exchanges.length > 1 && exchanges.every(({ result }) => result === undefined)) return;
  let isComplete = conversation.isWhole && !areResultsLeftOut(exchanges);
  let next = 0;
  for (const [index, turn] of turns.entries()) {
    if (turn.instructions !== undefined) said.add(turn.instructions);
    if (turn.isPartlyRead === true || (turn.text?.length ?? 0) >= textLengthMax) isComplete = false;
    if (turn.role !== "assistant" && turn.text !== undefined) said.add(turn.text);
    for (const result of turn.results) said.add(resultText(result));
    if (turn.results.some(isPartOfResult)) isComplete = false;
    const calls = exchanges.slice(next, next + turn.calls.length);
    next += calls.length;
    for (const exchange of calls) {
      judgeCall(exchange, { ...settings, said, spoken, chosen, isComplete });
    }
    // What the assistant said itself is no origin, but may have come from where nobody looked.
    if (turn.role === "assistant" && turn.text !== undefined) spoken.add(turn.text);
    // What a call brought that has no result here may be what a later one names.
    if (calls.some(({ result, resultTurn }) => result === undefined || resultTurn < index))
      isComplete = false;
    // An id that a call brought into being was chosen by the model, and is known from then on.
    for (const exchange of calls) {
      if (exchange.result !== undefined && stateOf(exchange.result) === "error") continue;
      for (const { value } of leavesOf(exchange.given)) {
        if (typeof value === "string" && value.length < 200) chosen.add(value.toLowerCase());
      }
    }
  }
}

interface Place extends Settings {
  readonly said: SaidBefore;
  readonly spoken: SaidBefore;
  readonly chosen: ReadonlySet<string>;
  readonly isComplete: boolean;
}

function judgeCall(exchange: Exchange, place: Place): void {
  const { tool, definition, given, reference } = exchange;
  const properties = propertiesOf(definition?.inputSchema);
  const { isCreating } = traitsOf(tool, definition);
  for (const leaf of leavesOf(given)) {
    if (place.ignored.has(leaf.name)) continue;
    const value = literalOf(leaf);
    const property = properties[leaf.pointer.split("/")[1] ?? ""];
    if (value === undefined || !identifiesAThing(leaf.name, descriptionOf(property))) continue;
    if (!looksLikeIdentifier(value, place.digitCountMin)) continue;
    // What makes a thing may name it.
    if (isCreating && isOwnId(leaf.name, tool)) continue;
    const seen = place.said.find(value);
    if (seen === "literally") verdictFits(place, exchange);
    if (seen !== "never" || place.chosen.has(value.toLowerCase())) continue;
    if (place.spoken.find(value) !== "never") continue;
    if (
      JSON.stringify(definition ?? {})
        .toLowerCase()
        .includes(value.toLowerCase())
    )
      continue;
    if (!place.isComplete) {
      place.verdicts.open({
        tool,
        what: `was called with an identifier as ${leaf.pointer} that the recorded text before does not have`,
        missing: "the beginning of the conversation, or all of what was said before the call",
        evidence: [reference],
      });
      continue;
    }
    place.verdicts.violated({
      tool,
      fault: `unknown-origin ${leaf.pointer}`,
      what: `was called with an identifier as ${leaf.pointer} that nobody had given: neither the user, nor the instructions, nor a result`,
      expected: "an identifier that occurs in what the model read before the call",
      actual: `${leaf.pointer} is ${masked(value)}, which occurs nowhere before`,
      causeKind: "data",
      fix: `Look the identifier up with a tool first, or ask the user for it, before ${tool} is called.`,
      nextCheck:
        "See what the tool did with an identifier that was made up: an error is the lucky case.",
      evidence: [{ ...reference, quote: `${leaf.pointer}: ${masked(value)}` }],
      measures: { pointer: leaf.pointer },
    });
  }
}

function verdictFits({ verdicts }: Place, { tool, reference }: Exchange): void {
  verdicts.fits(tool, reference);
}

function literalOf({ value }: Leaf): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" && Number.isInteger(value) ? String(value) : undefined;
}

/** A result that was cut, or holds what text cannot carry. */
function isPartOfResult({ content }: ToolResult): boolean {
  if (typeof content === "string") {
    return /(?:…|\.\.\.|\[truncated\]|\(truncated\)|<truncated>)\s*$/.test(content.slice(-40));
  }
  return (
    Array.isArray(content) &&
    content.some(
      (part) =>
        isFields(part) &&
        part["type"] !== "text" &&
        typeof part["type"] === "string" &&
        /image|audio|file|document|resource/.test(part["type"]),
    )
  );
}

/** `id` itself, and the id of what the tool is named after: `create_order` may bring its `order_id`. */
function isOwnId(name: string, tool: string): boolean {
  const words = name.toLowerCase().split(/[^a-z]+|(?=[A-Z])/);
  return (
    words[0] === "id" || words.some((word) => word.length > 2 && tool.toLowerCase().includes(word))
  );
}

function propertiesOf(schema: unknown): Readonly<Record<string, unknown>> {
  const properties = isFields(schema) ? schema["properties"] : undefined;
  return isFields(properties) ? properties : {};
}

function descriptionOf(property: unknown): string {
  const description = isFields(property) ? property["description"] : undefined;
  return typeof description === "string" ? description : "";
}
