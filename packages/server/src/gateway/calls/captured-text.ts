/** What a model said, kept only for tenants whose capture is `content`, and only up to a bound. */

import { parseForeignJson } from "@faultline/contracts/json";

import { gatewayLimits } from "../limits.ts";

export class CapturedText {
  #text = "";
  #truncated = false;

  add(text: string): void {
    const room = gatewayLimits.capturedContentBytesMax - this.#text.length;
    if (text.length > room) this.#truncated = true;
    this.#text += text.slice(0, Math.max(room, 0));
  }

  /** In the form of OpenTelemetry's `gen_ai.output.messages`. */
  toMessages(finishReasons: readonly string[]): string {
    const content = this.#truncated ? `${this.#text}…` : this.#text;
    return JSON.stringify([
      {
        role: "assistant",
        parts: [{ type: "text", content }],
        finish_reason: finishReasons[0] ?? "",
      },
    ]);
  }
}

/** The caller's messages in the form of `gen_ai.input.messages`; cut to their bound, in which case they say so. */
export function captureMessages(
  body: Buffer,
  place: { readonly start: number; readonly end: number },
): string {
  const end = Math.min(place.end, place.start + gatewayLimits.capturedContentBytesMax);
  const text = body.toString("utf8", place.start, end);
  if (end < place.end) return `${text}…`;
  const messages: unknown = parseForeignJson(text);
  if (!Array.isArray(messages)) return text;
  return JSON.stringify(messages.map(toConventional));
}

/** The instructions beside the messages, in the form of `gen_ai.system_instructions`. */
export function captureSystem(
  body: Buffer,
  place: { readonly start: number; readonly end: number },
): string {
  const end = Math.min(place.end, place.start + gatewayLimits.capturedContentBytesMax);
  const text = body.toString("utf8", place.start, end);
  if (end < place.end) return `${text}…`;
  const system: unknown = parseForeignJson(text);
  if (typeof system === "string") return JSON.stringify([{ type: "text", content: system }]);
  return text;
}

function toConventional(message: unknown): unknown {
  if (typeof message !== "object" || message === null || !("role" in message)) return message;
  const { role, ...rest } = message;
  const content: unknown = "content" in rest ? rest.content : undefined;
  if (typeof content === "string") return { role, parts: [{ type: "text", content }] };
  return { role, parts: [{ type: "json", content: rest }] };
}
