/** What the tests of the translation share: bodies as objects, streams as events. */

import { parseForeignJson } from "@faultline/contracts/json";

import {
  type Surface,
  translateReply,
  translateRequest,
  translateStream,
  type TranslationContext,
} from "../index.ts";

/** Parsed JSON of any shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests reach into parsed JSON, and fail where it is otherwise
export type Loose = any;

/** A translated request with its body as an object. */
export function request(
  from: Surface,
  to: Surface,
  body: unknown,
): { body: Loose; losses: readonly string[]; context: TranslationContext } {
  const plan = {
    from,
    to,
    model: "upstream",
    maxTokensDefault: 4_096,
    tokenLimitField: "max_completion_tokens",
    nowSeconds: 1_700_000_000,
  } as const;
  const {
    body: translated,
    losses,
    context,
  } = translateRequest(plan, Buffer.from(JSON.stringify(body)));
  return { body: parseForeignJson(translated.toString()), losses, context };
}

/** The context of a plain request, for tests of replies. */
export function contextOf(from: Surface, to: Surface, fields: object = {}): TranslationContext {
  const messages = [{ role: "user", content: "Hi." }];
  const own = from === "responses" ? { input: messages } : { messages };
  return request(from, to, { model: "m", max_tokens: undefined, ...own, ...fields }).context;
}

/** A translated reply as an object. */
export function reply(context: TranslationContext, body: unknown): Loose {
  return parseForeignJson(translateReply(context, Buffer.from(JSON.stringify(body))).toString());
}

/** One event of a stream, as clients see it. */
export interface SeenEvent {
  readonly event: string | undefined;
  readonly data: Loose;
}

/** The provider's events, translated: the caller's events. Data that is a text goes as it is. */
export function stream(context: TranslationContext, events: readonly unknown[]): SeenEvent[] {
  const translation = translateStream(context);
  const bytes = events.map((event) =>
    translation.write(undefined, typeof event === "string" ? event : JSON.stringify(event)),
  );
  translation.end();
  return parseEvents(bytes.join(""));
}

/** The events in the bytes of a stream. */
export function parseEvents(text: string): SeenEvent[] {
  return text
    .split("\n\n")
    .filter((frame) => frame !== "")
    .map((frame) => {
      const lines = frame.split("\n");
      const field = (name: string): string | undefined =>
        lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      const data = field("data") ?? "";
      return { event: field("event"), data: data === "[DONE]" ? data : parseForeignJson(data) };
    });
}
