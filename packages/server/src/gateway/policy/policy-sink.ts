/** Stands between a reply and its caller and holds the output policy of a bundle against every byte that passes. */

import { parseForeignJson } from "@faultline/contracts/json";

import type { ReplyHead } from "../calls/reply-head.ts";
import type { ReplySink } from "../calls/reply-sink.ts";
import { FrameSplitter } from "../streams/frame-splitter.ts";
import type { CompiledPolicy } from "./compiled-policy.ts";
import { toObject } from "../wire/json-values.ts";
import { policyLimits } from "./limits.ts";
import { OutputCheck } from "./output-check.ts";
import type { OutputEvent, OutputShape } from "./output-shape.ts";

export interface PolicyParts {
  readonly policy: CompiledPolicy;
  readonly shape: OutputShape;
  /**
   * The reply was refused, and nobody wants the rest of it. The caller has got its end, unless `headersSent` is false: then it has
   * got nothing.
   */
  readonly onRefused: (rule: string) => void;
  /** Called once for each rule that takes something out. */
  readonly onRedacted: (rule: string) => void;
}

type Mode = "head" | "untouched" | "plain" | "stream" | "ended";

export class PolicySink implements ReplySink {
  readonly #sink: ReplySink;
  readonly #parts: PolicyParts;
  readonly #check: OutputCheck;
  readonly #splitter: FrameSplitter;
  #mode: Mode = "head";
  #head: { readonly status: number; readonly head: ReplyHead } | undefined;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #flowing = true;

  constructor(sink: ReplySink, parts: PolicyParts) {
    this.#sink = sink;
    this.#parts = parts;
    this.#check = new OutputCheck(parts.policy, parts.onRedacted);
    this.#splitter = new FrameSplitter((frame) => this.#onFrame(frame));
  }

  get headersSent(): boolean {
    return this.#sink.headersSent || this.#head !== undefined;
  }

  get statusCode(): number {
    return this.#head?.status ?? this.#sink.statusCode;
  }

  writeHead(status: number, head: ReplyHead): unknown {
    const type = String(head["content-type"] ?? "");
    if (status >= 300 || status < 200) this.#mode = "untouched";
    else this.#mode = type.startsWith("text/event-stream") ? "stream" : "plain";
    if (this.#mode !== "plain") return this.#sink.writeHead(status, head);
    // Its length is known once it was checked.
    this.#head = { status, head };
    return undefined;
  }

  write(chunk: Buffer | string): boolean {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    switch (this.#mode) {
      case "stream":
        this.#flowing = true;
        this.#splitter.write(bytes);
        return this.#flowing;
      case "plain":
        this.#hold(bytes);
        return true;
      case "ended":
        return true;
      default:
        return this.#sink.write(bytes);
    }
  }

  end(chunk?: Buffer | string): unknown {
    if (this.#mode === "untouched" || this.#mode === "head") return this.#sink.end(chunk);
    if (chunk !== undefined) this.write(chunk);
    if (this.#mode === "stream") {
      this.#splitter.end();
      this.#sendRest();
      if (this.#check.refusedBy === undefined) this.#sink.end();
    } else if (this.#mode === "plain") this.#endPlain();
    this.#mode = "ended";
    return undefined;
  }

  once(event: "drain", listener: () => void): unknown {
    return this.#sink.once(event, listener);
  }

  destroy(): unknown {
    return this.#sink.destroy();
  }

  cut(): void {
    if (this.#sink.cut === undefined) this.#sink.destroy();
    else this.#sink.cut();
  }

  #onFrame(frame: Buffer): void {
    if (this.#mode !== "stream") return;
    const event = parseFrame(frame);
    const { shape } = this.#parts;
    if (event === undefined || event === "[DONE]") {
      if (event !== undefined) this.#sendRest();
      if (this.#check.refusedBy === undefined) this.#send(frame);
      return;
    }
    const events = shape.event(event, this.#check);
    if (this.#check.refusedBy !== undefined) this.#refuse(this.#check.refusedBy);
    else if (events === undefined) this.#send(frame);
    else for (const one of events) this.#send(formatFrame(one));
  }

  /** What was held back of texts that did not end by themselves. */
  #sendRest(): void {
    if (this.#check.refusedBy !== undefined) return;
    const rest = this.#parts.shape.rest(this.#check);
    if (this.#check.refusedBy !== undefined) this.#refuse(this.#check.refusedBy);
    else for (const event of rest) this.#send(formatFrame(event));
  }

  #refuse(rule: string): void {
    for (const event of this.#parts.shape.refusal()) this.#send(formatFrame(event));
    this.#mode = "ended";
    this.#sink.end();
    this.#parts.onRefused(rule);
  }

  #send(bytes: Buffer): void {
    if (!this.#sink.write(bytes)) this.#flowing = false;
  }

  #hold(bytes: Buffer): void {
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes <= policyLimits.plainReplyBytesMax) return;
    this.#held = [];
    this.#head = undefined;
    this.#mode = "ended";
    this.#parts.onRefused(replyTooLarge);
  }

  #endPlain(): void {
    const { status, head } = this.#head ?? { status: 200, head: {} };
    const { shape } = this.#parts;
    const body = Buffer.concat(this.#held);
    // The relay has checked that a reply is a JSON object.
    const reply = toObject(parseForeignJson(body.toString())) ?? {};
    const before = JSON.stringify(reply);
    shape.reply(reply, this.#check);
    const { refusedBy } = this.#check;
    if (refusedBy !== undefined) shape.refuseReply(reply);
    const after = JSON.stringify(reply);
    const bytes = after === before ? body : Buffer.from(after);
    this.#sink.writeHead(status, { ...head, "content-length": bytes.length });
    this.#sink.end(bytes);
    this.#head = undefined;
    this.#mode = "ended";
    if (refusedBy !== undefined) this.#parts.onRefused(refusedBy);
  }
}

/** What stands for a rule where a plain reply is too large to be looked at; the caller has got nothing then. */
const replyTooLarge = "reply-too-large";

/** The event of a frame, or the end of all; `undefined` for what carries no JSON object, which passes as it is. */
function parseFrame(frame: Buffer): OutputEvent | "[DONE]" | undefined {
  let name: string | undefined;
  const data: string[] = [];
  for (const line of frame.toString().split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
    else if (line.startsWith("event:")) name = line.slice(6).trim();
  }
  const text = data.join("\n").trim();
  if (text === "[DONE]") return text;
  if (!text.startsWith("{")) return undefined;
  // The relay has checked that the data of an event is JSON.
  const value = toObject(parseForeignJson(text));
  return value === undefined ? undefined : { name, data: value };
}

function formatFrame(event: OutputEvent | "[DONE]"): Buffer {
  if (event === "[DONE]") return Buffer.from("data: [DONE]\n\n");
  const name = event.name === undefined ? "" : `event: ${event.name}\n`;
  return Buffer.from(`${name}data: ${JSON.stringify(event.data)}\n\n`);
}
