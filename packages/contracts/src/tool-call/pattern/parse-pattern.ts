/** Parses regular expressions of ECMA-262 (with the u flag) as far as a linear-time engine can run them. */

import {
  type CharacterSet,
  digits,
  escapeSet,
  lineEnds,
  propertySet,
  rangesSet,
  singleSet,
  spaces,
  unionSet,
  words,
} from "./character-set.ts";

export type PatternNode =
  | { readonly kind: "empty" }
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "start" | "end" | "word-boundary" | "no-word-boundary" }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  | {
      readonly kind: "repeat";
      readonly part: PatternNode;
      readonly min: number;
      readonly max: number;
    };

/** A pattern that this engine does not run: it is malformed, or needs what linear time cannot give. */
export class UnsupportedPattern extends Error {
  override readonly name = "UnsupportedPattern";
}

/** Limits of one pattern. */
export const patternLimits = {
  lengthMax: 4_096,
  depthMax: 100,
  /** Instructions after bounded repetitions are unfolded. */
  programLengthMax: 10_000,
} as const;

/** Parses a pattern. Throws `UnsupportedPattern`. */
export function parsePattern(pattern: string): PatternNode {
  if (pattern.length > patternLimits.lengthMax)
    throw new UnsupportedPattern("the pattern is too long");
  const parser = new PatternParser(pattern);
  const node = parser.choice(0);
  if (!parser.isAtEnd()) throw new UnsupportedPattern("the pattern has a ) too many");
  return node;
}

class PatternParser {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  isAtEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  choice(depth: number): PatternNode {
    if (depth > patternLimits.depthMax)
      throw new UnsupportedPattern("the pattern is nested too deeply");
    const options = [this.#sequence(depth)];
    while (this.#take("|")) options.push(this.#sequence(depth));
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: "choice", options };
  }

  #sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    for (
      let next = this.#peek();
      next !== undefined && next !== "|" && next !== ")";
      next = this.#peek()
    ) {
      parts.push(this.#repeat(this.#atom(depth)));
    }
    const [only] = parts;
    if (only === undefined) return { kind: "empty" };
    return parts.length === 1 ? only : { kind: "sequence", parts };
  }

  #repeat(part: PatternNode): PatternNode {
    const bounds = this.#quantifier();
    if (bounds === undefined) return part;
    // Whether a repetition is greedy does not decide whether there is a match.
    this.#take("?");
    if (this.#quantifier() !== undefined)
      throw new UnsupportedPattern("a quantifier follows a quantifier");
    return { kind: "repeat", part, ...bounds };
  }

  #quantifier(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    const braces = /^\{(\d{1,6})(?:(,)(\d{1,6})?)?\}/.exec(this.#rest(24));
    if (braces === null) return undefined;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    let max = min;
    if (braces[2] !== undefined)
      max = braces[3] === undefined ? Number.POSITIVE_INFINITY : Number(braces[3]);
    if (max < min) throw new UnsupportedPattern("a repetition has its bounds in the wrong order");
    return { min, max };
  }

  #atom(depth: number): PatternNode {
    const character = this.#next();
    switch (character) {
      case "^":
        return { kind: "start" };
      case "$":
        return { kind: "end" };
      case ".":
        return { kind: "set", set: lineEnds.complement() };
      case "(":
        return this.#group(depth);
      case "[":
        return { kind: "set", set: this.#class() };
      case "\\":
        return this.#escape();
      case "*":
      case "+":
      case "?":
        throw new UnsupportedPattern("there is nothing to repeat");
      default:
        return { kind: "set", set: singleSet(codeOf(character)) };
    }
  }

  #group(depth: number): PatternNode {
    if (this.#take("?")) {
      const opening = /^(?::|<[A-Za-z_$][\w$]*>)/.exec(this.#rest(256));
      if (opening === null) throw new UnsupportedPattern("look-around needs more than linear time");
      this.#at += Array.from(opening[0]).length;
    }
    const inner = this.choice(depth + 1);
    if (!this.#take(")")) throw new UnsupportedPattern("a group is not closed");
    return inner;
  }

  #escape(): PatternNode {
    const character = this.#peek();
    if (character === "b" || character === "B") {
      this.#at += 1;
      return { kind: character === "b" ? "word-boundary" : "no-word-boundary" };
    }
    if (character !== undefined && /[1-9k]/.test(character)) {
      throw new UnsupportedPattern("a back-reference needs more than linear time");
    }
    return { kind: "set", set: this.#escapedSet() };
  }

  /** What stands behind a backslash, as a set of characters. */
  #escapedSet(): CharacterSet {
    const character = this.#next();
    switch (character) {
      case "d":
        return digits;
      case "D":
        return digits.complement();
      case "w":
        return words;
      case "W":
        return words.complement();
      case "s":
        return spaces;
      case "S":
        return spaces.complement();
      case "p":
      case "P":
        return this.#property(character === "P");
      default:
        return singleSet(this.#escapedCode(character));
    }
  }

  #property(isNegated: boolean): CharacterSet {
    const name = /^\{([A-Za-z0-9_=]{1,64})\}/.exec(this.#rest(80));
    if (name === null) throw new UnsupportedPattern("a property escape has no name");
    this.#at += name[0].length;
    const set = propertySet(name[1] ?? "");
    if (set === undefined) throw new UnsupportedPattern("a property escape has an unknown name");
    return isNegated ? set.complement() : set;
  }

  #escapedCode(character: string): number {
    const control = escapeSet[character];
    if (control !== undefined) return control;
    if (character === "c") {
      const letter = this.#next();
      if (!/[A-Za-z]/.test(letter)) throw new UnsupportedPattern("a control escape has no letter");
      return codeOf(letter) % 32;
    }
    if (character === "x") return this.#hexadecimal(/^[0-9a-fA-F]{2}/);
    if (character === "u") return this.#unicode();
    if (/[0-9A-Za-z]/.test(character))
      throw new UnsupportedPattern(`the escape \\${character} is not known`);
    return codeOf(character);
  }

  #unicode(): number {
    const braced = /^\{([0-9a-fA-F]{1,6})\}/.exec(this.#rest(8));
    if (braced !== null) {
      this.#at += braced[0].length;
      const code = Number.parseInt(braced[1] ?? "", 16);
      if (code > 0x10ffff) throw new UnsupportedPattern("a unicode escape is out of range");
      return code;
    }
    const high = this.#hexadecimal(/^[0-9a-fA-F]{4}/);
    const low = /^\\u([dD][c-fC-F][0-9a-fA-F]{2})/.exec(this.#rest(6));
    if (high < 0xd800 || high > 0xdbff || low === null) return high;
    this.#at += low[0].length;
    return 0x10000 + (high - 0xd800) * 0x400 + (Number.parseInt(low[1] ?? "", 16) - 0xdc00);
  }

  #hexadecimal(form: RegExp): number {
    const found = form.exec(this.#rest(4));
    if (found === null) throw new UnsupportedPattern("a hexadecimal escape is incomplete");
    this.#at += found[0].length;
    return Number.parseInt(found[0], 16);
  }

  #class(): CharacterSet {
    const isNegated = this.#take("^");
    const parts: CharacterSet[] = [];
    while (!this.#take("]")) {
      const low = this.#classAtom();
      const isRange =
        this.#peek() === "-" &&
        this.#characters[this.#at + 1] !== "]" &&
        this.#characters[this.#at + 1] !== undefined;
      if (!isRange) {
        parts.push(typeof low === "number" ? singleSet(low) : low);
        continue;
      }
      this.#at += 1;
      const high = this.#classAtom();
      if (typeof low !== "number" || typeof high !== "number") {
        parts.push(
          ...[low, high].map((end) => (typeof end === "number" ? singleSet(end) : end)),
          singleSet(codeOf("-")),
        );
      } else if (low > high) {
        throw new UnsupportedPattern("a range has its ends in the wrong order");
      } else {
        parts.push(rangesSet([[low, high]]));
      }
    }
    const union = unionSet(parts);
    return isNegated ? union.complement() : union;
  }

  #classAtom(): number | CharacterSet {
    const character = this.#next();
    if (character !== "\\") return codeOf(character);
    const escaped = this.#peek();
    if (escaped === "b") {
      this.#at += 1;
      return 8;
    }
    if (escaped === "-") {
      this.#at += 1;
      return codeOf("-");
    }
    if (escaped !== undefined && /[dDwWsSpP]/.test(escaped)) return this.#escapedSet();
    return this.#escapedCode(this.#next());
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw new UnsupportedPattern("the pattern ends too early");
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #rest(length: number): string {
    return this.#characters.slice(this.#at, this.#at + length).join("");
  }
}

function codeOf(character: string): number {
  return character.codePointAt(0) ?? 0;
}
