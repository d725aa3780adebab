/** The wire format of the simulated provider: embeddings. The same text has the same vector; nearness means nothing. */

import { createHash } from "node:crypto";

import { seededRandom } from "#kernel/index.ts";

import { countTokens } from "./answer.ts";
import { openaiError, openaiErrorEvent } from "./chat-wire.ts";
import { invalid, parseBody, readCommon } from "./request.ts";
import type { SimulatedSurface } from "./simulated-surface.ts";

const dimensionCountDefault = 256;
const dimensionCountMax = 4_096;
const inputCountMax = 2_048;
const fineness = 2 ** 24;

interface EmbeddingsRequest {
  readonly model: string;
  readonly inputs: readonly string[];
  readonly dimensionCount: number;
  readonly isBase64: boolean;
}

export const embeddingsSurface: SimulatedSurface = {
  reply: (body) => {
    const request = readEmbeddingsRequest(body);
    return {
      stream: false,
      tokenCount: 0,
      whole: () => formatEmbeddings(request),
      events: () => [],
      terminator: () => "",
    };
  },
  errorBody: openaiError,
  errorEvent: openaiErrorEvent,
};

function readEmbeddingsRequest(body: Buffer): EmbeddingsRequest {
  const value = parseBody(body);
  const { input, dimensions = dimensionCountDefault } = value;
  if (!isDimensionCount(dimensions)) {
    throw invalid(
      `"dimensions" must be a whole number from 1 to ${dimensionCountMax}.`,
      "/dimensions",
    );
  }
  return {
    model: readCommon(value).model,
    inputs: readInputs(input),
    dimensionCount: dimensions,
    isBase64: value["encoding_format"] === "base64",
  };
}

function isDimensionCount(value: unknown): value is number {
  return (
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= dimensionCountMax
  );
}

/** Texts, or texts in tokens; a list of numbers is one of these. */
function readInputs(input: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  const items = list.length > 0 && list.every((item) => typeof item === "number") ? [list] : list;
  const texts = items.flatMap((item) =>
    typeof item === "string" ? [item] : Array.isArray(item) ? [JSON.stringify(item)] : [],
  );
  if (texts.length === 0 || texts.length !== items.length || texts.length > inputCountMax) {
    throw invalid(`"input" must be a text or a list of 1 to ${inputCountMax} texts.`, "/input");
  }
  return texts;
}

function formatEmbeddings({ inputs, model, dimensionCount, isBase64 }: EmbeddingsRequest): string {
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  return JSON.stringify({
    object: "list",
    data: inputs.map((input, index) => {
      const vector = vectorOf(input, dimensionCount);
      const embedding = isBase64 ? toBase64(vector) : [...vector];
      return { object: "embedding", index, embedding };
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** A vector of length 1, drawn from the text. */
function vectorOf(text: string, dimensionCount: number): Float32Array {
  const random = seededRandom(createHash("sha256").update(text).digest("hex"));
  const drawn = Float32Array.from(
    { length: dimensionCount },
    () => random.integer(fineness) / fineness - 1 / 2,
  );
  const length = Math.hypot(...drawn);
  return drawn.map((value) => value / length);
}

function toBase64(vector: Float32Array): string {
  return Buffer.from(vector.buffer).toString("base64");
}
