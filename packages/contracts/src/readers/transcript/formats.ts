/** The formats of conversations between a model and its tools. */

import { EvidenceError } from "../evidence-error.ts";
import { type EvidenceFormat, type FileContent, startsAsJson } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { eventsOf, isStreamEvent, looksLikeEventStream, messageOfEvents } from "./event-stream.ts";
import { looksLikeMcpLog, readMcpLog } from "./mcp-log.ts";
import { looksLikeMessage } from "./message.ts";
import { readTranscripts } from "./read-transcript.ts";

/** Marks all of which a transcript's beginning has; one line for each form. */
const transcriptMarks: readonly (readonly RegExp[])[] = [
  [
    /"role"\s*:\s*"(?:system|developer|user|assistant|tool|function|model)"/,
    /"(?:content|tool_calls|function_call|parts)"\s*:/,
  ],
  [/"type"\s*:\s*"(?:function_call|custom_tool_call|mcp_call)"/, /"name"\s*:/],
  [
    /"from"\s*:\s*"(?:human|gpt|system|user|assistant|function_call|observation|tool)"/,
    /"value"\s*:/,
  ],
  [/"type"\s*:\s*"(?:human|ai|tool)"/, /"(?:tool_calls|tool_call_id|additional_kwargs)"\s*:/],
  [/"(?:HumanMessage|AIMessage|ToolMessage)"/, /"kwargs"\s*:/],
  [
    /"(?:query|question|instruction|prompt)"\s*:/,
    /"(?:tools|functions?)"\s*:/,
    /parameters\\?"\s*:/,
  ],
  [/"win"\s*:/, /"tree"\s*:\s*\{/, /"node_type"\s*:/],
  [/"chat"\s*:\s*"\s*(?:\\n)*USER:/, /ASSISTANT:/],
  [/"object"\s*:\s*"chat\.completion\.chunk"/, /"delta"\s*:/],
  [/"type"\s*:\s*"message_start"/, /"message"\s*:/],
  [/"tools"\s*:\s*\[\s*\{/, /"(?:input_schema|parameters)"\s*:/],
  [/"request"\s*:/, /"body"\s*:/, /\\"(?:messages|input|contents)\\"\s*:/],
];

export const transcriptFormats: readonly EvidenceFormat[] = [
  {
    name: "mcp-log",
    description: "logs of the Model Context Protocol as JSON-RPC messages",
    recognise: ({ head }) => head !== undefined && looksLikeMcpLog(head),
    read: (input): FileContent => {
      const { turns, notes } = readMcpLog(input.text());
      return { transcripts: [turns], notes };
    },
  },
  {
    name: "model-stream",
    description: "recorded streams of a model's answer as server-sent events",
    recognise: ({ head }) => head !== undefined && looksLikeEventStream(head),
    read: (input) => readStream(eventsOf(input.text())),
  },
  {
    name: "transcript",
    description: "transcripts of models that call tools, one JSON document or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) && transcriptMarks.some((marks) => marks.every((mark) => mark.test(head))),
    read: (input): FileContent => {
      const values = jsonValuesOf(input.text());
      const [only] = values;
      const events: readonly unknown[] = Array.isArray(only) && values.length === 1 ? only : values;
      return isStreamEvent(events[0]) ? readStream(events) : readTranscripts(values);
    },
  },
];

function readStream(events: readonly unknown[]): FileContent {
  const message = messageOfEvents(events);
  if (message === undefined) {
    throw new EvidenceError("The stream holds no message.", {
      expected: "the events of a model's answer",
    });
  }
  // A finished response is a container of its own; what was put together from pieces is one message.
  return readTranscripts([looksLikeMessage(message) ? [message] : message]);
}
