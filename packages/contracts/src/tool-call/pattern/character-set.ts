/** Sets of characters, by code point. */

export interface CharacterSet {
  has(code: number): boolean;
  complement(): CharacterSet;
}

type Range = readonly [number, number];

class RangeSet implements CharacterSet {
  readonly #ranges: readonly Range[];

  constructor(ranges: readonly Range[]) {
    this.#ranges = ranges;
  }

  has(code: number): boolean {
    return this.#ranges.some(([low, high]) => code >= low && code <= high);
  }

  complement(): CharacterSet {
    return new Complement(this);
  }
}

class Complement implements CharacterSet {
  readonly #of: CharacterSet;

  constructor(of: CharacterSet) {
    this.#of = of;
  }

  has(code: number): boolean {
    return !this.#of.has(code);
  }

  complement(): CharacterSet {
    return this.#of;
  }
}

class Union implements CharacterSet {
  readonly #parts: readonly CharacterSet[];

  constructor(parts: readonly CharacterSet[]) {
    this.#parts = parts;
  }

  has(code: number): boolean {
    return this.#parts.some((part) => part.has(code));
  }

  complement(): CharacterSet {
    return new Complement(this);
  }
}

/** A Unicode property; the platform's own expression looks at one character at a time. */
class PropertySet implements CharacterSet {
  readonly #expression: RegExp;

  constructor(expression: RegExp) {
    this.#expression = expression;
  }

  has(code: number): boolean {
    return this.#expression.test(String.fromCodePoint(code));
  }

  complement(): CharacterSet {
    return new Complement(this);
  }
}

/** The characters of ranges, ends included. */
export function rangesSet(ranges: readonly Range[]): CharacterSet {
  return new RangeSet(ranges);
}

/** One character. */
export function singleSet(code: number): CharacterSet {
  return new RangeSet([[code, code]]);
}

/** The characters of any of the sets. */
export function unionSet(parts: readonly CharacterSet[]): CharacterSet {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : new Union(parts);
}

/** The characters of a Unicode property such as `Letter` or `Script=Greek`; nothing when there is none of the name. */
export function propertySet(name: string): CharacterSet | undefined {
  try {
    return new PropertySet(new RegExp(`^\\p{${name}}$`, "u"));
  } catch {
    // The platform knows every property of the standard, so the name is not one.
    return undefined;
  }
}

export const digits = rangesSet([[48, 57]]);
export const words = rangesSet([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
]);
/** White space and line ends of ECMA-262. */
export const spaces = rangesSet([
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
/** What a dot does not match. */
export const lineEnds = rangesSet([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
]);

/** Characters with an escape of their own. */
export const escapeSet: Readonly<Record<string, number>> = {
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  "0": 0,
};
