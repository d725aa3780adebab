/** Regular expressions with the syntax and the linear time of RE2. */

import { RE2JS, RE2JSException } from "re2js";

/** Patterns that are remembered; when the memory is full it starts anew. */
const patternCountMax = 200;
/** Length of a pattern, in UTF-16 units. */
export const patternLengthMax = 1_000;

/** The compiled patterns of one expression. */
export class Patterns {
  readonly #compiled = new Map<string, RE2JS | string>();

  /** The pattern, or in words why it is none. */
  compile(pattern: string): RE2JS | string {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    if (this.#compiled.size >= patternCountMax) this.#compiled.clear();
    const made = compilePattern(pattern);
    this.#compiled.set(pattern, made);
    return made;
  }
}

function compilePattern(pattern: string): RE2JS | string {
  if (pattern.length > patternLengthMax) {
    return `a pattern has at most ${patternLengthMax} characters`;
  }
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message;
  }
}
