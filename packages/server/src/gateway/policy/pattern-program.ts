/** A compiled pattern as a program of small steps, which can be walked over text that comes in parts. */

import type { compilePattern } from "@faultline/contracts/own";

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
export const emptyWidths = {
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

const asciiCount = 128;
const lineFeed = 0x0a;

export class PatternProgram {
  readonly steps: readonly Step[];
  readonly start: number;
  readonly #first: Uint8Array;
  #firstBeyondAscii = false;

  constructor(compiled: CompiledPattern) {
    const { inst, start } = compiled.re2().prog;
    // The library's types leave its program open; the version is pinned, and a test holds the walk against its own matching.
    this.steps = (inst as readonly LibraryInstruction[]).map((instruction) => toStep(instruction));
    this.start = Number(start);
    this.#first = this.#findFirst();
  }

  /** Whether a match can begin with this character. */
  mayBeginWith(rune: number): boolean {
    return rune < asciiCount ? this.#first[rune] === 1 : this.#firstBeyondAscii;
  }

  /** What the first step over a character can take, whatever the conditions before it. */
  #findFirst(): Uint8Array {
    const first = new Uint8Array(asciiCount);
    const seen = new Set<number>();
    const open = [this.start];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      const step = this.steps[at];
      if (step === undefined || seen.has(at)) continue;
      seen.add(at);
      if (step.kind === "rune") {
        this.#firstBeyondAscii = true;
        for (let rune = 0; rune < asciiCount; rune += 1) if (step.takes(rune)) first[rune] = 1;
      } else if (step.kind === "split") open.push(step.out, step.arg);
      else if (step.kind === "jump" || step.kind === "empty") open.push(step.out);
    }
    return first;
  }
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
