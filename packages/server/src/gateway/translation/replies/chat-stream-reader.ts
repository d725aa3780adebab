/** Reads a stream of chat completion chunks. */

import { type JsonObject, toList, toObject, toText } from "../../wire/json-values.ts";
import { readChatReasoning } from "../requests/chat-reasoning.ts";
import { BlockSequence } from "./block-sequence.ts";
import {
  chatReasoningState,
  onlyChoice,
  readChatCall,
  readChatInput,
  readChatStop,
} from "./chat-reading.ts";
import { readChatUsage } from "./chat-usage.ts";
import { JsonBalance } from "./json-balance.ts";
import { invalidReply, parseReply, readProviderError, replyText } from "./reply-fault.ts";
import type { ReplyEvent, ReplyStop, ReplyUsage } from "./reply-event.ts";
import type { StreamReader } from "./stream-reader.ts";

type SpeechKind = "text" | "refusal" | "reasoning";

interface Call {
  readonly key: string;
  readonly id: string;
  readonly custom: boolean;
  readonly balance: JsonBalance;
  ended: boolean;
}

export class ChatStreamReader implements StreamReader {
  readonly #emit: (event: ReplyEvent) => void;
  readonly #blocks: BlockSequence;
  #started = false;
  #finished = false;
  #keyCount = 0;
  #speech: { readonly key: string; readonly kind: SpeechKind } | undefined;
  /** The text of the open block of reasoning. */
  #reasoning = "";
  /** The latest call at each index of the provider. */
  readonly #calls = new Map<unknown, Call>();
  #latestCall: Call | undefined;
  /** Calls that are not ended, in order. */
  #openCalls: Call[] = [];
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

  read(_event: string | undefined, data: string): void {
    if (data.trim() === "[DONE]") {
      this.#finish();
      return;
    }
    const chunk = parseReply(data);
    if (chunk["error"] !== undefined && chunk["error"] !== null) {
      this.#finished = true;
      this.#emit({ kind: "error", error: readProviderError(chunk["error"]) });
      return;
    }
    this.#usage = readChatUsage(chunk["usage"]) ?? this.#usage;
    this.#serviceTier = toText(chunk["service_tier"]) ?? this.#serviceTier;
    const choice = onlyChoice(chunk);
    if (choice === undefined) return;
    // A chunk without a choice may come first and know neither id nor model; Azure reports on the prompt in it.
    if (!this.#started) this.#start(chunk);
    this.#readDelta(toObject(choice["delta"]) ?? {});
    this.#stop = readChatStop(choice, this.#latestCall !== undefined) ?? this.#stop;
  }

  #start(chunk: JsonObject): void {
    this.#started = true;
    const id = toText(chunk["id"]) ?? "";
    const model = toText(chunk["model"]) ?? "";
    this.#emit({ kind: "start", id, model, usage: this.#usage });
  }

  #readDelta(delta: JsonObject): void {
    const details = toList(delta["reasoning_details"]);
    const reasoning = replyText(delta["reasoning_content"] ?? delta["reasoning"], "reasoning");
    if (details !== undefined && details.length > 0) this.#readDetails(delta, reasoning);
    else this.#speak("reasoning", reasoning);
    this.#speak("text", replyText(delta["content"], "content"));
    this.#speak("refusal", replyText(delta["refusal"], "a refusal"));
    const calls = toList(delta["tool_calls"] ?? []);
    if (calls === undefined) throw invalidReply("its tool calls are no list");
    for (const value of calls) this.#readCall(toObject(value) ?? {});
  }

  /**
   * Details come in pieces that go on in one block, or with their state once the block is whole; then they may repeat all
   * of its text. A state ends its block.
   */
  #readDetails(delta: JsonObject, reasoning: string): void {
    this.#speak("reasoning", reasoning);
    for (const { text, state } of readChatReasoning(delta, "")) {
      const isWhole = state !== undefined && Object.keys(state.fields).length > 0;
      const repeats = reasoning !== "" || (isWhole && this.#reasoning.endsWith(text));
      if (!repeats) this.#speak("reasoning", text);
      if (!isWhole) continue;
      if (this.#speech?.kind !== "reasoning") this.#open("reasoning");
      this.#endSpeech(state);
    }
  }

  #speak(kind: SpeechKind, text: string): void {
    if (text === "") return;
    const key = this.#speech?.kind === kind ? this.#speech.key : this.#open(kind);
    this.#blocks.delta(key, text);
    if (kind === "reasoning") this.#reasoning += text;
  }

  #open(kind: SpeechKind): string {
    this.#endSpeech();
    this.#endWholeCalls();
    const key = this.#nextKey();
    this.#speech = { key, kind };
    this.#blocks.start(key, { kind });
    return key;
  }

  #nextKey(): string {
    this.#keyCount += 1;
    return String(this.#keyCount);
  }

  #endSpeech(state = chatReasoningState): void {
    if (this.#speech === undefined) return;
    this.#blocks.end(this.#speech.key, this.#speech.kind === "reasoning" ? state : undefined);
    this.#speech = undefined;
    this.#reasoning = "";
  }

  /**
   * The same index with another id is another call: some servers put all parallel calls at index 0. Without an index, an
   * id begins a call and what has none goes on with the latest.
   */
  #readCall(delta: JsonObject): void {
    const id = toText(delta["id"]) ?? "";
    const index: unknown = delta["index"];
    const known = index === undefined ? this.#latestCall : this.#calls.get(index);
    const continues = known !== undefined && (id === "" || id === known.id);
    const call = continues ? known : this.#startCall(delta, index);
    const input = readChatInput(delta);
    if (input === "") return;
    if (call.ended) {
      if (input.trim() !== "") throw invalidReply("arguments follow a tool call that was whole");
      return;
    }
    call.balance.write(input);
    this.#blocks.delta(call.key, input);
    if (this.#openCalls.length > 1) this.#endWholeCalls();
  }

  #startCall(delta: JsonObject, index: unknown): Call {
    this.#endSpeech();
    this.#endWholeCalls();
    const key = this.#nextKey();
    const { block } = readChatCall(delta, `call_${key}`);
    this.#blocks.start(key, block);
    const call = {
      key,
      id: block.id,
      custom: block.custom,
      balance: new JsonBalance(),
      ended: false,
    };
    this.#calls.set(index, call);
    this.#latestCall = call;
    this.#openCalls.push(call);
    return call;
  }

  /** A call is known to be whole when its JSON is; free text is whole when something else begins. */
  #endWholeCalls(): void {
    this.#openCalls = this.#openCalls.filter((call) => {
      call.ended = call.custom || call.balance.whole;
      if (call.ended) this.#blocks.end(call.key);
      return !call.ended;
    });
  }

  #finish(): void {
    if (this.#stop === undefined) throw invalidReply("it ends without a finish reason");
    this.#endSpeech();
    this.#blocks.endAll();
    this.#finished = true;
    const { kind } = this.#stop;
    // The finish reason may have come before the first call was seen.
    const stop =
      kind === "done" && this.#latestCall !== undefined
        ? { kind: "tool-calls" as const }
        : this.#stop;
    this.#emit({ kind: "end", stop, usage: this.#usage, serviceTier: this.#serviceTier });
  }
}
