/** Reads the facts of a reply while it passes by: usage, finish reasons, error, first delta. Nothing is parsed whole. */

import type { CapturedText } from "./captured-text.ts";
import { JsonFault, type JsonKind, JsonScanner, type JsonSink } from "../wire/json-scanner.ts";
import { type JsonWatch, watchJson } from "../wire/json-watch.ts";
import { gatewayLimits } from "../limits.ts";

export interface ReplyUsage {
  inputTokens: number;
  cachedInputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

const ignoredId = 0;
const responseId = 1;
const modelId = 2;
const usageId = 3;
const promptTokensId = 4;
const completionTokensId = 5;
const cachedTokensId = 6;
const reasoningTokensId = 7;
const choicesId = 8;
const finishReasonId = 9;
const deltaTextId = 10;
const deltaToolsId = 11;
const errorId = 12;
const errorMessageId = 13;
const rootId = 14;

const text = (id: number) => watchJson(id, { capture: true });
const contentId = 15;
const deltaText = watchJson(deltaTextId);
const deltaTools = watchJson(deltaToolsId);

/** What a model says, in a delta of a stream or in a whole message. */
const saidWatch = (captures: boolean) =>
  watchJson(ignoredId, {
    fields: {
      content: watchJson(contentId, { capture: captures }),
      refusal: deltaText,
      reasoning_content: deltaText,
      reasoning: deltaText,
      tool_calls: deltaTools,
      function_call: deltaTools,
    },
  });

const replyWatch = (said: JsonWatch) =>
  watchJson(rootId, {
    fields: {
      id: text(responseId),
      model: text(modelId),
      usage: watchJson(usageId, {
        fields: {
          prompt_tokens: text(promptTokensId),
          completion_tokens: text(completionTokensId),
          prompt_tokens_details: watchJson(ignoredId, {
            fields: { cached_tokens: text(cachedTokensId) },
          }),
          completion_tokens_details: watchJson(ignoredId, {
            fields: { reasoning_tokens: text(reasoningTokensId) },
          }),
        },
      }),
      choices: watchJson(choicesId, {
        items: watchJson(ignoredId, {
          fields: { finish_reason: text(finishReasonId), delta: said, message: said },
        }),
      }),
      error: watchJson(errorId, { fields: { message: text(errorMessageId) } }),
    },
  });

const plainWatch = replyWatch(saidWatch(false));
const capturingWatch = replyWatch(saidWatch(true));

/** Reads one plain reply, or the data of one event of a stream after another. */
export class ReplyReader implements JsonSink {
  usage: ReplyUsage = emptyUsage();
  usageSeen = false;
  responseId: string | undefined;
  responseModel: string | undefined;
  finishReasons: string[] = [];
  errorMessage: string | undefined;
  /** Of the current document only. */
  hasUsage = false;
  hasNoChoices = false;
  hasDelta = false;
  hasError = false;
  isObject = false;

  readonly #captured: CapturedText | undefined;
  readonly #scanner: JsonScanner;

  /** `captured` gets what the model says, when the tenant asked for it. */
  constructor(captured?: CapturedText) {
    this.#captured = captured;
    const captures = captured !== undefined;
    this.#scanner = new JsonScanner(captures ? capturingWatch : plainWatch, this, {
      depthMax: gatewayLimits.replyDepthMax,
      captureBytesMax: captures
        ? gatewayLimits.capturedContentBytesMax
        : gatewayLimits.captureBytesMax,
    });
  }

  /** Forgets the whole reply. What was handed out of it stays as it is. */
  reset(): void {
    this.usage = emptyUsage();
    this.usageSeen = false;
    this.responseId = undefined;
    this.responseModel = undefined;
    this.finishReasons = [];
    this.errorMessage = undefined;
  }

  /** Starts the next document; what was learned of the whole reply stays. */
  startDocument(): void {
    this.hasUsage = false;
    this.hasNoChoices = false;
    this.hasDelta = false;
    this.hasError = false;
    this.isObject = false;
    this.#scanner.reset();
  }

  /** Throws `JsonFault`. */
  write(bytes: Uint8Array, start: number, end: number): void {
    this.#scanner.write(bytes, start, end);
  }

  /** Whether the document is whole and a JSON object. */
  endDocument(): boolean {
    try {
      this.#scanner.end();
    } catch (error) {
      if (error instanceof JsonFault) return false;
      throw error;
    }
    return this.isObject;
  }

  onValue(id: number, kind: JsonKind, scanner: JsonScanner): void {
    switch (id) {
      case contentId:
        if (kind === "string") this.#captured?.add(scanner.text() ?? "…");
        if (kind === "string" && scanner.valueFilled) this.hasDelta = true;
        return;
      case deltaTextId:
        if (kind === "string" && scanner.valueFilled) this.hasDelta = true;
        return;
      case deltaToolsId:
        if ((kind === "array" || kind === "object") && scanner.valueFilled) this.hasDelta = true;
        return;
      case rootId:
        this.isObject = kind === "object";
        return;
      case choicesId:
        this.hasNoChoices = kind === "array" && !scanner.valueFilled;
        return;
      case usageId:
        this.hasUsage = kind === "object";
        if (this.hasUsage) this.usageSeen = true;
        return;
      case errorId:
        this.hasError = kind !== "null";
        return;
      default:
        this.#onScalar(id, kind, scanner);
    }
  }

  #onScalar(id: number, kind: JsonKind, scanner: JsonScanner): void {
    if (kind === "number") this.#onNumber(id, Number(scanner.text() ?? "0"));
    if (kind !== "string") return;
    if (id === finishReasonId) {
      const reason = scanner.text();
      if (reason !== undefined && this.finishReasons.length < gatewayLimits.finishReasonCountMax) {
        this.finishReasons.push(reason);
      }
    } else if (id === responseId) {
      this.responseId ??= scanner.text();
    } else if (id === modelId) {
      this.responseModel ??= scanner.text();
    } else if (id === errorMessageId) {
      this.errorMessage = scanner.text();
    }
  }

  #onNumber(id: number, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) return;
    if (id === promptTokensId) this.usage.inputTokens = value;
    else if (id === completionTokensId) this.usage.outputTokens = value;
    else if (id === cachedTokensId) this.usage.cachedInputTokens = value;
    else if (id === reasoningTokensId) this.usage.reasoningTokens = value;
  }
}

function emptyUsage(): ReplyUsage {
  return { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
}
