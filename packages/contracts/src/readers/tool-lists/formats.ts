/** The format of lists of tools without any conversation: what a server of tools or an application declares. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import { isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import {
  type EvidenceFormat,
  type FileContent,
  type FormatInput,
  startsAsJson,
} from "../format.ts";
import { parseJson } from "../text.ts";
import { firstObjectOf } from "../tracing/documents.ts";
import { readTools } from "../transcript/tools.ts";

const toolCountMax = 10_000;
/** What may stand beside the tools. */
const fieldsBeside = new Set([
  "tools",
  "nextCursor",
  "_meta",
  "$schema",
  "name",
  "version",
  "description",
  "jsonrpc",
  "id",
  "result",
]);

export const toolListFormats: readonly EvidenceFormat[] = [
  {
    name: "tool-list",
    description: "tools that are declared, as JSON without a conversation",
    recognise: ({ head }) => startsAsJson(head) && recogniseToolList(head),
    read: readToolList,
  },
];

function recogniseToolList(head: string): boolean {
  const isList = /^\s*\[/.test(head);
  const first = firstObjectOf(isList ? head.replace(/^\s*\[/, "") : head);
  if (!isFields(first)) return false;
  return isList ? isTool(first) : isTool(listIn(first)?.[0]);
}

/** The tools of a document that holds nothing else. */
function listIn(document: unknown): readonly unknown[] | undefined {
  if (!isFields(document) || Object.keys(document).some((name) => !fieldsBeside.has(name)))
    return undefined;
  const { tools, result } = document;
  if (Array.isArray(tools)) return tools;
  return isFields(result) && Array.isArray(result["tools"]) ? result["tools"] : undefined;
}

/** Whether a value declares a tool with its schema, and is no call of one. */
function isTool(value: unknown): boolean {
  if (!isFields(value) || value["arguments"] !== undefined || value["role"] !== undefined)
    return false;
  const [tool] = readTools([value]).tools;
  return tool?.inputSchema !== undefined;
}

function readToolList(input: FormatInput): FileContent {
  const document = parseJson(input.text());
  const list: readonly unknown[] = Array.isArray(document) ? document : (listIn(document) ?? []);
  const { tools, unreadCount } = readTools(list.slice(0, toolCountMax));
  if (tools.length === 0 || list.length > toolCountMax) {
    throw new EvidenceError("This is no list of tools.", {
      expected: `a list of at most ${toolCountMax} tools with their schemas`,
    });
  }
  const turn: TranscriptTurn = {
    role: "system",
    calls: [],
    results: [],
    tools,
    ...(unreadCount > 0 ? { areToolsPartial: true } : {}),
    pointer: "/tools",
  };
  const notes = unreadCount === 0 ? [] : [`${unreadCount} entries are no tools with a name.`];
  return { transcripts: [[turn]], notes };
}
