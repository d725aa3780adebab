/** Reads what the gateway must know of a chat completion request, and computes the splices that it may make. */

import { isUtf8 } from "node:buffer";

import { PlatformError } from "@faultline/protocol";

import { JsonFault, type JsonKind, JsonScanner, type JsonSink } from "../wire/json-scanner.ts";
import { watchJson } from "../wire/json-watch.ts";
import { gatewayLimits } from "../limits.ts";
import type { Splice } from "../wire/splice.ts";

interface Place {
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
  readonly filled: boolean;
  readonly text: string | undefined;
}

export interface ChatRequest {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the caller asked for the usage frame; when not, the one that we asked for is stripped. */
  readonly asksForUsage: boolean;
  /** Sampling parameters as sent, for the span. */
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  /** Where `messages` stands, for tenants whose content is captured. */
  readonly messages: { readonly start: number; readonly end: number } | undefined;
  /** Replaces the model by the name that the provider knows. */
  modelSplice(upstreamName: string): Splice;
  /** Asks for usage, when the request is a stream that does not ask for it yet. */
  readonly usageSplice: Splice | undefined;
}

const places = [
  "",
  "model",
  "stream",
  "stream_options",
  "stream_options/include_usage",
  "messages",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
] as const;
type PlaceName = (typeof places)[number];
const id = (name: PlaceName): number => places.indexOf(name);
const scalar = (name: PlaceName) => watchJson(id(name), { capture: true });

const requestWatch = watchJson(id(""), {
  fields: {
    model: scalar("model"),
    stream: watchJson(id("stream")),
    stream_options: watchJson(id("stream_options"), {
      fields: { include_usage: watchJson(id("stream_options/include_usage")) },
    }),
    messages: watchJson(id("messages")),
    max_tokens: scalar("max_tokens"),
    max_completion_tokens: scalar("max_completion_tokens"),
    temperature: scalar("temperature"),
    top_p: scalar("top_p"),
  },
});

/**
 * Checks the whole grammar, and the few fields that the gateway reads; all others are the provider's to judge. A field
 * that the gateway reads may stand only once: parsers disagree about which of two counts.
 */
export class ChatRequestReader implements JsonSink {
  readonly #scanner = new JsonScanner(requestWatch, this, {
    depthMax: gatewayLimits.jsonDepthMax,
    captureBytesMax: gatewayLimits.captureBytesMax,
  });
  readonly #found: (Place | undefined)[] = [];
  #twice: PlaceName | undefined;

  onValue(id: number, kind: JsonKind, scanner: JsonScanner): void {
    if (this.#found[id] !== undefined) this.#twice ??= places[id];
    this.#found[id] = {
      kind,
      start: scanner.valueStart,
      end: scanner.valueEnd,
      filled: scanner.valueFilled,
      text: kind === "string" || kind === "number" ? scanner.text() : undefined,
    };
  }

  /** Throws `request_malformed`, `request_too_large` or `request_invalid`, with the place. */
  read(body: Buffer): ChatRequest {
    const twice = this.#scan(body);
    const root = this.#found[id("")];
    if (root?.kind !== "object") {
      throw new PlatformError("request_invalid", "The body must be a JSON object.", { where: "" });
    }
    if (twice !== undefined) {
      throw new PlatformError("request_invalid", `The field "${twice}" stands twice.`, {
        where: `/${twice}`,
        hint: "Send it once.",
      });
    }
    return this.#toRequest(root);
  }

  /** Finds the places; gives the name of one that stands twice. */
  #scan(body: Buffer): PlaceName | undefined {
    this.#found.length = 0;
    this.#twice = undefined;
    if (!isUtf8(body)) {
      throw new PlatformError("request_malformed", "The body is not valid UTF-8.", {
        hint: "Send JSON in UTF-8.",
      });
    }
    try {
      this.#scanner.reset();
      this.#scanner.write(body, 0, body.length);
      this.#scanner.end();
      return this.#twice;
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error;
      const code = error.kind === "depth" ? "request_too_large" : "request_malformed";
      throw new PlatformError(code, error.message, { where: `byte ${error.offset}`, cause: error });
    }
  }

  #toRequest(root: Place): ChatRequest {
    const model = this.#readModel();
    const stream = this.#readBoolean("stream");
    const asksForUsage = this.#found[id("stream_options/include_usage")]?.kind === "true";
    const messages = this.#found[id("messages")];
    return {
      model: model.text,
      stream,
      asksForUsage,
      maxTokens: this.#number("max_completion_tokens") ?? this.#number("max_tokens"),
      temperature: this.#number("temperature"),
      topP: this.#number("top_p"),
      messages: messages === undefined ? undefined : { start: messages.start, end: messages.end },
      modelSplice: (upstreamName) => ({ ...model.span, text: JSON.stringify(upstreamName) }),
      usageSplice: stream && !asksForUsage ? this.#usageSplice(root) : undefined,
    };
  }

  #readModel(): { text: string; span: { start: number; end: number } } {
    const model = this.#found[id("model")];
    if (model === undefined || model.kind !== "string" || !model.filled) {
      throw new PlatformError(
        "request_invalid",
        'The request needs a "model", a text that is not empty.',
        {
          where: "/model",
          hint: "GET /v1/models lists the models.",
        },
      );
    }
    if (model.text === undefined || model.text.length > gatewayLimits.modelNameLengthMax) {
      throw new PlatformError(
        "request_invalid",
        `The model's name is longer than ${gatewayLimits.modelNameLengthMax} characters.`,
        { where: "/model" },
      );
    }
    return { text: model.text, span: { start: model.start, end: model.end } };
  }

  #readBoolean(name: PlaceName): boolean {
    const kind = this.#found[id(name)]?.kind;
    if (kind === undefined || kind === "false" || kind === "null") return false;
    if (kind === "true") return true;
    throw new PlatformError("request_invalid", `"${name}" must be true or false.`, {
      where: `/${name}`,
    });
  }

  #number(name: PlaceName): number | undefined {
    const place = this.#found[id(name)];
    return place?.kind === "number" && place.text !== undefined ? Number(place.text) : undefined;
  }

  /** A `stream_options` of a wrong type is left for the provider to refuse. */
  #usageSplice(root: Place): Splice | undefined {
    const options = this.#found[id("stream_options")];
    const wanted = this.#found[id("stream_options/include_usage")];
    if (options === undefined) {
      // The object has a model, so that a comma follows rightly.
      const at = root.start + 1;
      return { start: at, end: at, text: '"stream_options":{"include_usage":true},' };
    }
    if (wanted !== undefined) return { start: wanted.start, end: wanted.end, text: "true" };
    if (options.kind === "null") {
      return { start: options.start, end: options.end, text: '{"include_usage":true}' };
    }
    if (options.kind !== "object") return undefined;
    const at = options.start + 1;
    return { start: at, end: at, text: `"include_usage":true${options.filled ? "," : ""}` };
  }
}
