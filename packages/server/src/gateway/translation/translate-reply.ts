/** Translation of whole replies and of errors, from the provider's surface to the caller's. */

import { type JsonObject, toObject, toText } from "../wire/json-values.ts";
import { parseJson } from "./json-document.ts";
import { readChatReply } from "./replies/chat-reading.ts";
import { writeChatReply } from "./replies/chat-reply-writer.ts";
import { readMessagesReply } from "./replies/messages-reading.ts";
import { writeMessagesReply } from "./replies/messages-reply-writer.ts";
import { writeErrorBody } from "./replies/provider-error.ts";
import type { TranslationContext } from "./replies/reply-context.ts";
import type { ProviderError, ReplyEvent } from "./replies/reply-event.ts";
import { parseReply, readProviderError } from "./replies/reply-fault.ts";
import { readResponsesReply } from "./replies/responses-reading.ts";
import { writeResponsesReply } from "./replies/responses-reply-writer.ts";
import { restoreToolNames } from "./replies/tool-names.ts";
import { joinEvents, type WholeReply } from "./replies/whole-reply.ts";
import type { Surface } from "./surface.ts";

const readers: Readonly<Record<Surface, (reply: JsonObject) => ReplyEvent[]>> = {
  chat: readChatReply,
  responses: readResponsesReply,
  messages: readMessagesReply,
};

const writers: Readonly<
  Record<Surface, (reply: WholeReply, context: TranslationContext) => JsonObject>
> = {
  chat: writeChatReply,
  responses: writeResponsesReply,
  messages: writeMessagesReply,
};

/** Throws `provider_response_invalid` for a reply that is not in its surface's wire format. */
export function translateReply(context: TranslationContext, body: Buffer): Buffer {
  const restore = restoreToolNames(context);
  const events = readers[context.to](parseReply(body.toString())).map(restore);
  return Buffer.from(JSON.stringify(writers[context.from](joinEvents(events), context)));
}

/** A provider's error reply in the caller's dialect. Never throws: a body that says nothing leaves the status. */
export function translateError(
  context: Pick<TranslationContext, "from">,
  status: number,
  body: Buffer,
): Buffer {
  return Buffer.from(JSON.stringify(writeErrorBody(context.from, readError(status, body), status)));
}

function readError(status: number, body: Buffer): ProviderError {
  try {
    const reply = toObject(parseJson(body.toString()));
    if (reply?.["error"] !== undefined) return readProviderError(reply["error"]);
    // Some servers have no object for their errors.
    const message = toText(reply?.["message"]) ?? toText(reply?.["detail"]);
    if (message !== undefined) return readProviderError({ ...reply, message });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return {
    message: `The provider answered with status ${status}.`,
    type: undefined,
    code: undefined,
    param: undefined,
  };
}
