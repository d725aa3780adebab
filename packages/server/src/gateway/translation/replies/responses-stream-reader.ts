/** Reads a stream of the responses surface. */

import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { toCount } from "../json-document.ts";
import { reasoningSeparator } from "../reasoning-state.ts";
import { BlockSequence } from "./block-sequence.ts";
import { invalidReply, parseReply, readProviderError, replyText } from "./reply-fault.ts";
import type { ReplyBlock, ReplyEvent } from "./reply-event.ts";
import { readCallItem, readOutputItem, readResponsesStop } from "./responses-reading.ts";
import { readResponsesUsage } from "./responses-usage.ts";
import type { StreamReader } from "./stream-reader.ts";
import type { WholeBlock } from "./whole-reply.ts";

interface SeenBlock {
  readonly block: ReplyBlock;
  /** Whether a delta came; without one the text counts that ends the block. */
  spoken: boolean;
  ended: boolean;
  /** The part of an item of reasoning that the latest delta belongs to. */
  part: string;
}

const kindOfDelta: Readonly<Record<string, ReplyBlock["kind"]>> = {
  "response.output_text.delta": "text",
  "response.refusal.delta": "refusal",
  "response.function_call_arguments.delta": "tool-call",
  "response.custom_tool_call_input.delta": "tool-call",
  "response.reasoning_summary_text.delta": "reasoning",
  "response.reasoning_text.delta": "reasoning",
};

export class ResponsesStreamReader implements StreamReader {
  readonly #emit: (event: ReplyEvent) => void;
  readonly #blocks: BlockSequence;
  /** By index of the item, and of the part for messages. */
  readonly #seen = new Map<string, SeenBlock>();
  #started = false;
  #finished = false;

  constructor(emit: (event: ReplyEvent) => void) {
    this.#emit = emit;
    this.#blocks = new BlockSequence(emit);
  }

  get finished(): boolean {
    return this.#finished;
  }

  read(event: string | undefined, data: string): void {
    const value = parseReply(data);
    const type = toText(value["type"]) ?? event ?? "";
    const kind = Object.hasOwn(kindOfDelta, type) ? kindOfDelta[type] : undefined;
    if (kind !== undefined) {
      this.#readDelta(kind, value);
      return;
    }
    switch (type) {
      case "response.created":
        this.#start(toObject(value["response"]) ?? {});
        return;
      case "response.output_item.added":
        this.#addItem(value);
        return;
      case "response.content_part.done":
        this.#endPart(value);
        return;
      case "response.output_item.done":
        this.#endItem(value);
        return;
      case "response.completed":
      case "response.incomplete":
        this.#finish(toObject(value["response"]) ?? {});
        return;
      case "response.failed":
        this.#fail(toObject(value["response"])?.["error"]);
        return;
      case "error":
        this.#fail(value["error"] ?? value);
        return;
      default:
      // Others repeat what these say; events of hosted tools belong to items that are refused.
    }
  }

  #fail(error: unknown): void {
    this.#finished = true;
    this.#emit({ kind: "error", error: readProviderError(error) });
  }

  #start(response: JsonObject): void {
    if (this.#started) throw invalidReply("it begins twice");
    this.#started = true;
    const id = toText(response["id"]) ?? "";
    this.#emit({ kind: "start", id, model: toText(response["model"]) ?? "", usage: undefined });
  }

  #keyOf(value: JsonObject, kind: ReplyBlock["kind"]): string {
    const index = toCount(value["output_index"]);
    if (!this.#started || index === undefined) throw invalidReply("a part belongs to no item");
    if (kind !== "text" && kind !== "refusal") return String(index);
    return `${index}/${toCount(value["content_index"]) ?? 0}`;
  }

  /** Messages begin with their parts. */
  #addItem(value: JsonObject): void {
    const item = toObject(value["item"]) ?? {};
    switch (item["type"]) {
      case "message":
        return;
      case "reasoning":
        this.#open(this.#keyOf(value, "reasoning"), { kind: "reasoning" });
        return;
      case "function_call":
      case "custom_tool_call":
        this.#open(this.#keyOf(value, "tool-call"), readCallItem(item));
        return;
      default:
        throw invalidReply("it has an item that was not asked for");
    }
  }

  #open(key: string, block: ReplyBlock): SeenBlock {
    if (this.#seen.has(key)) throw invalidReply("a block begins twice");
    this.#blocks.start(key, block);
    const seen = { block, spoken: false, ended: false, part: "" };
    this.#seen.set(key, seen);
    return seen;
  }

  #readDelta(kind: ReplyBlock["kind"], value: JsonObject): void {
    const key = this.#keyOf(value, kind);
    const known = this.#seen.get(key);
    if (known === undefined && kind === "tool-call")
      throw invalidReply("a delta belongs to no item");
    const seen = known ?? this.#open(key, kind === "tool-call" ? { kind: "text" } : { kind });
    if (seen.block.kind !== kind || seen.ended) throw invalidReply("a delta is not of its block");
    const text = replyText(value["delta"], "a delta");
    if (text === "") return;
    const part = kind === "reasoning" ? partOf(value) : "";
    if (seen.spoken && seen.part !== part) this.#blocks.delta(key, reasoningSeparator);
    seen.part = part;
    seen.spoken = true;
    this.#blocks.delta(key, text);
  }

  #endPart(value: JsonObject): void {
    const part = toObject(value["part"]) ?? {};
    if (part["type"] === "reasoning_text") return;
    const [whole] = readOutputItem({ type: "message", content: [part] });
    if (whole !== undefined) this.#close(this.#keyOf(value, "text"), whole);
  }

  /** The whole item says again what its deltas said, and the state of reasoning besides. */
  #endItem(value: JsonObject): void {
    const item = toObject(value["item"]) ?? {};
    for (const [index, whole] of readOutputItem(item).entries()) {
      const place = { output_index: value["output_index"], content_index: index };
      this.#close(this.#keyOf(place, whole.block.kind), whole);
    }
  }

  #close(key: string, { block, text, state }: WholeBlock): void {
    const seen = this.#seen.get(key) ?? this.#open(key, block);
    if (seen.block.kind !== block.kind)
      throw invalidReply("a block ends as another kind than it began");
    if (seen.ended) return;
    if (!seen.spoken) this.#blocks.delta(key, text);
    seen.ended = true;
    this.#blocks.end(key, state);
  }

  /** A server that streams no items gives them here. */
  #finish(response: JsonObject): void {
    if (!this.#started) throw invalidReply("it ends before it began");
    if (this.#seen.size === 0) {
      for (const [index, item] of (toList(response["output"]) ?? []).entries()) {
        this.#endItem({ item, output_index: index });
      }
    }
    this.#blocks.endAll();
    this.#finished = true;
    const callsTools = [...this.#seen.values()].some(({ block }) => block.kind === "tool-call");
    this.#emit({
      kind: "end",
      stop: readResponsesStop(response, callsTools),
      usage: readResponsesUsage(response["usage"]),
      serviceTier: toText(response["service_tier"]),
    });
  }
}

function partOf(value: JsonObject): string {
  const summary = toCount(value["summary_index"]);
  return summary === undefined
    ? `content/${toCount(value["content_index"]) ?? 0}`
    : `summary/${summary}`;
}
