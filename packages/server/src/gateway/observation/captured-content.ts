/** What of prompts and answers gets into spans: of a share of the calls, and without secrets and personal data. */

import { parseForeignJson } from "@faultline/contracts/json";

import { compilePolicy, type RuleSet } from "../policy/compiled-policy.ts";
import { TextFilter } from "../policy/text-filter.ts";

const sampleBits = 32;
const digitsOfSample = sampleBits / 4;

/**
 * Whether a trace is among this share of all. The end of its id decides, as in OpenTelemetry's own sampler, so that all
 * calls of one trace are captured or none is.
 */
export function isSampled(traceId: string, ratio: number): boolean {
  if (ratio >= 1) return true;
  return Number.parseInt(traceId.slice(-digitsOfSample), 16) < ratio * 2 ** sampleBits;
}

/** Takes secrets and personal data out of captured messages; what was cut and is no JSON any more is taken as text. */
export class ContentRedaction {
  /** Compiled when the first tenant captures content. */
  #rules: RuleSet | undefined;

  redact(captured: string): string {
    let messages: unknown;
    try {
      messages = parseForeignJson(captured);
    } catch {
      return this.#redactText(captured);
    }
    return JSON.stringify(this.#redactValue(messages));
  }

  #redactValue(value: unknown): unknown {
    if (typeof value === "string") return this.#redactText(value);
    if (Array.isArray(value)) return value.map((item) => this.#redactValue(item));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, this.#redactValue(field)]),
    );
  }

  #redactText(text: string): string {
    this.#rules ??= compilePolicy({
      input: [
        { id: "secrets", action: "redact", match: { kind: "secrets" } },
        { id: "personal-data", action: "redact", match: { kind: "personal-data" } },
      ],
    }).input;
    const filter = new TextFilter(this.#rules);
    return filter.push(text).text + filter.finish().text;
  }
}
