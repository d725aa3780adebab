/** Writes a conversation as an Anthropic messages request. */

import type { AnswerSettings, OutputFormat, Turn } from "../conversation.ts";
import type { Passage } from "../fields/field-table.ts";
import type { JsonObject } from "../../wire/json-values.ts";
import { compact } from "../json-document.ts";
import { unsupported } from "../losses.ts";
import { writeAssistantBlocks } from "./messages-assistant.ts";
import { writeTextBlocks, writeUserBlocks } from "./messages-parts.ts";
import { writeMessagesTools } from "./messages-tools.ts";
import type { WriteRequest } from "./request-writer.ts";

const temperatureMax = 1;

/** Throws `translation_unsupported` for what messages cannot say. */
export function writeMessagesRequest(request: WriteRequest): JsonObject {
  const { conversation, passage, model } = request;
  const { answer, turns } = conversation;
  const bodyStart = turns.findIndex((turn) => turn.kind !== "system");
  const leading = turns.slice(0, bodyStart === -1 ? turns.length : bodyStart);
  const system = leading.flatMap((turn) =>
    turn.kind === "system" ? writeTextBlocks(turn.texts) : [],
  );
  return compact({
    model,
    max_tokens: answer.maxTokens ?? request.maxTokensDefault,
    system: system.length === 0 ? undefined : system.length === 1 ? system[0]?.["text"] : system,
    messages: writeMessages(turns.slice(leading.length), passage),
    ...writeMessagesTools(conversation),
    ...writeSampling(answer, passage),
    ...writeReasoning(answer, passage),
    metadata: answer.userId === undefined ? undefined : { user_id: answer.userId },
    stream: conversation.stream ? true : undefined,
  });
}

type Role = "user" | "assistant" | "system";

/** Turns of one role in a row become one message: results of parallel calls must stand together. */
function writeMessages(turns: readonly Turn[], passage: Passage): JsonObject[] {
  const messages: { role: Role; content: JsonObject[] }[] = [];
  for (const turn of turns) {
    const role = turn.kind === "tool-result" ? "user" : turn.kind;
    const content = writeTurn(turn, passage);
    const last = messages.at(-1);
    if (content.length === 0) continue;
    if (last?.role === role) last.content.push(...content);
    else messages.push({ role, content });
  }
  return messages.map(({ role, content: blocks }) => {
    const content = resultsFirst(blocks);
    const [only] = content;
    return content.length === 1 && only?.["type"] === "text"
      ? { role, content: only["text"] }
      : { role, content };
  });
}

/** The surface wants results right behind their calls; what a user said in between follows. */
function resultsFirst(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const isResult = (block: JsonObject): boolean => block["type"] === "tool_result";
  return [...blocks.filter(isResult), ...blocks.filter((block) => !isResult(block))];
}

function writeTurn(turn: Turn, passage: Passage): JsonObject[] {
  switch (turn.kind) {
    case "system":
      return writeTextBlocks(turn.texts);
    case "user":
      return writeUserBlocks(turn.parts);
    case "assistant":
      return writeAssistantBlocks(turn.parts, passage);
    case "tool-result": {
      const content = writeUserBlocks(turn.parts);
      const [only] = content;
      return [
        compact({
          type: "tool_result",
          tool_use_id: turn.callId,
          content:
            content.length === 0
              ? undefined
              : content.length === 1 && only?.["type"] === "text"
                ? only["text"]
                : content,
        }),
      ];
    }
  }
}

function writeSampling({ temperature, topP, stop }: AnswerSettings, passage: Passage): JsonObject {
  if (temperature !== undefined && temperature > temperatureMax) {
    passage.losses.add("/temperature", `sent as ${temperatureMax}, the highest of messages`);
  }
  return {
    temperature: temperature === undefined ? undefined : Math.min(temperature, temperatureMax),
    top_p: topP,
    stop_sequences: stop.length === 0 ? undefined : stop,
  };
}

function writeReasoning({ effort, format }: AnswerSettings, passage: Passage): JsonObject {
  if (effort === "minimal") {
    const at = passage.from === "chat" ? "/reasoning_effort" : "/reasoning/effort";
    passage.losses.add(at, "sent as low, the lowest of messages");
  }
  const config = compact({
    effort: effort === "none" ? undefined : effort === "minimal" ? "low" : effort,
    format: format === undefined ? undefined : writeFormat(format),
  });
  return {
    thinking: effort === "none" ? { type: "disabled" } : undefined,
    output_config: Object.keys(config).length === 0 ? undefined : config,
  };
}

function writeFormat(format: OutputFormat): JsonObject {
  if (format.kind === "json-object" || format.schema === undefined) {
    throw unsupported(format.at, "messages answers in JSON only by a schema");
  }
  return { type: "json_schema", schema: format.schema };
}
