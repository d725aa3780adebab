/** Reads logs of the Model Context Protocol: JSON-RPC messages, bare, in wrappers, or behind the words of a log line. */

import type { ToolDefinition, TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { textField } from "./fields.ts";
import { idOf } from "./parts.ts";
import { endOfBlock } from "./text-calls.ts";
import { timeMicrosOf } from "./time.ts";
import { readTools } from "./tools.ts";
import { transcriptLimits } from "./transcript-builder.ts";
import { parsedJson } from "../../text/json-text.ts";

/** How deep in a wrapper the message may stand. */
const wrapperDepthMax = 4;
const wrapperWidthMax = 30;
/** Ids under which clients pass on the id of the model's call. */
const modelCallIdName = /(?:tool[_-]?(?:use|call)[_-]?id)$/i;
const methodsMark = /"method"\s*:\s*"(?:initialize|tools\/(?:list|call)|notifications\/)/;

/** Whether a text looks like a log of the protocol. */
export function looksLikeMcpLog(head: string): boolean {
  return /"jsonrpc"\s*:\s*"2\.0"/.test(head) && methodsMark.test(head);
}

/** The conversation of a client with its tools. Throws when the text has no message of the protocol. */
export function readMcpLog(text: string): { turns: TranscriptTurn[]; notes: string[] } {
  const log = new McpLog();
  let otherLineCount = 0;
  for (const { value, pointer, line } of messagesOf(text)) {
    const found = messageIn(value, 0);
    if (found === undefined) otherLineCount += 1;
    else log.add(found, pointer, timeMicrosOf(found.time) ?? timeOfLine(line));
  }
  if (log.messageCount === 0) {
    throw new EvidenceError("This log has no message of the Model Context Protocol.", {
      expected: "JSON-RPC 2.0 messages, one on each line or in a list",
    });
  }
  const notes =
    otherLineCount === 0 ? [] : [`${otherLineCount} entries are no messages of the protocol.`];
  log.end();
  return { turns: log.turns, notes };
}

interface Entry {
  readonly value: unknown;
  readonly pointer: string;
  readonly line: string;
}

function* messagesOf(text: string): Generator<Entry> {
  const whole = parsedJson(text);
  if (whole !== undefined) {
    const list: readonly unknown[] = Array.isArray(whole) ? whole : listIn(whole);
    for (const [index, value] of list.entries()) yield { value, pointer: `/${index}`, line: "" };
    return;
  }
  for (const [index, line] of text.split("\n").entries()) {
    const begin = line.search(/[{[]\s*(?:"|\{)/);
    if (begin < 0) continue;
    const end = endOfBlock(line, begin);
    const value = end < 0 ? undefined : parsedJson(line.slice(begin, end));
    for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) {
      yield { value: item, pointer: `line ${index + 1}`, line: line.slice(0, 64) };
    }
  }
}

/** The list of messages in a document: the first list in it whose first entry holds one. */
function listIn(document: unknown): readonly unknown[] {
  if (!isFields(document)) return [document];
  const list = Object.values(document).find(
    (value) => Array.isArray(value) && messageIn(value[0], 0) !== undefined,
  );
  return Array.isArray(list) ? (list as unknown[]) : [document];
}

interface Found {
  readonly message: Fields;
  readonly time: unknown;
}

/** The message in an entry, and the time that stands beside it. */
function messageIn(value: unknown, depth: number): Found | undefined {
  const entry = typeof value === "string" && value.startsWith("{") ? parsedJson(value) : value;
  if (!isFields(entry) || depth > wrapperDepthMax) return undefined;
  if (entry["jsonrpc"] === "2.0") return { message: entry, time: undefined };
  for (const inner of Object.values(entry).slice(0, wrapperWidthMax)) {
    const found = messageIn(inner, depth + 1);
    if (found === undefined) continue;
    const time = entry["timestamp"] ?? entry["time"] ?? entry["ts"] ?? entry["at"];
    return { message: found.message, time: found.time ?? time };
  }
  return undefined;
}

class McpLog {
  readonly turns: TranscriptTurn[] = [];
  messageCount = 0;
  readonly #asked = new Map<string, Fields>();
  #tools: ToolDefinition[] | undefined;
  #isListStale = false;
  /** The list goes on with the next page. */
  #isPage = false;
  /** A turn for a list that no call bears yet. */
  #listed: TranscriptTurn | undefined;

  add({ message }: Found, pointer: string, timeMicros: number | undefined): void {
    this.messageCount += 1;
    const method = textField(message, "method");
    const at = timeMicros === undefined ? {} : { timeMicros };
    if (method === undefined) this.#answer(message, pointer, at);
    else if (method === "notifications/tools/list_changed") this.#isListStale = true;
    else if (method === "tools/list" || method === "tools/call") {
      this.#asked.set(String(message["id"]), message);
      if (method === "tools/call") this.#call(message, pointer, at);
    }
  }

  #call(message: Fields, pointer: string, at: { timeMicros?: number }): void {
    const { params } = message;
    const name = textField(params, "name");
    if (!isFields(params) || name === undefined) return;
    this.#listed = undefined;
    const given = params["arguments"] ?? {};
    this.#push({
      role: "assistant",
      calls: [
        {
          ...callIdOf(message),
          name,
          arguments: given,
          executedArguments: given,
          pointer: `${pointer}/params`,
        },
      ],
      results: [],
      ...(this.#tools === undefined ? {} : { tools: this.#tools }),
      ...(this.#tools !== undefined && this.#isListStale ? { areToolsPartial: true } : {}),
      ...at,
      pointer,
    });
  }

  /** A list that nobody called a tool of is told by a turn of its own. */
  end(): void {
    const listed = this.#listed;
    this.#listed = undefined;
    if (listed !== undefined) this.#push(listed);
  }

  #answer(message: Fields, pointer: string, at: { timeMicros?: number }): void {
    const asked = this.#asked.get(String(message["id"]));
    const { result, error } = message;
    if (asked === undefined) return;
    if (asked["method"] === "tools/list") {
      if (isFields(result) && Array.isArray(result["tools"]))
        this.#list(result, asked, { pointer, at });
      this.#asked.delete(String(message["id"]));
      return;
    }
    // A server asks its client with ids of its own, which may be equal.
    const isOther =
      isFields(result) && (Object.hasOwn(result, "roots") || result["role"] !== undefined);
    if (isOther) return;
    this.#asked.delete(String(message["id"]));
    const isError = error !== undefined || (isFields(result) && result["isError"] === true);
    const structured = isFields(result) ? result["structuredContent"] : undefined;
    const content = isFields(result) ? (result["content"] ?? structured ?? result) : null;
    this.#push({
      role: "tool",
      calls: [],
      results: [
        {
          ...callIdOf(asked),
          name: textField(asked["params"], "name") ?? "",
          content: error ?? content,
          isError,
          pointer,
        },
      ],
      ...at,
      pointer,
    });
  }

  #list(
    result: Fields,
    asked: Fields,
    { pointer, at }: { readonly pointer: string; readonly at: { timeMicros?: number } },
  ): void {
    const { params } = asked;
    const isNextPage = this.#isPage && isFields(params) && params["cursor"] !== undefined;
    const list: unknown = result["tools"];
    const { tools } = readTools(Array.isArray(list) ? list : []);
    this.#tools = isNextPage ? [...(this.#tools ?? []), ...tools] : tools;
    this.#isPage = textField(result, "nextCursor") !== undefined;
    this.#isListStale = this.#isPage;
    if (!isNextPage) this.end();
    this.#listed = {
      role: "system",
      calls: [],
      results: [],
      tools: this.#tools,
      ...(this.#isPage ? { areToolsPartial: true } : {}),
      ...at,
      pointer,
    };
  }

  #push(turn: TranscriptTurn): void {
    if (this.turns.length >= transcriptLimits.turnCountMax) {
      throw new EvidenceError("The log has too many calls.", {
        expected: `at most ${transcriptLimits.turnCountMax} calls and results`,
        where: turn.pointer,
      });
    }
    this.turns.push(turn);
  }
}

/** The id of the model's call where the client passes it on, else that of the request. */
function callIdOf(message: Fields): { callId?: string } {
  const { params } = message;
  const meta = isFields(params) ? params["_meta"] : undefined;
  const passed = isFields(meta)
    ? Object.entries(meta).find(
        ([name, value]) => modelCallIdName.test(name) && typeof value === "string",
      )
    : undefined;
  return idOf(passed?.[1] ?? message["id"]);
}

function timeOfLine(line: string): number | undefined {
  return timeMicrosOf(/\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z|[+-]\d\d:?\d\d)?/.exec(line)?.[0]);
}
