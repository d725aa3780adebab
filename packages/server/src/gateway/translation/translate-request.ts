/** Translation of requests: the caller's surface is read into a conversation, the provider's is written from it. */

import { isUtf8 } from "node:buffer";

import type { TokenLimitField } from "#config/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { Conversation } from "./conversation.ts";
import type { Passage } from "./fields/field-table.ts";
import { type JsonObject, toObject } from "../wire/json-values.ts";
import { parseJson } from "./json-document.ts";
import { Losses, unsupported } from "./losses.ts";
import type { TranslationContext } from "./replies/reply-context.ts";
import { readChatRequest } from "./requests/chat-reader.ts";
import { writeChatRequest } from "./requests/chat-writer.ts";
import { fitNames } from "./requests/fit-names.ts";
import { readMessagesRequest } from "./requests/messages-reader.ts";
import { writeMessagesRequest } from "./requests/messages-writer.ts";
import type { WriteRequest } from "./requests/request-writer.ts";
import { readResponsesRequest } from "./requests/responses-reader.ts";
import { writeResponsesRequest } from "./requests/responses-writer.ts";
import { type Surface, surfaceTitles } from "./surface.ts";

export interface TranslationPlan {
  /** The caller's surface. */
  readonly from: Surface;
  /** The provider's surface; another one than `from`. */
  readonly to: Surface;
  /** The model's name as the provider knows it. */
  readonly model: string;
  /** The output limit for a surface that demands one, when the caller gave none. */
  readonly maxTokensDefault: number;
  /** How the provider calls the limit, where its surface has two names for it. */
  readonly tokenLimitField: TokenLimitField;
  /** The time that replies carry, in seconds since 1970. */
  readonly nowSeconds: number;
}

export interface TranslatedRequest {
  readonly body: Buffer;
  /** What was left out, one line each: the JSON pointer to it in the caller's body, and why. */
  readonly losses: readonly string[];
  /** Needed to translate the reply. */
  readonly context: TranslationContext;
}

const readers: Readonly<Record<Surface, (body: JsonObject, passage: Passage) => Conversation>> = {
  chat: readChatRequest,
  responses: readResponsesRequest,
  messages: readMessagesRequest,
};

const writers: Readonly<Record<Surface, (request: WriteRequest) => JsonObject>> = {
  chat: writeChatRequest,
  responses: writeResponsesRequest,
  messages: writeMessagesRequest,
};

/**
 * Throws `translation_unsupported` when something cannot be carried and leaving it out would change the meaning,
 * `request_malformed` or `request_invalid` for bodies that break the schema of their own surface.
 */
export function translateRequest(plan: TranslationPlan, body: Buffer): TranslatedRequest {
  const { from, to, model, maxTokensDefault, tokenLimitField, nowSeconds } = plan;
  const request = parseRequest(body);
  const losses = new Losses();
  const passage: Passage = { from, to, losses };
  const read = readers[from](request, passage);
  refusePrefill(read, passage);
  const { conversation, toolNames } = fitNames(read, to);
  const limit = { maxTokensDefault, tokenLimitField };
  const written = writers[to]({ conversation, passage, model, ...limit });
  return {
    body: Buffer.from(JSON.stringify(written)),
    losses: losses.toLines(),
    context: {
      from,
      to,
      stream: read.stream,
      asksForUsage: read.asksForUsage,
      toolNames,
      createdSeconds: nowSeconds,
      echo: request,
    },
  };
}

function parseRequest(body: Buffer): JsonObject {
  if (!isUtf8(body)) {
    throw new PlatformError("request_malformed", "The body is not valid UTF-8.", {
      hint: "Send JSON in UTF-8.",
    });
  }
  let value: unknown;
  try {
    value = parseJson(body.toString());
  } catch (error) {
    throw new PlatformError("request_malformed", "The body is not JSON.", { cause: error });
  }
  const request = toObject(value);
  if (request === undefined) {
    throw new PlatformError("request_invalid", "The body must be a JSON object.", { where: "" });
  }
  return request;
}

/** An assistant's turn at the end is continued by providers of messages, and answered anew by those of OpenAI. */
function refusePrefill({ turns }: Conversation, { from, to }: Passage): void {
  const last = turns.at(-1);
  if (last?.kind !== "assistant" || (from !== "messages" && to !== "messages")) return;
  throw unsupported(
    last.at,
    `${surfaceTitles[from]} and ${surfaceTitles[to]} do not mean the same by an assistant's message at the end`,
  );
}
