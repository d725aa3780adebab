/** Patterns of one check, compiled once, their work counted. */

import { UnsupportedPattern } from "../pattern/parse-pattern.ts";
import { Pattern, type Spend } from "../pattern/pattern.ts";

export class PatternCache {
  readonly #compiled = new Map<string, Pattern | string>();
  readonly #spend: Spend;

  constructor(spend: Spend) {
    this.#spend = spend;
  }

  /** Whether a text matches; a sentence when the pattern cannot be matched in linear time. */
  matches(source: string, text: string): boolean | string {
    const known = this.#compiled.get(source) ?? compile(source);
    this.#compiled.set(source, known);
    return typeof known === "string" ? known : known.matches(text, this.#spend);
  }
}

function compile(source: string): Pattern | string {
  try {
    return Pattern.compile(source);
  } catch (error) {
    if (!(error instanceof UnsupportedPattern)) throw error;
    return `the pattern ${source.slice(0, 80)} is not matched: ${error.message}`;
  }
}
