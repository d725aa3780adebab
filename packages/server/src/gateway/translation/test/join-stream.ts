/** Puts the whole reply together from a stream, as clients of each surface do. Written apart from the translation. */

import { parseForeignJson } from "@faultline/contracts/json";
import { accumulateResponse } from "openai/lib/responses/ResponseAccumulator";

import type { Loose, SeenEvent } from "./exchange.ts";

/** A stream of chat completion chunks as the whole reply. */
export function joinChat(events: readonly SeenEvent[]): Loose {
  const message: Loose = { role: "assistant", content: null, refusal: null };
  const whole: Loose = { choices: [{ index: 0, message, logprobs: null, finish_reason: null }] };
  const append = (target: Loose, name: string, text: unknown): void => {
    if (typeof text === "string" && text !== "") target[name] = (target[name] ?? "") + text;
  };
  for (const { data } of events) {
    if (data === "[DONE]") continue;
    for (const name of ["id", "created", "model", "service_tier"])
      whole[name] = data[name] ?? whole[name];
    whole.object = "chat.completion";
    whole.usage = data.usage ?? whole.usage;
    const [choice] = data.choices;
    if (choice === undefined) continue;
    const { delta } = choice;
    for (const name of ["content", "refusal", "reasoning_content"])
      append(message, name, delta[name]);
    for (const detail of delta.reasoning_details ?? [])
      (message.reasoning_details ??= []).push(detail);
    for (const { index, ...call } of delta.tool_calls ?? []) {
      const calls = (message.tool_calls ??= []);
      if (calls[index] === undefined) calls[index] = structuredClone(call);
      else if (call.custom) calls[index].custom.input += call.custom.input;
      else calls[index].function.arguments += call.function.arguments;
    }
    whole.choices[0].finish_reason = choice.finish_reason ?? whole.choices[0].finish_reason;
  }
  return parseForeignJson(JSON.stringify(whole));
}

/** A stream of messages as the whole reply. */
export function joinMessages(events: readonly SeenEvent[]): Loose {
  let whole: Loose;
  const inputs = new Map<number, string>();
  for (const { data } of events) {
    const block = whole?.content[data.index];
    if (data.type === "message_start") whole = structuredClone(data.message);
    if (data.type === "content_block_start") {
      if (data.index !== whole.content.length) throw new Error("a block begins out of order");
      whole.content.push(structuredClone(data.content_block));
    }
    if (data.type === "content_block_delta") {
      const { type, ...delta } = data.delta;
      if (type === "text_delta") block.text += delta.text;
      if (type === "thinking_delta") block.thinking += delta.thinking;
      if (type === "signature_delta") block.signature = delta.signature;
      if (type === "input_json_delta")
        inputs.set(data.index, (inputs.get(data.index) ?? "") + delta.partial_json);
    }
    if (data.type === "content_block_stop" && inputs.get(data.index)) {
      block.input = parseForeignJson(inputs.get(data.index) ?? "");
    }
    if (data.type === "message_delta") {
      Object.assign(whole, data.delta);
      Object.assign(whole.usage, data.usage);
    }
  }
  return whole;
}

/** A stream of responses as the whole reply, put together by the official client. */
export function joinResponses(events: readonly SeenEvent[]): Loose {
  let response: Loose;
  for (const { data } of events) response = accumulateResponse(data, response);
  const { output_text: _, ...whole } = response;
  return whole;
}
