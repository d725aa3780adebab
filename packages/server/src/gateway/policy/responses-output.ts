/** Replies of OpenAI's responses under an output policy. */

import { type EditableObject, toObject, toText } from "../wire/json-values.ts";
import { objectsOf } from "./json-values.ts";
import type { OutputCheck, TextKind } from "./output-check.ts";
import type { OutputEvent, OutputShape } from "./output-shape.ts";

/** Events that say a part of a text, by the kind of the text; the event that ends it is called `.done`. */
const deltaKinds: Readonly<Record<string, TextKind>> = {
  "response.output_text": "open",
  "response.refusal": "open",
  "response.reasoning_text": "open",
  "response.reasoning_summary_text": "open",
  "response.function_call_arguments": "arguments",
  "response.custom_tool_call_input": "fixed",
  "response.mcp_call_arguments": "arguments",
};
/** Fields of events, parts and items that hold a whole text. */
const openFields = ["text", "refusal"] as const;
const fixedFields = { arguments: "arguments", input: "fixed" } as const;

export class ResponsesOutput implements OutputShape {
  #response: EditableObject = {};
  #sequence = -1;

  event({ name, data }: OutputEvent, check: OutputCheck): readonly OutputEvent[] | undefined {
    const response = toObject(data["response"]);
    if (response !== undefined) this.#response = { ...response };
    const type = toText(data["type"]) ?? "";
    const events = this.#byType({ name, data }, type, check);
    // Events are numbered: what is left out or put in shifts those that follow.
    return events.map((event) => this.#numbered(event));
  }

  rest(): readonly OutputEvent[] {
    // Every text has an event that ends it, and without it the stream is not whole.
    return [];
  }

  refusal(): readonly (OutputEvent | "[DONE]")[] {
    const response = { ...this.#response };
    this.refuseReply(response);
    const data = { type: "response.incomplete", response };
    return [this.#numbered({ name: data.type, data })];
  }

  reply(reply: EditableObject, check: OutputCheck): void {
    for (const item of objectsOf(reply["output"])) filterItem(item, check);
  }

  refuseReply(reply: EditableObject): void {
    reply["status"] = "incomplete";
    reply["incomplete_details"] = { reason: "content_filter" };
    reply["output"] = [];
    if ("output_text" in reply) reply["output_text"] = "";
  }

  #byType(event: OutputEvent, type: string, check: OutputCheck): OutputEvent[] {
    const { name, data } = event;
    const at = type.lastIndexOf(".");
    const [subject, step] = [type.slice(0, at), type.slice(at + 1)];
    const kind = deltaKinds[subject];
    const delta = toText(data["delta"]);
    if (kind !== undefined && step === "delta" && delta !== undefined) {
      dropLogprobs(data);
      const kept = check.push(channelOf(subject, data), kind, delta);
      data["delta"] = kept;
      return kept === "" && delta !== "" ? [] : [event];
    }
    if (kind !== undefined && step === "done") {
      const rest = check.finish(channelOf(subject, data));
      filterWhole(data, check);
      if (rest === "") return [event];
      const { text: _text, refusal: _refusal, logprobs: _logprobs, ...known } = data;
      const { arguments: _arguments, input: _input, ...place } = known;
      const more = { ...place, type: `${subject}.delta`, delta: rest };
      return [{ name: name === undefined ? undefined : more.type, data: more }, event];
    }
    const part = toObject(data["part"]);
    if (part !== undefined) filterWhole(part, check);
    const item = toObject(data["item"]);
    if (item !== undefined) filterItem(item, check);
    const response = toObject(data["response"]);
    if (response !== undefined) this.reply(response, check);
    return [event];
  }

  #numbered(event: OutputEvent): OutputEvent {
    if (typeof event.data["sequence_number"] !== "number" && this.#sequence < 0) return event;
    this.#sequence += 1;
    return { name: event.name, data: { ...event.data, sequence_number: this.#sequence } };
  }
}

function channelOf(subject: string, data: EditableObject): string {
  const { item_id, output_index, content_index, summary_index } = data;
  return [subject, item_id, output_index, content_index, summary_index].map(String).join("/");
}

function filterItem(item: EditableObject, check: OutputCheck): void {
  const type = toText(item["type"]) ?? "";
  if (type.endsWith("_call"))
    check.call(String(item["id"] ?? item["call_id"]), toText(item["name"]));
  filterWhole(item, check);
  for (const part of [...objectsOf(item["content"]), ...objectsOf(item["summary"])]) {
    filterWhole(part, check);
  }
}

function filterWhole(holder: EditableObject, check: OutputCheck): void {
  dropLogprobs(holder);
  for (const field of openFields) {
    const text = toText(holder[field]);
    if (text !== undefined) holder[field] = check.whole("open", text);
  }
  for (const [field, kind] of Object.entries(fixedFields)) {
    const text = toText(holder[field]);
    if (text !== undefined) check.whole(kind, text);
  }
}

/** Tokens with their probabilities are the text once more. */
function dropLogprobs(holder: EditableObject): void {
  if (Array.isArray(holder["logprobs"])) holder["logprobs"] = [];
}
