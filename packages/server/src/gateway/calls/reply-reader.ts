/** Reads the facts of a reply while it passes by: usage, finish reasons, error, first delta. Nothing is parsed whole. */

import { JsonFault } from "../wire/json-fault.ts";
import { EventPattern } from "../wire/event-pattern.ts";
import { type JsonKind, JsonScanner, type JsonSink } from "../wire/json-scanner.ts";
import { gatewayLimits } from "../limits.ts";
import type { CapturedText } from "./captured-text.ts";
import { replyIds, type ReplyForm } from "./reply-form.ts";

export interface ReplyUsage {
  /** All input, what came from a cache or went into one included. */
  inputTokens: number;
  cachedInputTokens: number;
  cacheWriteInputTokens: number;
  outputTokens: number;
  reasoningTokens: number;
}

/** What events may say again and again without saying anything new; of a type only some values matter. */
const sameInAllEvents: ReadonlySet<number> = new Set([
  replyIds.responseId,
  replyIds.model,
  replyIds.type,
]);

/** Where an event stands in the bytes being read, and where its data begins, which is one line. */
export interface EventPlace {
  readonly start: number;
  readonly dataStart: number;
  readonly end: number;
}

/** What may stand in an event beside a text without saying anything further. */
const besideText: ReadonlySet<number> = new Set([
  ...sameInAllEvents,
  replyIds.ignored,
  replyIds.root,
  replyIds.choices,
  replyIds.content,
  replyIds.saidText,
]);

/** Reads one plain reply, or the data of one event of a stream after another. */
export class ReplyReader implements JsonSink {
  readonly form: ReplyForm;
  usageSeen = false;
  responseId: string | undefined;
  responseModel: string | undefined;
  finishReasons: string[] = [];
  errorMessage: string | undefined;
  /** What the provider calls its error: a code, else a type. */
  errorCode: string | undefined;
  /** Documents that said something, and the bytes of what they said, as JSON writes it. */
  deltaCount = 0;
  saidBytes = 0;
  /** The number of the latest event, in dialects that number them. */
  sequence = -1;
  /** Of the current document only. */
  hasUsage = false;
  hasNoChoices = true;
  hasDelta = false;
  hasError = false;
  /** The document announces the end of the stream. */
  isEnd = false;
  isObject = false;

  readonly #captured: CapturedText | undefined;
  readonly #scanner: JsonScanner;
  /** Something of the current document was taken that the next one must say anew. */
  #mayFollow = false;
  #hasLearned = false;
  readonly #pattern = new EventPattern();
  #patternHasNoChoices = true;
  /** How many texts the current document said, where in it the last one stands, and whether it said anything else. */
  #textCount = 0;
  #textStart = 0;
  #textEnd = 0;
  #saysMore = false;
  #usage = emptyUsage();

  /** `captured` gets what the model says, when the tenant asked for it. */
  constructor(form: ReplyForm, captured?: CapturedText) {
    this.form = form;
    this.#captured = captured;
    const captures = captured !== undefined;
    this.#scanner = new JsonScanner(captures ? form.capturingWatch : form.watch, this, {
      depthMax: gatewayLimits.replyDepthMax,
      captureBytesMax: captures
        ? gatewayLimits.capturedContentBytesMax
        : gatewayLimits.captureBytesMax,
    });
  }

  /** Whether what is said is kept. */
  get captures(): boolean {
    return this.#captured !== undefined;
  }

  /** The usage so far; the provider may report it in parts. */
  get usage(): ReplyUsage {
    const usage = this.#usage;
    if (!this.form.inputExcludesCache) return usage;
    const { inputTokens, cachedInputTokens, cacheWriteInputTokens } = usage;
    return { ...usage, inputTokens: inputTokens + cachedInputTokens + cacheWriteInputTokens };
  }

  /** The id and the model of a reply are the same in all of its events. */
  mayResume(): boolean {
    return this.#mayFollow && !this.#hasLearned;
  }

  /** Forgets the whole reply. What was handed out of it stays as it is. */
  reset(): void {
    this.#scanner.forget();
    this.#pattern.clear();
    this.#usage = emptyUsage();
    this.usageSeen = false;
    this.responseId = undefined;
    this.responseModel = undefined;
    this.finishReasons = [];
    this.errorMessage = undefined;
    this.errorCode = undefined;
    this.deltaCount = 0;
    this.saidBytes = 0;
    this.sequence = -1;
  }

  /** Starts the next document; what was learned of the whole reply stays. `mayFollow` says that it may not be the last. */
  startDocument(mayFollow: boolean): void {
    this.#mayFollow = mayFollow;
    this.#hasLearned = false;
    this.#textCount = 0;
    this.#saysMore = false;
    this.hasUsage = false;
    this.hasNoChoices = true;
    this.hasDelta = false;
    this.hasError = false;
    this.isEnd = false;
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
    if (this.hasDelta) this.deltaCount += 1;
    return this.isObject;
  }

  /**
   * Takes an event that says as much as the one before, and another text; gives where it ends. -1 when the bytes from `start`
   * on are none.
   */
  readLike(bytes: Uint8Array, start: number): number {
    const end = this.#pattern.findEnd(bytes, start);
    if (end < 0) return end;
    this.hasUsage = false;
    this.hasNoChoices = this.#patternHasNoChoices;
    this.hasDelta = true;
    this.hasError = false;
    this.isEnd = false;
    this.isObject = true;
    this.deltaCount += 1;
    this.saidBytes += this.#pattern.textLength;
    return end;
  }

  /** The event that was read last stands here: when it says one text and nothing else, the next ones may be like it. */
  learn(bytes: Uint8Array, { start, dataStart, end }: EventPlace): void {
    if (this.#textCount !== 1 || this.#saysMore || this.captures) return;
    const [textStart, textEnd] = [dataStart + this.#textStart, dataStart + this.#textEnd];
    this.#pattern.set(bytes, { start, textStart, textEnd, end });
    this.#patternHasNoChoices = this.hasNoChoices;
  }

  onValue(id: number, kind: JsonKind, scanner: JsonScanner): void {
    if (kind !== "null" && !sameInAllEvents.has(id)) this.#hasLearned = true;
    if (kind !== "null" && !besideText.has(id)) this.#saysMore = true;
    switch (id) {
      case replyIds.content:
        if (kind === "string") this.#captured?.add(scanner.text() ?? "…");
        if (kind === "string") this.#noteText(scanner);
        return;
      case replyIds.saidText:
        if (kind === "string") this.#noteText(scanner);
        return;
      case replyIds.saidParts:
        if (kind === "array" || kind === "object") this.#noteSaid(scanner);
        return;
      case replyIds.root:
        this.isObject = kind === "object";
        return;
      case replyIds.choices:
        this.hasNoChoices = kind === "null" || !scanner.valueFilled;
        return;
      case replyIds.usage:
        this.hasUsage = kind === "object";
        if (this.hasUsage) this.usageSeen = true;
        return;
      case replyIds.error:
        if (kind !== "null") this.hasError = true;
        if (kind === "string") this.errorMessage = scanner.text();
        return;
      default:
        if (kind === "number") this.#onNumber(id, scanner.number());
        else if (kind === "string") this.#onText(id, scanner.text());
    }
  }

  #noteText(scanner: JsonScanner): void {
    if (!scanner.valueFilled) return;
    this.#textCount += 1;
    this.#textStart = scanner.valueStart + 1;
    this.#textEnd = scanner.valueEnd - 1;
    this.#noteSaid(scanner);
  }

  #noteSaid(scanner: JsonScanner): void {
    if (!scanner.valueFilled) return;
    this.hasDelta = true;
    // Without the quotes or brackets around it.
    this.saidBytes += scanner.valueEnd - scanner.valueStart - 2;
  }

  #onText(id: number, text: string | undefined): void {
    if (text === undefined) return;
    switch (id) {
      case replyIds.type:
        if (this.form.endTypes.has(text)) this.isEnd = true;
        if (this.form.errorTypes.has(text)) this.hasError = true;
        if (this.isEnd || this.hasError) this.#hasLearned = true;
        if (this.isEnd || this.hasError) this.#saysMore = true;
        return;
      case replyIds.finishReason:
        // Some servers say "" while the model goes on.
        if (text !== "" && this.finishReasons.length < gatewayLimits.finishReasonCountMax) {
          this.finishReasons.push(text);
        }
        return;
      case replyIds.status:
        // The state of a whole response; the last one counts.
        if (text !== "in_progress" && text !== "queued") this.finishReasons[0] = text;
        return;
      case replyIds.responseId:
        this.responseId ??= text;
        return;
      case replyIds.model:
        this.responseModel ??= text;
        return;
      case replyIds.errorMessage:
        this.errorMessage = text;
        return;
      case replyIds.errorCode:
        this.errorCode = text;
        return;
      case replyIds.errorType:
        this.errorCode ??= text;
        return;
    }
  }

  #onNumber(id: number, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) return;
    const usage = this.#usage;
    // Some providers report their input at the start of a stream, and 0 at its end.
    if (id === replyIds.inputTokens) usage.inputTokens = value || usage.inputTokens;
    else if (id === replyIds.outputTokens) usage.outputTokens = value;
    else if (id === replyIds.cachedTokens)
      usage.cachedInputTokens = value || usage.cachedInputTokens;
    else if (id === replyIds.cacheWriteTokens) {
      usage.cacheWriteInputTokens = value || usage.cacheWriteInputTokens;
    } else if (id === replyIds.reasoningTokens) usage.reasoningTokens = value;
    else if (id === replyIds.sequence) this.sequence = value;
    // Some providers put a status where others have a name.
    else if (id === replyIds.errorCode) this.errorCode ??= String(value);
  }
}

function emptyUsage(): ReplyUsage {
  return {
    inputTokens: 0,
    cachedInputTokens: 0,
    cacheWriteInputTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
  };
}
