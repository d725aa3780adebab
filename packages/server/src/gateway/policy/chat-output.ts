/** Replies of OpenAI's chat completions and completions under an output policy. */

import { type EditableObject, toObject, toText } from "../wire/json-values.ts";
import { indexOf, objectsOf } from "./json-values.ts";
import type { OutputCheck, TextKind } from "./output-check.ts";
import type { OutputEvent, OutputShape } from "./output-shape.ts";

/** Fields of a message that are text for people. */
const textFields = ["content", "refusal", "reasoning_content", "reasoning"] as const;

export class ChatOutput implements OutputShape {
  /** The fields around the choices, of the latest event. */
  #envelope: EditableObject = {};
  readonly #open = new Set<number>();
  /** Completions say `text` beside the index, instead of a delta. */
  #isCompletion = false;

  event({ name, data }: OutputEvent, check: OutputCheck): readonly OutputEvent[] | undefined {
    const { choices, usage: _usage, ...envelope } = data;
    this.#envelope = envelope;
    const before: OutputEvent[] = [];
    let changed = false;
    let saysMore = data["usage"] !== undefined && data["usage"] !== null;
    const list = objectsOf(choices);
    list.forEach((choice, place) => {
      const index = indexOf(choice, place);
      this.#open.add(index);
      changed = dropLogprobs(choice) || changed;
      const filtered = this.#filter(choice, index, check);
      changed = changed || filtered.changed;
      saysMore = saysMore || filtered.saysMore;
      if (choice["finish_reason"] === null || choice["finish_reason"] === undefined) return;
      saysMore = true;
      this.#open.delete(index);
      before.push(...this.#restOf(`${index}/`, check));
    });
    if (list.length === 0) return undefined;
    if (!changed && before.length === 0) return undefined;
    return saysMore ? [...before, { name, data }] : before;
  }

  rest(check: OutputCheck): readonly OutputEvent[] {
    return this.#restOf("", check);
  }

  refusal(): readonly (OutputEvent | "[DONE]")[] {
    const indexes = this.#open.size === 0 ? [0] : [...this.#open];
    const choices = indexes.map((index) => ({
      index,
      ...(this.#isCompletion ? { text: "" } : { delta: {} }),
      finish_reason: "content_filter",
    }));
    return [{ name: undefined, data: { ...this.#envelope, choices } }, "[DONE]"];
  }

  reply(reply: EditableObject, check: OutputCheck): void {
    objectsOf(reply["choices"]).forEach((choice, place) => {
      const index = indexOf(choice, place);
      dropLogprobs(choice);
      const text = toText(choice["text"]);
      if (text !== undefined) choice["text"] = check.whole("open", text);
      const message = toObject(choice["message"]);
      if (message === undefined) return;
      for (const { holder, field } of textsOf(message)) {
        const said = toText(holder[field]);
        if (said !== undefined) holder[field] = check.whole("open", said);
      }
      for (const { field, said } of callsOf(message, index, check)) {
        check.whole(kindOf(field), said);
      }
    });
  }

  refuseReply(reply: EditableObject): void {
    for (const choice of objectsOf(reply["choices"])) {
      choice["finish_reason"] = "content_filter";
      if ("text" in choice) choice["text"] = "";
      const message = toObject(choice["message"]);
      if (message === undefined) continue;
      choice["message"] = { role: message["role"], content: null, refusal: null };
    }
  }

  /** Texts and calls of one choice. `saysMore` is false where nothing is left to say. */
  #filter(
    choice: EditableObject,
    index: number,
    check: OutputCheck,
  ): { changed: boolean; saysMore: boolean } {
    const isCompletion = "text" in choice;
    if (isCompletion) this.#isCompletion = true;
    const holder = isCompletion ? choice : toObject(choice["delta"]);
    if (holder === undefined) return { changed: false, saysMore: true };
    let changed = false;
    let saysMore = Object.keys(holder).some((field) => !silentFields.has(field));
    // Parts of other kinds stay.
    saysMore ||= Array.isArray(holder["content"]);
    const completion = { channel: "text", holder, field: "text" };
    for (const place of isCompletion ? [completion] : textsOf(holder)) {
      const said = toText(place.holder[place.field]);
      if (said === undefined || said === "") {
        // The first event says nothing but whose turn it is.
        saysMore = saysMore || said === "";
        continue;
      }
      const kept = check.push(`${index}/${place.channel}`, "open", said);
      if (kept !== said) changed = true;
      if (kept !== "") saysMore = true;
      place.holder[place.field] = kept;
    }
    for (const { id, said, called, field } of callsOf(holder, index, check)) {
      const kept = check.push(`${index}/${id}/${field}`, kindOf(field), said);
      if (kept !== said) changed = true;
      if (called !== undefined && said !== "") called[field] = kept;
    }
    return { changed, saysMore };
  }

  /** What was held back of the channels whose names begin so, each as a delta of its own. */
  #restOf(prefix: string, check: OutputCheck): OutputEvent[] {
    return check.openChannels(prefix).flatMap((channel): OutputEvent[] => {
      const rest = check.finish(channel);
      if (rest === "") return [];
      const [index = "0", ...path] = channel.split("/");
      const place = { index: Number(index), ...saying(path, rest), finish_reason: null };
      return [{ name: undefined, data: { ...this.#envelope, choices: [place] } }];
    });
  }
}

/** The part of a choice that says a text, by the path of its channel. */
function saying([what = "", id = "", field = ""]: readonly string[], text: string): EditableObject {
  if (what === "text") return { text };
  if (what === "thinking") {
    const thinking = [{ type: "text", text }];
    return { delta: { content: [{ type: "thinking", thinking }] } };
  }
  if (what !== "call") return { delta: { [what]: text } };
  if (id === "function") return { delta: { function_call: { arguments: text } } };
  const kind = field === "input" ? "custom" : "function";
  return { delta: { tool_calls: [{ index: Number(id), [kind]: { [field]: text } }] } };
}

const silentFields: ReadonlySet<string> = new Set([
  ...textFields,
  "text",
  "index",
  "finish_reason",
  "logprobs",
]);

/** Where a text stands, and which others it goes on. */
interface TextPlace {
  readonly channel: string;
  readonly holder: EditableObject;
  readonly field: string;
}

/** Texts for people in a message or delta. Some servers give content in parts, of which thoughts are parts again. */
function textsOf(message: EditableObject): TextPlace[] {
  const fields = textFields.map((field) => ({ channel: field, holder: message, field }));
  const parts = objectsOf(message["content"]).flatMap((part): TextPlace[] => [
    { channel: "content", holder: part, field: "text" },
    { channel: "thinking", holder: part, field: "thinking" },
    ...objectsOf(part["thinking"]).map((thought) => ({
      channel: "thinking",
      holder: thought,
      field: "text",
    })),
  ]);
  return [...fields, ...parts];
}

/** Tokens with their probabilities are the text once more. */
function dropLogprobs(choice: EditableObject): boolean {
  if (choice["logprobs"] === undefined || choice["logprobs"] === null) return false;
  choice["logprobs"] = null;
  return true;
}

/** A function is called with JSON, a custom tool with a text. */
function kindOf(field: Call["field"]): TextKind {
  return field === "arguments" ? "arguments" : "fixed";
}

interface Call {
  readonly id: string;
  readonly called: EditableObject | undefined;
  /** Where it says what it is called with. */
  readonly field: "arguments" | "input";
  readonly said: string;
}

/** The calls of tools of a message or delta, which are counted; with what they say. */
function callsOf(holder: EditableObject, index: number, check: OutputCheck): Call[] {
  const legacy = toObject(holder["function_call"]);
  const calls = objectsOf(holder["tool_calls"]).map((call, place) => ({
    id: `call/${indexOf(call, place)}`,
    called: toObject(call["function"]) ?? toObject(call["custom"]),
  }));
  if (legacy !== undefined) calls.push({ id: "call/function", called: legacy });
  return calls.map(({ id, called }) => {
    check.call(`${index}/${id}`, toText(called?.["name"]));
    const field = called !== undefined && "input" in called ? "input" : "arguments";
    return { id, called, field, said: toText(called?.[field]) ?? "" };
  });
}
