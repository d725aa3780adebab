/** The surfaces of the gateway: what callers may ask for, where, and how its requests and replies look. */

import type { SurfaceName } from "#config/index.ts";
import type { PlatformError } from "@faultline/protocol";

import { anthropicDialect, type Dialect, openaiDialect } from "./dialect.ts";
import { chatReply, messagesReply, type ReplyForm, responsesReply } from "./reply-form.ts";
import {
  chatForm,
  completionsForm,
  embeddingsForm,
  messagesForm,
  type RequestForm,
  responsesForm,
} from "./request-form.ts";

export interface Surface {
  readonly name: SurfaceName;
  readonly dialect: Dialect;
  /** Behind the root of the API, which is `/v1` for callers. */
  readonly path: string;
  /** `gen_ai.operation.name` of its spans. */
  readonly operation: string;
  readonly request: RequestForm;
  readonly reply: ReplyForm;
  /** The event that tells a caller in mid-stream that the rest will not come; `sequence` follows the latest event's. */
  errorEvent(error: PlatformError, sequence: number): string;
}

function openaiErrorEvent(error: PlatformError): string {
  return `data: ${JSON.stringify(openaiDialect.errorBody(error, undefined))}\n\n`;
}

function openai(name: SurfaceName, path: string): Pick<Surface, "name" | "path" | "dialect"> {
  return { name, path, dialect: openaiDialect };
}

export const surfaces: Readonly<Record<SurfaceName, Surface>> = {
  chat: {
    ...openai("chat", "/chat/completions"),
    operation: "chat",
    request: chatForm,
    reply: chatReply,
    errorEvent: openaiErrorEvent,
  },
  responses: {
    ...openai("responses", "/responses"),
    operation: "chat",
    request: responsesForm,
    reply: responsesReply,
    errorEvent: (error, sequence) => {
      const { code, message } = error;
      const event = { type: "error", code, message, param: null, sequence_number: sequence + 1 };
      return `event: error\ndata: ${JSON.stringify(event)}\n\n`;
    },
  },
  completions: {
    ...openai("completions", "/completions"),
    operation: "text_completion",
    request: completionsForm,
    reply: chatReply,
    errorEvent: openaiErrorEvent,
  },
  embeddings: {
    ...openai("embeddings", "/embeddings"),
    operation: "embeddings",
    request: embeddingsForm,
    reply: chatReply,
    errorEvent: openaiErrorEvent,
  },
  messages: {
    name: "messages",
    dialect: anthropicDialect,
    path: "/messages",
    operation: "chat",
    request: messagesForm,
    reply: messagesReply,
    errorEvent: (error) =>
      `event: error\ndata: ${JSON.stringify(anthropicDialect.errorBody(error, undefined))}\n\n`,
  },
  "count-tokens": {
    name: "count-tokens",
    dialect: anthropicDialect,
    path: "/messages/count_tokens",
    operation: "count_tokens",
    request: messagesForm,
    reply: messagesReply,
    errorEvent: openaiErrorEvent,
  },
};

/** The surface that a caller's path names. */
export const surfaceByPath: ReadonlyMap<string, Surface> = new Map(
  Object.values(surfaces).map((surface) => [`/v1${surface.path}`, surface]),
);
