/** The content blocks of an assistant in the messages surface. */

import type { AssistantPart, ToolCall } from "../conversation.ts";
import { admitFields, type Passage } from "../fields/field-table.ts";
import { messagesFields } from "../fields/messages-fields.ts";
import { type JsonObject, toObject } from "../../wire/json-values.ts";
import { parseJson } from "../json-document.ts";
import { invalidRequest, unsupported } from "../losses.ts";
import { type ReasoningState, unsealState } from "../reasoning-state.ts";
import { readTextBlock, writeTextBlocks } from "./messages-parts.ts";
import { requireText, unknownKind } from "./request-values.ts";

/** Throws for blocks that only a provider of this surface can make sense of. */
export function readAssistantBlock(value: unknown, at: string, passage: Passage): AssistantPart {
  switch (toObject(value)?.["type"]) {
    case "text":
      return readTextBlock(value, at, passage);
    case "thinking": {
      const block = admitFields(messagesFields.thinkingBlock, { value, at }, passage);
      const signature = requireText(block["signature"] ?? "", `${at}/signature`);
      const state = unsealState(signature) ?? { origin: "messages", fields: { signature } };
      return {
        kind: "reasoning",
        text: requireText(block["thinking"], `${at}/thinking`),
        state,
        at,
      };
    }
    case "redacted_thinking": {
      const block = admitFields(messagesFields.redactedBlock, { value, at }, passage);
      const redacted = requireText(block["data"], `${at}/data`);
      const state = unsealState(redacted) ?? { origin: "messages", fields: { redacted } };
      return { kind: "reasoning", text: "", state, at };
    }
    case "tool_use": {
      const block = admitFields(messagesFields.toolUseBlock, { value, at }, passage);
      const input = toObject(block["input"]);
      if (input === undefined) throw invalidRequest(`${at}/input`, "an object");
      return {
        kind: "tool-call",
        id: requireText(block["id"], `${at}/id`),
        name: requireText(block["name"], `${at}/name`),
        input: JSON.stringify(input),
        custom: false,
        at,
      };
    }
    default:
      throw unknownKind(value, at);
  }
}

/** Blocks of an assistant's turn. Reasoning goes back only to where its state was made. */
export function writeAssistantBlocks(
  parts: readonly AssistantPart[],
  passage: Passage,
): JsonObject[] {
  return parts.flatMap((part): JsonObject[] => {
    switch (part.kind) {
      case "text":
        return writeTextBlocks([part]);
      case "refusal":
        return writeTextBlocks([{ kind: "text", text: part.text }]);
      case "reasoning":
        return writeReasoning(part.text, part.state, () => {
          passage.losses.add(
            part.at,
            "messages takes reasoning back only with a signature of its own",
          );
        });
      case "tool-call":
        return [writeToolCall(part)];
    }
  });
}

function writeReasoning(
  text: string,
  state: ReasoningState | undefined,
  onLoss: () => void,
): JsonObject[] {
  const { signature, redacted } = state?.origin === "messages" ? state.fields : {};
  if (redacted !== undefined) return [{ type: "redacted_thinking", data: redacted }];
  if (signature !== undefined && signature !== "")
    return [{ type: "thinking", thinking: text, signature }];
  onLoss();
  return [];
}

function writeToolCall({ id, name, input, custom, at }: ToolCall): JsonObject {
  if (custom) throw unsupported(at, "messages has no tools of free text");
  return { type: "tool_use", id, name, input: readInput(input, at) };
}

/** A call without arguments is often spelled as an empty text. */
function readInput(text: string, at: string): JsonObject {
  if (text.trim() === "") return {};
  try {
    const input = toObject(parseJson(text));
    if (input !== undefined) return input;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw unsupported(at, "messages takes arguments only as a JSON object, and these are none");
}
