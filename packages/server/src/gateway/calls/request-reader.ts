/** Reads what the gateway must know of a request, and computes the splices that it may make. */

import { isUtf8 } from "node:buffer";

import { PlatformError } from "@faultline/protocol";

import { gatewayLimits } from "../limits.ts";
import { JsonFault } from "../wire/json-fault.ts";
import { type JsonKind, JsonScanner, type JsonSink } from "../wire/json-scanner.ts";
import type { Splice } from "../wire/splice.ts";
import {
  countedIds,
  likeFieldId,
  type RequestForm,
  type RequestPlace,
  requestPlaces,
} from "./request-form.ts";

/** A value of a request: where it stands, in bytes of the body. */
export interface Place {
  readonly kind: JsonKind;
  readonly start: number;
  readonly end: number;
  /** Whether a container has a member, or a text a character. */
  readonly filled: boolean;
  /** Of a text or a number that is short enough. */
  readonly text: string | undefined;
}

/** The facts of a request, the same for every wire format. */
export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the caller asked for the usage frame; when not, the one that we asked for is stripped. */
  readonly asksForUsage: boolean;
  /** Parameters as sent. */
  readonly maxTokens: number | undefined;
  readonly temperature: number | undefined;
  readonly topP: number | undefined;
  readonly user: string | undefined;
  readonly messageCount: number;
  readonly toolCount: number;
  readonly imageCount: number;
  /** What images take of the body. */
  readonly imageBytes: number;
  readonly wantsJsonSchema: boolean;
  /** What stands where: only what the caller sent. */
  readonly places: Partial<Readonly<Record<RequestPlace, Place>>>;
  /** Replaces the model by the name that the provider knows. */
  modelSplice(upstreamName: string): Splice;
  /** Asks for usage, when the request is a stream that does not ask for it yet. */
  readonly usageSplice: Splice | undefined;
}

/**
 * Checks the whole grammar, and the few fields that the gateway reads; all others are the provider's to judge. A field
 * that the gateway reads may stand only once, also in letters of another case: parsers disagree about which of two counts.
 */
export class RequestReader implements JsonSink {
  readonly #form: RequestForm;
  readonly #scanner: JsonScanner;
  #found: Partial<Record<RequestPlace, Place>> = {};
  #twice: RequestPlace | undefined;
  /** Where the value of a field stands that some take for another. */
  #likeAt: number | undefined;
  #messageCount = 0;
  #toolCount = 0;
  #imageCount = 0;
  #imageBytes = 0;

  constructor(form: RequestForm, depthMax: number = gatewayLimits.jsonDepthMax) {
    this.#form = form;
    this.#scanner = new JsonScanner(form.watch, this, {
      depthMax,
      captureBytesMax: gatewayLimits.captureBytesMax,
    });
  }

  onValue(id: number, kind: JsonKind, scanner: JsonScanner): void {
    const place = requestPlaces[id];
    if (place === undefined) {
      if (id === countedIds.message) this.#messageCount += 1;
      else if (id === countedIds.tool) this.#toolCount += 1;
      else if (id === countedIds.image) {
        this.#imageCount += 1;
        this.#imageBytes += scanner.valueEnd - scanner.valueStart;
      } else if (id === likeFieldId) this.#likeAt ??= scanner.valueStart;
      return;
    }
    if (this.#found[place] !== undefined) this.#twice ??= place;
    this.#found[place] = {
      kind,
      start: scanner.valueStart,
      end: scanner.valueEnd,
      filled: scanner.valueFilled,
      text: kind === "string" || kind === "number" ? scanner.text() : undefined,
    };
  }

  /** Throws `request_malformed`, `nesting_too_deep` or `request_invalid`, with the place. */
  read(body: Buffer): RequestFacts {
    const twice = this.#scan(body);
    const { root } = this.#found;
    if (root?.kind !== "object") {
      throw new PlatformError("request_invalid", "The body must be a JSON object.", { where: "" });
    }
    if (twice !== undefined) {
      const where = this.#pointer(twice);
      throw new PlatformError("request_invalid", `The field "${where.slice(1)}" stands twice.`, {
        where,
        hint: "Send it once.",
      });
    }
    if (this.#likeAt !== undefined) {
      throw new PlatformError(
        "request_invalid",
        "A field differs in the case of letters alone from one that Faultline reads, and some providers take it for that.",
        { where: `byte ${this.#likeAt}`, hint: "Write names of fields in small letters." },
      );
    }
    return this.#toFacts(root);
  }

  /** Finds the places; gives the one that stands twice. */
  #scan(body: Buffer): RequestPlace | undefined {
    this.#found = {};
    this.#twice = undefined;
    this.#likeAt = undefined;
    this.#messageCount = 0;
    this.#toolCount = 0;
    this.#imageCount = 0;
    this.#imageBytes = 0;
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
      const where = { where: `byte ${error.offset}`, cause: error };
      if (error.kind !== "depth")
        throw new PlatformError("request_malformed", error.message, where);
      throw new PlatformError("nesting_too_deep", error.message, {
        ...where,
        hint: "The operator sets the bound with gateway.depthMax.",
      });
    }
  }

  #toFacts(root: Place): RequestFacts {
    const found = this.#found;
    const model = this.#readModel();
    const stream = this.#readStream();
    const asksForUsage = found.includeUsage?.kind === "true";
    const limits = [
      this.#readCount("maxCompletionTokens", "tokens"),
      this.#readCount("maxTokens", "tokens"),
    ];
    this.#readCount("choiceCount", "replies");
    this.#readCount("bestOf", "replies");
    return {
      model: model.text,
      stream,
      asksForUsage,
      maxTokens: limits[0] ?? limits[1],
      temperature: numberOf(found.temperature),
      topP: numberOf(found.topP),
      user: found.user?.kind === "string" ? found.user.text : undefined,
      messageCount: this.#messageCount,
      toolCount: this.#toolCount,
      imageCount: this.#imageCount,
      imageBytes: this.#imageBytes,
      wantsJsonSchema: found.format?.text === "json_schema",
      places: found,
      modelSplice: (upstreamName) => ({ ...model.span, text: JSON.stringify(upstreamName) }),
      usageSplice:
        this.#form.asksForUsage && stream && !asksForUsage ? this.#usageSplice(root) : undefined,
    };
  }

  #pointer(place: RequestPlace): string {
    return this.#form.pointers[place] ?? `/${place}`;
  }

  #readModel(): { text: string; span: { start: number; end: number } } {
    const { model } = this.#found;
    if (model === undefined || model.kind !== "string" || !model.filled) {
      throw new PlatformError(
        "request_invalid",
        'The request needs a "model", a text that is not empty.',
        { where: "/model", hint: "GET /v1/models lists the models." },
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

  #readStream(): boolean {
    if (!this.#form.canStream) return false;
    const kind = this.#found.stream?.kind;
    if (kind === undefined || kind === "false" || kind === "null") return false;
    if (kind === "true") return true;
    throw new PlatformError("request_invalid", '"stream" must be true or false.', {
      where: "/stream",
    });
  }

  /** What a call is admitted with must be what its provider reads: some take `"9000"` for a number. */
  #readCount(name: RequestPlace, counted: "tokens" | "replies"): number | undefined {
    const place = this.#found[name];
    if (place === undefined || place.kind === "null") return undefined;
    const count = numberOf(place);
    if (count !== undefined) return count;
    const where = this.#pointer(name);
    const message = `"${where.slice(1)}" must be a number of ${counted}.`;
    throw new PlatformError("request_invalid", message, { where });
  }

  /** A `stream_options` of a wrong type is left for the provider to refuse. */
  #usageSplice(root: Place): Splice | undefined {
    const { streamOptions: options, includeUsage: wanted } = this.#found;
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

function numberOf(place: Place | undefined): number | undefined {
  return place?.kind === "number" && place.text !== undefined ? Number(place.text) : undefined;
}
