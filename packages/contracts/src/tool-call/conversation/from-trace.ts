/** The conversations that the spans of a trace record. */

import type { TranscriptTurn } from "../../model/evidence.ts";
import type { Span } from "../../model/span.ts";
import { readMessage } from "../../readers/transcript/message.ts";
import { essenceOf } from "../../readers/transcript/same-turn.ts";
import {
  messagesOfSpan,
  type SpanMessages,
  type SpanTool,
  toolOfSpan,
} from "../../readers/transcript/span-messages.ts";
import { readTools } from "../../readers/transcript/tools.ts";
import { endMicrosOf, type Trace } from "../../traces/trace.ts";
import { changesBeside } from "./changes-beside.ts";
import type { Execution, Turn } from "./conversation.ts";
import { modelSpansOf } from "../model-spans.ts";

/** Conversations of one trace that are told apart. */
const conversationCountMax = 1_000;

/** What a conversation was seen to hold, and what ran for it. */
export interface RecordedConversation {
  readonly turns: readonly Turn[];
  readonly executions: readonly Execution[];
  /** Turns were read from what went into and came out of a model, not only from what ran. */
  readonly isWithModel: boolean;
  /** When other work of the trace changed something, in microseconds since 1970. */
  readonly changeMicros: readonly number[];
}

/** The conversations of a trace; where no model was seen, what ran makes one without turns. */
export function conversationsOfTrace(trace: Trace): readonly RecordedConversation[] {
  const known = conversationsByTrace.get(trace);
  if (known !== undefined) return known;
  const conversations = readConversations(trace);
  conversationsByTrace.set(trace, conversations);
  return conversations;
}

/** A memory and no state: the same trace always has the same conversations. */
const conversationsByTrace = new WeakMap<Trace, readonly RecordedConversation[]>();

function readConversations(trace: Trace): RecordedConversation[] {
  const indices = modelSpansOf(trace);
  if (indices.length === 0) return [];
  const threads: Thread[] = [];
  const executions: { readonly execution: Execution; readonly span: Span }[] = [];
  const isWithModel = indices.some((index) => isModelCall(trace.span(index)));
  for (const index of indices) {
    const span = trace.span(index);
    const tool = toolOfSpan(span);
    if (tool !== undefined) {
      executions.push({ execution: executionOf(trace, index, tool), span });
      continue;
    }
    // The span of an agent repeats what those of its model calls say.
    if (isWithModel && !isModelCall(span)) continue;
    const messages = messagesOfSpan(span);
    if (messages !== undefined) addModelCall(threads, messages, { trace, index });
  }
  const spoken = threads.filter((thread) => thread.turns.length > 0);
  const [first] = spoken;
  const changeMicros = changesBeside(
    trace,
    new Set(indices.filter((index) => isInner(trace.span(index)))),
  );
  const ran = withoutRepeats(executions).map(({ execution }) => execution);
  if (first !== undefined) {
    return assign(spoken, ran).map((item) => ({ ...item, isWithModel: true, changeMicros }));
  }
  return ran.length === 0 ? [] : [{ turns: [], executions: ran, isWithModel: false, changeMicros }];
}

/** A model's call or a tool, and not the agent around them. */
function isInner(span: Span): boolean {
  return toolOfSpan(span) !== undefined || isModelCall(span);
}

/** Whether a span that concerns models is one call of a model, and not the work of an agent around it. */
export function isModelCall({ attributes }: Span): boolean {
  const operation = attributes["gen_ai.operation.name"];
  if (operation !== undefined) {
    return (
      operation !== "invoke_agent" &&
      operation !== "create_agent" &&
      operation !== "execute_tool" &&
      operation !== "agent_step" &&
      operation !== "invoke_workflow"
    );
  }
  const kind = attributes["openinference.span.kind"];
  if (kind !== undefined) return kind === "LLM";
  const id = attributes["ai.operationId"];
  if (typeof id === "string") return id.includes(".do");
  const observed = attributes["langfuse.observation.type"];
  if (observed !== undefined) return observed === "generation";
  const run = attributes["langsmith.span.kind"];
  if (run !== undefined) return run === "llm";
  const work = attributes["sentry.op"];
  if (typeof work === "string")
    return /^gen_ai\.(?!invoke_agent|create_agent|handoff|execute_tool)/.test(work);
  return (
    attributes["traceloop.span.kind"] === undefined && attributes["mcp.method.name"] === undefined
  );
}

/** A conversation as it grows from span to span. */
interface Thread {
  readonly turns: Turn[];
  readonly essences: string[];
}

function addModelCall(
  threads: Thread[],
  messages: SpanMessages,
  { trace, index }: { trace: Trace; index: number },
): void {
  const span = trace.span(index);
  const evidenceId = trace.evidenceIdOf(index);
  const tools = messages.tools === undefined ? undefined : readTools(messages.tools);
  const read = (message: unknown, timeMicros: number): Turn[] => {
    const turn = readMessage(message, span.spanId, {
      ...(tools === undefined ? {} : { tools: tools.tools }),
      ...(tools !== undefined && tools.unreadCount > 0 ? { areToolsPartial: true } : {}),
    });
    return turn === undefined
      ? []
      : [{ timeMicros, ...withPointer(turn, span.spanId), evidenceId }];
  };
  const input = messages.input.flatMap((message) => read(message, span.startMicros));
  const [first] = input;
  if (first !== undefined && messages.instructions !== undefined) {
    input[0] = { ...first, instructions: messages.instructions };
  }
  const output = messages.output.slice(0, 1).flatMap((message) => read(message, endMicrosOf(span)));
  const said = [...input, ...output];
  const essences = said.map(essenceOf);
  const thread = threads.findLast(
    (item) => isPrefix(item.essences, essences) || isPrefix(essences, item.essences),
  );
  if (thread === undefined) {
    if (threads.length < conversationCountMax) threads.push({ turns: said, essences });
    return;
  }
  thread.turns.push(...said.slice(thread.turns.length));
  thread.essences.push(...essences.slice(thread.essences.length));
}

/** What a span says stands at the span, wherever in its attributes. */
function withPointer(turn: TranscriptTurn, spanId: string): TranscriptTurn {
  return {
    ...turn,
    calls: turn.calls.map((call) => ({ ...call, pointer: spanId })),
    results: turn.results.map((result) => ({ ...result, pointer: spanId })),
  };
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return (
    short.length > 0 &&
    short.length <= long.length &&
    short.every((text, index) => text === long[index])
  );
}

function executionOf(trace: Trace, index: number, tool: SpanTool): Execution {
  const span = trace.span(index);
  const { code, message } = span.status;
  const isError = code === "error";
  const error = message ?? span.attributes["exception.message"] ?? span.attributes["error.type"];
  const content = tool.result ?? (isError ? error : undefined);
  return {
    tool: tool.name,
    ...(tool.callId === undefined ? {} : { callId: tool.callId }),
    ...(tool.arguments === undefined ? {} : { arguments: tool.arguments }),
    ...(content === undefined && !isError
      ? {}
      : { result: { content: content ?? null, isError, pointer: span.spanId } }),
    startMicros: span.startMicros,
    reference: trace.reference(index, span.name),
  };
}

/** A client's span of a tool and the server's for the same call are one execution. */
function withoutRepeats<T extends { readonly span: Span; readonly execution: Execution }>(
  executions: readonly T[],
): T[] {
  const spanIds = new Map(executions.map((item) => [item.span.spanId, item]));
  return executions.filter(({ span, execution }) => {
    const parent = span.parentSpanId === undefined ? undefined : spanIds.get(span.parentSpanId);
    return parent === undefined || parent.execution.tool !== execution.tool;
  });
}

/** Each execution goes to the conversation that asked for it by id, else to the only one that asks for its tool. */
function assign(
  threads: readonly Thread[],
  executions: readonly Execution[],
): Pick<RecordedConversation, "turns" | "executions">[] {
  const homes = threads.map((): Execution[] => []);
  const byId = new Map<string, number>();
  const byTool = new Map<string, number>();
  for (const [index, { turns }] of threads.entries()) {
    for (const { callId, name } of turns.flatMap((turn) => turn.calls)) {
      if (callId !== undefined) byId.set(callId, index);
      byTool.set(name, index);
    }
  }
  for (const execution of executions) {
    const { callId, tool } = execution;
    const asked = callId === undefined ? undefined : byId.get(callId);
    homes[asked ?? byTool.get(tool) ?? 0]?.push(execution);
  }
  return threads.map(({ turns }, index) => ({
    turns,
    executions: homes[index] ?? [],
  }));
}
