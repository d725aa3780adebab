/** The formats of conversations between a model and its tools. */

import { type EvidenceFormat, startsAsJson } from "../format.ts";
import { jsonValuesOf } from "../text.ts";
import { readTranscripts } from "./read-transcript.ts";

export const transcriptFormats: readonly EvidenceFormat[] = [
  {
    name: "transcript",
    description: "transcripts of models that call tools, one JSON document or one on each line",
    recognise: ({ head }) =>
      startsAsJson(head) &&
      ((/"role"\s*:\s*"(?:system|developer|user|assistant|tool|function|model)"/.test(head) &&
        /"(?:content|tool_calls|function_call|parts)"\s*:/.test(head)) ||
        /"type"\s*:\s*"(?:function_call|custom_tool_call)"/.test(head)),
    read: (input) => readTranscripts(jsonValuesOf(input.text())),
  },
];
