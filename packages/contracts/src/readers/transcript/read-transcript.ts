/** Reads transcripts of models that call tools: OpenAI chat and responses, Anthropic messages. */

import type { ToolDefinition, TranscriptTurn } from "../../model/evidence.ts";
import { type Fields, isFields } from "../../model/fields.ts";
import { EvidenceError } from "../evidence-error.ts";
import { looksLikeMessage, readMessage } from "./message.ts";
import { readTools } from "./tools.ts";

/** Limits of one transcript. */
export const transcriptLimits = {
  turnCountMax: 100_000,
  noteCountMax: 50,
} as const;

/**
 * Whether a value is one transcript: a list of messages, a request, a response, a request with its response, or a list
 * of such exchanges of one conversation.
 */
export function recogniseTranscript(value: unknown): boolean {
  if (Array.isArray(value)) {
    return (
      value.length > 0 &&
      (value.slice(0, 20).every(looksLikeMessage) || value.slice(0, 20).every(isExchange))
    );
  }
  return isFields(value) && (isExchange(value) || partOf(value) !== undefined);
}

/** The turns of a transcript. Throws an `EvidenceError` when the value is none. */
export function readTranscript(value: unknown): { turns: TranscriptTurn[]; notes: string[] } {
  if (!recogniseTranscript(value)) throw notATranscript();
  const transcript = new TranscriptBuilder();
  const isExchangeList = Array.isArray(value) && value.every(isExchange);
  if (Array.isArray(value) && isExchangeList) {
    for (const [index, exchange] of value.entries()) transcript.addExchange(exchange, `/${index}`);
  } else if (isExchange(value)) {
    transcript.addExchange(value, "");
  } else {
    transcript.addPart(value, "", undefined);
  }
  return { turns: transcript.turns, notes: transcript.notes() };
}

/** The transcripts of documents, each of which holds one transcript or a list of them. */
export function readTranscripts(documents: readonly unknown[]): {
  transcripts: TranscriptTurn[][];
  notes: string[];
} {
  const transcripts: TranscriptTurn[][] = [];
  const notes = new Set<string>();
  const values = documents.flatMap((document): readonly unknown[] =>
    Array.isArray(document) && !recogniseTranscript(document) ? document : [document],
  );
  for (const [index, value] of values.entries()) {
    if (!recogniseTranscript(value)) {
      if (notes.size < transcriptLimits.noteCountMax)
        notes.add(`Document ${index + 1} is no transcript and was left out.`);
      continue;
    }
    const read = readTranscript(value);
    transcripts.push(read.turns);
    for (const note of read.notes) if (notes.size < transcriptLimits.noteCountMax) notes.add(note);
  }
  if (transcripts.length === 0) throw notATranscript();
  return { transcripts, notes: [...notes] };
}

function notATranscript(): EvidenceError {
  return new EvidenceError("This is no transcript of tool calls.", {
    expected:
      "messages with roles, as in a chat request or response, with the tools that were advertised",
  });
}

/** A list of messages and where in its container it stands. */
interface MessagePart {
  readonly messages: readonly unknown[];
  readonly pointer: string;
}

function isExchange(value: unknown): value is Fields {
  if (!isFields(value)) return false;
  const { request, response } = value;
  return partOf(request) !== undefined || (isFields(request) && partOf(response) !== undefined);
}

/** Where a container keeps its messages. */
function partOf(value: unknown): MessagePart | undefined {
  if (Array.isArray(value))
    return value.length > 0 && value.every(looksLikeMessage)
      ? { messages: value, pointer: "" }
      : undefined;
  if (!isFields(value)) return undefined;
  const { messages, input, output, choices, content } = value;
  if (Array.isArray(messages) && messages.some(looksLikeMessage))
    return { messages, pointer: "/messages" };
  if (Array.isArray(input) && input.some(looksLikeMessage))
    return { messages: input, pointer: "/input" };
  if (Array.isArray(output) && output.some(looksLikeMessage))
    return { messages: output, pointer: "/output" };
  const [choice] = Array.isArray(choices) ? choices : [];
  if (isFields(choice) && looksLikeMessage(choice["message"])) {
    return { messages: [choice["message"]], pointer: "/choices/0/message" };
  }
  if (value["role"] === "assistant" && Array.isArray(content))
    return { messages: [value], pointer: "" };
  return undefined;
}

/** Collects turns; what a later request repeats of the conversation is taken once. */
class TranscriptBuilder {
  readonly turns: TranscriptTurn[] = [];
  readonly #notes = new Set<string>();

  notes(): string[] {
    return [...this.#notes];
  }

  addExchange(exchange: Fields, pointer: string): void {
    const { request, response } = exchange;
    const tools = toolsOf(request, this) ?? toolsOf(exchange, this);
    const part = partOf(request);
    if (part !== undefined)
      this.#addMessages(part, { pointer: `${pointer}/request`, tools, isHistory: true });
    const answer = partOf(response);
    if (answer !== undefined)
      this.#addMessages(answer, { pointer: `${pointer}/response`, tools, isHistory: false });
  }

  addPart(value: unknown, pointer: string, tools: readonly ToolDefinition[] | undefined): void {
    const part = partOf(value);
    if (part === undefined) return;
    const advertised = tools ?? toolsOf(value, this);
    this.#addMessages(part, { pointer, tools: advertised, isHistory: false });
    // A stored response carries what was sent in beside what came out.
    const output = isFields(value) && part.pointer === "/input" ? value["output"] : undefined;
    if (Array.isArray(output) && output.some(looksLikeMessage)) {
      this.#addMessages(
        { messages: output, pointer: "/output" },
        { pointer, tools: advertised, isHistory: false },
      );
    }
  }

  note(text: string): void {
    if (this.#notes.size < transcriptLimits.noteCountMax) this.#notes.add(text);
  }

  #addMessages(
    { messages, pointer: inner }: MessagePart,
    {
      pointer,
      tools,
      isHistory,
    }: { pointer: string; tools: readonly ToolDefinition[] | undefined; isHistory: boolean },
  ): void {
    let advertised = tools;
    const isSingle =
      inner.endsWith("/message") ||
      (inner === "" && messages.length === 1 && pointer.endsWith("response"));
    const turns = messages.flatMap((message, index) => {
      const place = isSingle ? `${pointer}${inner}` : `${pointer}${inner}/${index}`;
      advertised =
        isFields(message) && Array.isArray(message["tools"]) ? toolsOf(message, this) : advertised;
      const turn = readMessage(message, place, advertised);
      if (turn === undefined) this.note(`What stands at ${place} is no message and was left out.`);
      return turn ?? [];
    });
    const known = isHistory ? this.#sharedLength(turns) : 0;
    for (const turn of turns.slice(known)) {
      if (this.turns.length >= transcriptLimits.turnCountMax) {
        throw new EvidenceError("The transcript has too many turns.", {
          expected: `at most ${transcriptLimits.turnCountMax} turns`,
          where: turn.pointer,
        });
      }
      this.turns.push(turn);
    }
  }

  /** How many of the turns a request repeats; a request that does not begin with what was said repeats none. */
  #sharedLength(turns: readonly TranscriptTurn[]): number {
    if (turns.length < this.turns.length) return 0;
    return this.turns.every((turn, index) => saysTheSame(turn, turns[index]))
      ? this.turns.length
      : 0;
  }
}

function toolsOf(value: unknown, builder: TranscriptBuilder): ToolDefinition[] | undefined {
  if (!isFields(value)) return undefined;
  const list = value["tools"] ?? value["functions"];
  if (!Array.isArray(list)) return undefined;
  const { tools, unreadCount } = readTools(list);
  if (unreadCount > 0)
    builder.note(`${unreadCount} advertised tools have no name and were left out.`);
  return tools;
}

function saysTheSame(left: TranscriptTurn, right: TranscriptTurn | undefined): boolean {
  if (right === undefined) return false;
  const essence = ({ role, text, calls, results }: TranscriptTurn): string =>
    JSON.stringify([
      role,
      text ?? "",
      calls.map(({ callId, name, arguments: given }) => [callId, name, given]),
      results.map(({ callId, content }) => [callId, content]),
    ]);
  return essence(left) === essence(right);
}
