/** A compiled pattern as a program of small steps, which can be walked over text that comes in parts. */

import type { compilePattern } from "@faultline/contracts/expressions";

/** What `compilePattern` gives for a pattern that it takes. */
export type CompiledPattern = Exclude<ReturnType<typeof compilePattern>, string>;

/** Instructions as the library of RE2 numbers them. */
const opcodes = {
  alternative: 1,
  alternativeMatch: 2,
  capture: 3,
  emptyWidth: 4,
  fail: 5,
  match: 6,
  nothing: 7,
  rune: 8,
  runeOne: 9,
  runeAny: 10,
  runeAnyNotLineFeed: 11,
} as const;

interface LibraryInstruction {
  readonly op: number;
  readonly out: number;
  readonly arg: number;
  matchRune(rune: number): boolean;
}

/** Conditions between two characters, as bits. */
const emptyWidths = {
  beginLine: 1,
  endLine: 2,
  beginText: 4,
  endText: 8,
  wordBoundary: 16,
  noWordBoundary: 32,
} as const;

export type StepKind = "split" | "jump" | "empty" | "rune" | "match" | "fail";

export interface Step {
  readonly kind: StepKind;
  readonly out: number;
  /** Of a split the other way; of an empty width its conditions. */
  readonly arg: number;
  /** Of a rune: whether it takes the character. */
  takes(rune: number): boolean;
}

/** Characters for which answers are looked up. */
export const asciiCount = 128;
const lineFeed = 0x0a;

export class PatternProgram {
  readonly steps: readonly Step[];
  readonly start: number;
  /** For each kind of character before, the characters of ASCII with which a match can begin. */
  readonly #first: readonly Uint8Array[];

  constructor(compiled: CompiledPattern) {
    const { inst, start } = compiled.re2().prog;
    // The library's types leave its program open; the version is pinned, and a test holds the walk against its own matching.
    this.steps = (inst as readonly LibraryInstruction[]).map((instruction) => toStep(instruction));
    this.start = Number(start);
    this.#first = precedents.map((before) => this.#firstAfter(before));
  }

  /** Whether a match can begin with this character after that one; beyond ASCII it is never ruled out. */
  mayBegin(previous: number, rune: number): boolean {
    if (rune >= asciiCount) return true;
    return this.#first[precedentOf(previous)]?.[rune] === 1;
  }

  #firstAfter(before: number): Uint8Array {
    const first = new Uint8Array(asciiCount);
    for (let rune = 0; rune < asciiCount; rune += 1)
      first[rune] = this.#canTake(before, rune) ? 1 : 0;
    return first;
  }

  #canTake(before: number, rune: number): boolean {
    const conditions = conditionsBetween(before, rune);
    const seen = new Set<number>();
    const open = [this.start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const step = this.steps[at];
      if (step === undefined || seen.has(at)) continue;
      seen.add(at);
      if (step.kind === "rune" && step.takes(rune)) return true;
      if (step.kind === "split") open.push(step.out, step.arg);
      else if (step.kind === "jump") open.push(step.out);
      else if (step.kind === "empty" && (step.arg & ~conditions) === 0) open.push(step.out);
    }
    return false;
  }
}

/** What stands for the beginning of a text, and for its end. */
export const noRune = -1;

/** The conditions of empty width that hold between two characters. */
export function conditionsBetween(previous: number, next: number): number {
  let conditions = 0;
  if (previous === noRune) conditions |= emptyWidths.beginText | emptyWidths.beginLine;
  if (previous === lineFeed) conditions |= emptyWidths.beginLine;
  if (next === noRune) conditions |= emptyWidths.endText | emptyWidths.endLine;
  if (next === lineFeed) conditions |= emptyWidths.endLine;
  return (
    conditions |
    (isWord(previous) === isWord(next) ? emptyWidths.noWordBoundary : emptyWidths.wordBoundary)
  );
}

/** One character for each kind that conditions tell apart: nothing, a line's end, a word's part, any other. */
export const precedents: readonly number[] = [noRune, lineFeed, 0x61, 0x20];

/** Which of them stands for a character. */
export function precedentOf(previous: number): number {
  if (previous === noRune) return 0;
  if (previous === lineFeed) return 1;
  return isWord(previous) ? 2 : 3;
}

function isWord(rune: number): boolean {
  return (
    (rune >= 0x61 && rune <= 0x7a) ||
    (rune >= 0x41 && rune <= 0x5a) ||
    (rune >= 0x30 && rune <= 0x39) ||
    rune === 0x5f
  );
}

function toStep(instruction: LibraryInstruction): Step {
  const { op, out, arg } = instruction;
  const step = (kind: StepKind): Step => ({ kind, out, arg, takes: () => false });
  switch (op) {
    case opcodes.alternative:
    case opcodes.alternativeMatch:
      return step("split");
    case opcodes.capture:
    case opcodes.nothing:
      return step("jump");
    case opcodes.emptyWidth:
      return step("empty");
    case opcodes.match:
      return step("match");
    case opcodes.rune:
    case opcodes.runeOne:
      return { ...step("rune"), takes: takesOf(instruction) };
    case opcodes.runeAny:
      return { ...step("rune"), takes: () => true };
    case opcodes.runeAnyNotLineFeed:
      return { ...step("rune"), takes: (rune) => rune !== lineFeed };
    default:
      return step("fail");
  }
}

/** Most text is ASCII, for which the answers are looked up. */
function takesOf(instruction: LibraryInstruction): (rune: number) => boolean {
  const ascii = new Uint8Array(asciiCount);
  for (let rune = 0; rune < asciiCount; rune += 1) {
    ascii[rune] = instruction.matchRune(rune) ? 1 : 0;
  }
  return (rune) => (rune < asciiCount ? ascii[rune] === 1 : instruction.matchRune(rune));
}
