/** What the provider of the gateway benchmarks says: chat completions, made once and written as they are. */

/** How the provider answers, by the name of the model. */
export const benchModels = {
  /** A short answer; of a stream, each event by itself. */
  short: "bench-model",
  /** A long answer, as fast as it is taken. */
  long: "bench-long",
  /** Never ends: an event once in a while. */
  slow: "bench-slow",
  /** Never ends: one event, then nothing. */
  idle: "bench-idle",
} as const;

/** Events of a short stream, those that say nothing included. */
export const shortEventCount = 20;
/** Events of a long stream, and words of a long plain answer. */
export const longEventCount = 2_000;
const longWordCount = 40_000;

interface ReplyForm {
  readonly model: string;
  readonly stream: boolean;
  readonly pace: "single" | "eager" | "slow" | "idle";
  readonly hasUsage: boolean;
}

const modelMark = '"model":"';
const createdSeconds = 1_790_000_000;
const words = ["boundary", "evidence", "contract", "finding", "stream", "token", "proof", "case"];
const usage = {
  prompt_tokens: 80,
  completion_tokens: 18,
  total_tokens: 98,
  prompt_tokens_details: { cached_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 0 },
};

/** Reads from a request how it is to be answered. */
export function replyFormOf(request: Buffer): ReplyForm {
  const at = request.indexOf(modelMark) + modelMark.length;
  const model = request.toString("latin1", at, request.indexOf('"', at));
  return {
    model,
    stream: request.includes('"stream":true'),
    pace: paceOf(model),
    hasUsage: request.includes('"include_usage":true'),
  };
}

function paceOf(model: string): ReplyForm["pace"] {
  switch (model) {
    case benchModels.slow:
      return "slow";
    case benchModels.idle:
      return "idle";
    case benchModels.long:
      return "eager";
    default:
      return "single";
  }
}

/** A whole reply, head and body. */
export function plainReply(model: string): Buffer {
  return model === benchModels.long ? longPlain : shortPlain;
}

const shortPlain = toPlainReply(wordsOf(shortEventCount - 2).join(""));
const longPlain = toPlainReply(wordsOf(longWordCount).join(""));

/** The chunks of a stream, in the framing of HTTP, without its end. */
export function eventsOf({ model, hasUsage }: ReplyForm): readonly Buffer[] {
  const events = model === benchModels.long ? longEvents : shortEvents;
  return hasUsage ? events.withUsage : events.plain;
}

const shortEvents = toEvents(shortEventCount);
const longEvents = toEvents(longEventCount);
export const doneEvent = toChunk("data: [DONE]\n\n");
/** What a slow stream gets once in a while. */
export const beatEvent = toEventChunk({ delta: { content: " boundary" } });

function wordsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => ` ${words[index % words.length]}`);
}

function toPlainReply(content: string): Buffer {
  const body = JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion",
    created: createdSeconds,
    model: benchModels.short,
    choices: [
      {
        index: 0,
        message: { role: "assistant", content, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: "stop",
      },
    ],
    usage,
    service_tier: "default",
    system_fingerprint: "fp_bench",
  });
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function toEvents(count: number): Readonly<Record<"plain" | "withUsage", readonly Buffer[]>> {
  const plain = [
    toEventChunk({ delta: { role: "assistant", content: "", refusal: null } }),
    ...wordsOf(count - 2).map((content) => toEventChunk({ delta: { content } })),
    toEventChunk({ delta: {}, finish_reason: "stop" }),
  ];
  return {
    plain,
    withUsage: [...plain, toChunk(`data: ${chunkText({ choices: [], usage })}\n\n`)],
  };
}

function toEventChunk(choice: object): Buffer {
  const choices = [{ index: 0, logprobs: null, finish_reason: null, ...choice }];
  return toChunk(`data: ${chunkText({ choices })}\n\n`);
}

function chunkText(rest: object): string {
  return JSON.stringify({
    id: "chatcmpl-bench",
    object: "chat.completion.chunk",
    created: createdSeconds,
    model: benchModels.short,
    service_tier: "default",
    system_fingerprint: "fp_bench",
    ...rest,
  });
}

function toChunk(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
