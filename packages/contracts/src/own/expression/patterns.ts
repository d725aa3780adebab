/** Regular expressions with the syntax and the linear time of RE2. */

import { RE2JS, RE2JSException } from "re2js";

import type { Steps } from "./steps.ts";

/** Patterns that are remembered; when the memory is full it starts anew. */
const patternCountMax = 50;
/** Length of a pattern, in UTF-16 units. */
export const patternLengthMax = 1_000;
/** Instructions of a compiled pattern. Its counted repetitions write a part of it out again and again. */
const programSizeMax = 10_000;
/** Instructions that a pattern may have before it is compiled, as an upper bound from its text. */
const programSizeGuessMax = 100_000;
/** The most that one part is repeated, nested or not, which the syntax of RE2 sets. */
const repeatCountMax = 1_000;
/** Steps that compiling takes for each instruction. */
const stepsPerInstruction = 64;

/** The compiled patterns of one operation. */
export class Patterns {
  readonly #compiled = new Map<string, RE2JS | string>();

  /** The pattern, or in words why it is none. Compiling takes `steps` where they are given. */
  compile(pattern: string, steps?: Steps): RE2JS | string {
    const known = this.#compiled.get(pattern);
    if (known !== undefined) return known;
    if (this.#compiled.size >= patternCountMax) this.#compiled.clear();
    const made = compilePattern(pattern);
    this.#compiled.set(pattern, made);
    steps?.takeSteps(typeof made === "string" ? 0 : made.programSize() * stepsPerInstruction);
    return made;
  }
}

/** A pattern within the limits, or in words why it is none. */
export function compilePattern(pattern: string): RE2JS | string {
  if (pattern.length > patternLengthMax) {
    return `a pattern has at most ${patternLengthMax} characters`;
  }
  const tooLarge = `a pattern has at most ${programSizeMax} instructions; its counted repetitions make more of it`;
  if (pattern.length * repeatCountOf(pattern) > programSizeGuessMax) return tooLarge;
  try {
    const compiled = RE2JS.compile(pattern);
    return compiled.programSize() > programSizeMax ? tooLarge : compiled;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return error.message;
  }
}

/** How often a part of a pattern can be written out at most: as often as all its counts say together. */
function repeatCountOf(pattern: string): number {
  let product = 1;
  for (const [, least = "", most = ""] of pattern.matchAll(/\{(\d{1,9})(?:,(\d{0,9}))?\}/g)) {
    product = Math.min(repeatCountMax, product * Math.max(1, Number(least), Number(most)));
  }
  return product;
}
