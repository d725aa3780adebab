/** Reads a stream of the messages surface. */

import { type JsonObject, toObject, toText } from "../../wire/json-values.ts";
import { toCount } from "../json-document.ts";
import type { ReasoningState } from "../reasoning-state.ts";
import { translationLimits } from "../translation-limits.ts";
import { BlockSequence } from "./block-sequence.ts";
import { readMessagesBlock, readMessagesStop, signatureState } from "./messages-reading.ts";
import { readMessagesTier, readMessagesUsage } from "./messages-usage.ts";
import { invalidReply, parseReply, readProviderError, replyText } from "./reply-fault.ts";
import type { ReplyEvent, ReplyStop, ReplyUsage } from "./reply-event.ts";
import type { StreamReader } from "./stream-reader.ts";

interface OpenBlock {
  /** The input of a tool call that came with its start; it counts when no delta follows. */
  startInput: string;
  signature: string;
  state: ReasoningState | undefined;
  readonly kind: string;
}

export class MessagesStreamReader implements StreamReader {
  readonly #emit: (event: ReplyEvent) => void;
  readonly #blocks: BlockSequence;
  readonly #open = new Map<number, OpenBlock>();
  #started = false;
  #finished = false;
  #stop: ReplyStop | undefined;
  #usage: ReplyUsage | undefined;
  #serviceTier: string | undefined;

  constructor(emit: (event: ReplyEvent) => void) {
    this.#emit = emit;
    this.#blocks = new BlockSequence(emit);
  }

  get finished(): boolean {
    return this.#finished;
  }

  read(event: string | undefined, data: string): void {
    const value = parseReply(data);
    const type = toText(value["type"]) ?? event;
    if (type === "error") {
      this.#finished = true;
      this.#emit({ kind: "error", error: readProviderError(value["error"]) });
    } else if (type === "message_start") {
      this.#start(toObject(value["message"]) ?? {});
    } else if (type === "content_block_start") {
      this.#startBlock(value);
    } else if (type === "content_block_delta") {
      this.#readDelta(value);
    } else if (type === "content_block_stop") {
      this.#stopBlock(value);
    } else if (type === "message_delta") {
      this.#usage = readMessagesUsage(value["usage"], this.#usage);
      this.#stop = readMessagesStop(toObject(value["delta"]) ?? {}) ?? this.#stop;
    } else if (type === "message_stop") {
      this.#finish();
    }
    // Others, `ping` among them, say nothing: the surface announces that new ones may come.
  }

  #start(message: JsonObject): void {
    if (this.#started) throw invalidReply("it begins twice");
    this.#started = true;
    this.#usage = readMessagesUsage(message["usage"]);
    this.#serviceTier = readMessagesTier(message["usage"]);
    const id = toText(message["id"]) ?? "";
    this.#emit({ kind: "start", id, model: toText(message["model"]) ?? "", usage: this.#usage });
  }

  #indexOf(value: JsonObject): number {
    if (!this.#started) throw invalidReply("a block comes before the start");
    const index = toCount(value["index"]);
    if (index === undefined) throw invalidReply("a block has no index");
    return index;
  }

  #startBlock(value: JsonObject): void {
    const index = this.#indexOf(value);
    const { block, text, state } = readMessagesBlock({
      input: {},
      ...toObject(value["content_block"]),
    });
    this.#blocks.start(String(index), block);
    const isCall = block.kind === "tool-call";
    this.#open.set(index, {
      startInput: isCall ? text : "",
      signature: "",
      state,
      kind: block.kind,
    });
    if (!isCall) this.#blocks.delta(String(index), text);
  }

  #readDelta(value: JsonObject): void {
    const index = this.#indexOf(value);
    const open = this.#open.get(index);
    const delta = toObject(value["delta"]);
    if (open === undefined || delta === undefined)
      throw invalidReply("a delta belongs to no open block");
    switch (delta["type"]) {
      case "text_delta":
        this.#append(index, open, { kind: "text", text: delta["text"] });
        return;
      case "thinking_delta":
        this.#append(index, open, { kind: "reasoning", text: delta["thinking"] });
        return;
      case "input_json_delta":
        this.#append(index, open, { kind: "tool-call", text: delta["partial_json"] });
        return;
      case "signature_delta":
        open.signature += replyText(delta["signature"], "a signature");
        if (open.signature.length > translationLimits.replyLengthMax)
          throw invalidReply("a signature is too long");
        return;
      case "citations_delta":
        return;
      default:
        throw invalidReply("it has a delta of an unknown kind");
    }
  }

  #append(index: number, open: OpenBlock, { kind, text }: { kind: string; text: unknown }): void {
    if (open.kind !== kind) throw invalidReply("a delta is not of its block's kind");
    const delta = replyText(text, "a delta");
    if (delta !== "") open.startInput = "";
    this.#blocks.delta(String(index), delta);
  }

  #stopBlock(value: JsonObject): void {
    const index = this.#indexOf(value);
    const open = this.#open.get(index);
    if (open === undefined) throw invalidReply("a block ends that is not open");
    this.#open.delete(index);
    if (open.startInput !== "") this.#blocks.delta(String(index), open.startInput);
    const state = open.signature === "" ? open.state : signatureState(open.signature);
    this.#blocks.end(String(index), open.kind === "reasoning" ? state : undefined);
  }

  #finish(): void {
    if (this.#stop === undefined) throw invalidReply("it ends without a stop reason");
    if (this.#open.size > 0) throw invalidReply("it ends within a block");
    this.#finished = true;
    this.#emit({
      kind: "end",
      stop: this.#stop,
      usage: this.#usage,
      serviceTier: this.#serviceTier,
    });
  }
}
