/** Load on one target: so many requests at a time over kept connections, each reply read to its end and checked. */

import { createHash } from "node:crypto";

import { Pool } from "undici";

import type { Target } from "./gateway-target.ts";

export type ReplyKind = "json" | "sse";

export interface LoadResult {
  readonly requestCount: number;
  readonly elapsedMs: number;
  /** From sending to the first byte of the body, for each request, ascending. */
  readonly firstByteMs: readonly number[];
  /** Over what the model said in the last reply. */
  readonly contentHash: string;
}

/** Tokens of an answer: with the role, the finish reason and `[DONE]` a stream of 20 events of content and frame. */
const tokenCount = 18;
const prompt = "Name the boundary at which this system broke, and the evidence for it. ".repeat(4);

/** Runs `requestCount` requests, `concurrency` at a time. Throws when a reply is not whole. */
export async function applyLoad(
  target: Target,
  kind: ReplyKind,
  { requestCount, concurrency }: { requestCount: number; concurrency: number },
): Promise<LoadResult> {
  const pool = new Pool(`http://127.0.0.1:${target.port}`, { connections: concurrency });
  const body = JSON.stringify({
    model: target.model,
    messages: [{ role: "user", content: prompt }],
    max_completion_tokens: tokenCount,
    ...(kind === "sse" ? { stream: true } : {}),
  });
  const firstByteMs: number[] = [];
  let started = 0;
  let last = "";
  const startedMs = performance.now();
  const runOne = async (): Promise<void> => {
    while (started < requestCount) {
      started += 1;
      const reply = await send(pool, target, body);
      firstByteMs.push(reply.firstByteMs);
      last = reply.text;
      checkWhole(target, kind, last);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, runOne));
  const elapsedMs = performance.now() - startedMs;
  await pool.close();
  const contentHash = createHash("sha256").update(contentOf(kind, last)).digest("hex");
  return { requestCount, elapsedMs, firstByteMs: firstByteMs.sort((a, b) => a - b), contentHash };
}

async function send(
  pool: Pool,
  target: Target,
  body: string,
): Promise<{ text: string; firstByteMs: number }> {
  const done = Promise.withResolvers<{ text: string; firstByteMs: number }>();
  const parts: Buffer[] = [];
  const sentMs = performance.now();
  let firstByteMs = 0;
  pool.dispatch(
    {
      path: "/v1/chat/completions",
      method: "POST",
      headers: { ...target.headers, "content-type": "application/json" },
      body,
    },
    {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: (_, part) => {
        if (parts.length === 0) firstByteMs = performance.now() - sentMs;
        parts.push(part);
      },
      onResponseEnd: () => done.resolve({ text: Buffer.concat(parts).toString(), firstByteMs }),
      onResponseError: (_, error) => done.reject(error),
    },
  );
  return done.promise;
}

function checkWhole(target: Target, kind: ReplyKind, text: string): void {
  const whole = kind === "sse" ? text.trimEnd().endsWith("data: [DONE]") : text.startsWith('{"id"');
  if (!whole)
    throw new Error(`${target.name} gave a reply that is not whole: ${text.slice(0, 300)}`);
}

/** What the model said: equal for all targets, however they frame it. */
function contentOf(kind: ReplyKind, text: string): string {
  interface Choice {
    readonly delta?: { readonly content?: string };
    readonly message?: { readonly content?: string };
  }
  const choicesOf = (json: string): readonly Choice[] =>
    (JSON.parse(json) as { readonly choices: readonly Choice[] }).choices;
  if (kind === "json") return choicesOf(text)[0]?.message?.content ?? "";
  return text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: {"))
    .map((frame) => choicesOf(frame.slice("data: ".length))[0]?.delta?.content ?? "")
    .join("");
}
