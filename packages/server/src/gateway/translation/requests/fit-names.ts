/**
 * Names of tools and ids of calls as the target surface allows them. Ids are rewritten within one request, calls and
 * results alike; a rewritten name is turned back in the reply.
 */

import { createHash } from "node:crypto";

import type { AssistantPart, Conversation, ToolChoice, Turn } from "../conversation.ts";
import type { Surface } from "../surface.ts";

interface Rule {
  readonly lengthMax: number;
  /** Absent: every character fits. */
  readonly unfitting?: RegExp;
}

const unfitting = /[^a-zA-Z0-9_-]/g;
const rules: Readonly<Record<Surface, { readonly id: Rule; readonly name: Rule }>> = {
  // Ids keep their characters: some models read the name of the tool and the place of the call in them.
  chat: { id: { lengthMax: 40 }, name: { lengthMax: 64, unfitting } },
  responses: { id: { lengthMax: 64 }, name: { lengthMax: 64, unfitting } },
  messages: { id: { lengthMax: 256, unfitting }, name: { lengthMax: 128, unfitting } },
};
const hashLength = 12;

/** The conversation with names and ids that fit, and the original of each name that was changed. */
export function fitNames(
  conversation: Conversation,
  to: Surface,
): { readonly conversation: Conversation; readonly toolNames: ReadonlyMap<string, string> } {
  const rule = rules[to];
  const toolNames = new Map<string, string>();
  const fitId = (id: string): string => fit(id, rule.id);
  const fitName = (name: string): string => {
    const fitting = fit(name, rule.name);
    if (fitting !== name) toolNames.set(fitting, name);
    return fitting;
  };
  return {
    conversation: {
      ...conversation,
      tools: conversation.tools.map((tool) => ({ ...tool, name: fitName(tool.name) })),
      toolChoice: fitChoice(conversation.toolChoice, fitName),
      turns: conversation.turns.map((turn) => fitTurn(turn, fitId, fitName)),
    },
    toolNames,
  };
}

type Fit = (text: string) => string;

function fitChoice(choice: ToolChoice | undefined, fitName: Fit): ToolChoice | undefined {
  if (choice?.kind === "named") return { ...choice, name: fitName(choice.name) };
  if (choice?.kind === "allowed") return { ...choice, names: choice.names.map(fitName) };
  return choice;
}

function fitTurn(turn: Turn, fitId: Fit, fitName: Fit): Turn {
  if (turn.kind === "tool-result") return { ...turn, callId: fitId(turn.callId) };
  if (turn.kind !== "assistant") return turn;
  const parts = turn.parts.map((part): AssistantPart =>
    part.kind === "tool-call" ? { ...part, id: fitId(part.id), name: fitName(part.name) } : part,
  );
  return { ...turn, parts };
}

/** The hash keeps two texts apart that look the same once they fit. */
function fit(text: string, { lengthMax, unfitting }: Rule): string {
  const spelled = unfitting === undefined ? text : text.replaceAll(unfitting, "_");
  if (spelled === text && text.length <= lengthMax && text !== "") return text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, hashLength);
  return `${spelled.slice(0, lengthMax - hashLength - 1)}_${hash}`;
}
