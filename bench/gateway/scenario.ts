/** What the gateway benchmarks ask for: requests, how their replies must end, and what they say. */

import { benchModels } from "./replies.ts";

export interface Scenario {
  /** As figures are named after it. */
  readonly name: string;
  readonly path: string;
  readonly body: string;
  /** Whether a reply is one with its end. */
  readonly isWhole: (reply: Buffer) => boolean;
  /** What the model says in a reply: equal for all targets, however they frame it. */
  readonly contentOf: (reply: Buffer) => string;
  /** Not the same wire format at the provider: another proxy can only be asked for `body` of this one. */
  readonly floor?: Scenario;
}

const question = "Name the boundary at which this system broke, and the evidence for it. ";
const shortPrompt = question.repeat(4);
/** Messages of about a megabyte, as of a long conversation. */
const longTurnCount = 256;
const longTurn = question.repeat(57);

interface Choice {
  readonly delta?: { readonly content?: string | null };
  readonly message?: { readonly content?: string };
}

/** A plain chat completion. */
export const plainScenario: Scenario = {
  name: "JSON",
  ...chat({ model: benchModels.short, messages: [userMessage(shortPrompt)] }),
};

/** A streamed one, of so many events. */
export const streamScenario: Scenario = {
  name: "SSE of 20 events",
  ...chat({ model: benchModels.short, stream: true, messages: [userMessage(shortPrompt)] }),
};

/** A stream that gets an event once in a while and does not end. */
export const slowScenario: Scenario = heldScenario("slow streams", benchModels.slow);

/** A stream that gets one event and does not end. */
export const idleScenario: Scenario = heldScenario("idle streams", benchModels.idle);

/** A megabyte in, and a long answer out, plain. */
export const longPlainScenario: Scenario = {
  name: "JSON, 1 MB in and 400 kB out",
  ...chat({ model: benchModels.long, messages: longMessages() }),
};

/** A megabyte in, and a long stream out. */
export const longStreamScenario: Scenario = {
  name: "SSE, 1 MB in and 2,000 events out",
  ...chat({ model: benchModels.long, stream: true, messages: longMessages() }),
};

/** A short question, and a long stream out. */
export const longStreamReplyScenario: Scenario = {
  name: "SSE of 2,000 events",
  ...chat({ model: benchModels.long, stream: true, messages: [userMessage(shortPrompt)] }),
};

/** Asked in Anthropic's words, answered by a provider of OpenAI's. */
export const translatedScenario: Scenario = {
  name: "SSE of 20 events, translated",
  path: "/v1/messages",
  body: JSON.stringify({
    model: benchModels.short,
    max_tokens: 1_024,
    stream: true,
    messages: [userMessage(shortPrompt)],
  }),
  isWhole: (reply) => reply.includes("event: message_stop"),
  contentOf: (reply) =>
    eventTexts(reply)
      .map((text) => (JSON.parse(text) as { delta?: { text?: string } }).delta?.text ?? "")
      .join(""),
  floor: streamScenario,
};

function chat(body: object): Pick<Scenario, "path" | "body" | "isWhole" | "contentOf"> {
  const stream = "stream" in body;
  return {
    path: "/v1/chat/completions",
    body: JSON.stringify({ max_completion_tokens: 100_000, ...body }),
    isWhole: (reply) =>
      stream ? reply.subarray(-64).includes("data: [DONE]") : reply.subarray(-16).includes("}"),
    contentOf: (reply) =>
      stream
        ? eventTexts(reply)
            .filter((text) => text !== "[DONE]")
            .map((text) => choicesOf(text)[0]?.delta?.content ?? "")
            .join("")
        : (choicesOf(bodyOf(reply))[0]?.message?.content ?? ""),
  };
}

function heldScenario(name: string, model: string): Scenario {
  return { name, ...chat({ model, stream: true, messages: [userMessage(shortPrompt)] }) };
}

function userMessage(content: string): object {
  return { role: "user", content };
}

function longMessages(): object[] {
  return Array.from({ length: longTurnCount }, (_, index) =>
    index % 2 === 0 ? userMessage(longTurn) : { role: "assistant", content: longTurn },
  );
}

function choicesOf(json: string): readonly Choice[] {
  return (JSON.parse(json) as { readonly choices: readonly Choice[] }).choices;
}

/** What stands behind `data:`, whatever the framing of HTTP between the events. */
function eventTexts(reply: Buffer): string[] {
  return bodyOf(reply)
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length).trimEnd());
}

/** The body, with the framing of its chunks taken off. */
function bodyOf(reply: Buffer): string {
  const endAt = reply.indexOf("\r\n\r\n");
  const head = reply.toString("latin1", 0, endAt).toLowerCase();
  let rest = reply.subarray(endAt + 4);
  if (!head.includes("transfer-encoding: chunked")) return rest.toString();
  const parts: Buffer[] = [];
  for (;;) {
    const lineEnd = rest.indexOf("\r\n");
    const length = Number.parseInt(rest.toString("latin1", 0, lineEnd), 16);
    if (lineEnd < 0 || !(length > 0)) return Buffer.concat(parts).toString();
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + length));
    rest = rest.subarray(lineEnd + 2 + length + 2);
  }
}
