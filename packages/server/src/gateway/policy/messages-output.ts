/** Replies of Anthropic's messages under an output policy. */

import { type EditableObject, toObject, toText } from "../wire/json-values.ts";
import { indexOf, objectsOf } from "./json-values.ts";
import type { OutputCheck, TextKind } from "./output-check.ts";
import type { OutputEvent, OutputShape } from "./output-shape.ts";

export class MessagesOutput implements OutputShape {
  /** The block that was begun and has not ended. */
  #openBlock: number | undefined;
  #usage: unknown = { output_tokens: 0 };

  event({ name, data }: OutputEvent, check: OutputCheck): readonly OutputEvent[] | undefined {
    const index = indexOf(data, 0);
    switch (data["type"]) {
      case "message_start": {
        const usage = toObject(toObject(data["message"])?.["usage"]);
        if (usage !== undefined) this.#usage = { output_tokens: usage["output_tokens"] ?? 0 };
        return undefined;
      }
      case "content_block_start":
        this.#openBlock = index;
        return this.#start({ name, data }, index, check);
      case "content_block_delta":
        return this.#delta({ name, data }, index, check);
      case "content_block_stop": {
        this.#openBlock = undefined;
        const before = restOf(`${index}/`, check);
        return before.length === 0 ? undefined : [...before, { name, data }];
      }
      default:
        return undefined;
    }
  }

  rest(check: OutputCheck): readonly OutputEvent[] {
    return restOf("", check);
  }

  refusal(): readonly (OutputEvent | "[DONE]")[] {
    const named = (data: EditableObject & { type: string }): OutputEvent => ({
      name: data.type,
      data,
    });
    return [
      ...(this.#openBlock === undefined
        ? []
        : [named({ type: "content_block_stop", index: this.#openBlock })]),
      named({
        type: "message_delta",
        delta: { stop_reason: "refusal", stop_sequence: null },
        usage: this.#usage,
      }),
      named({ type: "message_stop" }),
    ];
  }

  reply(reply: EditableObject, check: OutputCheck): void {
    objectsOf(reply["content"]).forEach((block, place) => {
      checkCall(block, place, check);
      const text = toText(block["text"]);
      if (text !== undefined) block["text"] = check.whole("open", text);
      // A thought is signed as it stands.
      check.whole("fixed", toText(block["thinking"]) ?? "");
    });
  }

  refuseReply(reply: EditableObject): void {
    reply["content"] = [];
    reply["stop_reason"] = "refusal";
    reply["stop_sequence"] = null;
  }

  #start(
    event: OutputEvent,
    index: number,
    check: OutputCheck,
  ): readonly OutputEvent[] | undefined {
    const block = toObject(event.data["content_block"]);
    if (block === undefined) return undefined;
    checkCall(block, index, check);
    return filterFields(block, index, check) ? [event] : undefined;
  }

  #delta(
    event: OutputEvent,
    index: number,
    check: OutputCheck,
  ): readonly OutputEvent[] | undefined {
    const delta = toObject(event.data["delta"]);
    if (delta === undefined || !filterFields(delta, index, check)) return undefined;
    return Object.keys(deltaTypes).every((field) => (delta[field] ?? "") === "") ? [] : [event];
  }
}

/** Fields that say a text, by the type of the delta that says them. */
const deltaTypes: Readonly<Record<string, string>> = {
  text: "text_delta",
  thinking: "thinking_delta",
  partial_json: "input_json_delta",
};

/** A thought is signed, and arguments are JSON: both stay as they are. */
const kinds: Readonly<Record<string, TextKind>> = {
  text: "open",
  thinking: "fixed",
  partial_json: "arguments",
};

/** Whether something of a block or delta was taken out or held back. */
function filterFields(holder: EditableObject, index: number, check: OutputCheck): boolean {
  let changed = false;
  for (const field of Object.keys(deltaTypes)) {
    const said = toText(holder[field]);
    if (said === undefined || said === "") continue;
    const kept = check.push(`${index}/${field}`, kinds[field] ?? "fixed", said);
    if (kept === said) continue;
    holder[field] = kept;
    changed = true;
  }
  return changed;
}

/** What was held back of the channels whose names begin so, each as a delta of its own. */
function restOf(prefix: string, check: OutputCheck): OutputEvent[] {
  return check.openChannels(prefix).flatMap((channel): OutputEvent[] => {
    const rest = check.finish(channel);
    const [index, field = ""] = channel.split("/");
    if (rest === "") return [];
    const name = "content_block_delta";
    const delta = { type: deltaTypes[field], [field]: rest };
    return [{ name, data: { type: name, index: Number(index), delta } }];
  });
}

/** A block of a call has its arguments in it: all of a whole reply, of a stream mostly none yet. */
function checkCall(block: EditableObject, index: number, check: OutputCheck): void {
  if (block["type"] !== "tool_use" && block["type"] !== "server_tool_use") return;
  check.call(String(index), toText(block["name"]));
  check.whole("arguments", JSON.stringify(block["input"] ?? {}));
}
