/** Regular expressions in linear time: all ways through the pattern are followed at once, so none is tried again. */

import type { CharacterSet } from "./character-set.ts";
import { words } from "./character-set.ts";
import {
  parsePattern,
  patternLimits,
  type PatternNode,
  UnsupportedPattern,
} from "./parse-pattern.ts";

type Instruction =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "split"; readonly left: number; readonly right: number }
  | { readonly kind: "jump"; readonly to: number }
  | {
      readonly kind: "assert";
      readonly what: "start" | "end" | "word-boundary" | "no-word-boundary";
    }
  | { readonly kind: "match" };

/** Called with the work about to be done; throws when there was too much. */
export type Spend = (steps: number) => void;

/** A pattern that can be matched. The time for a text is at most its length times the pattern's. */
export class Pattern {
  readonly #program: readonly Instruction[];

  private constructor(program: readonly Instruction[]) {
    this.#program = program;
  }

  /** Compiles a pattern. Throws `UnsupportedPattern`. */
  static compile(source: string): Pattern {
    const program: Instruction[] = [];
    emit(parsePattern(source), program);
    program.push({ kind: "match" });
    return new Pattern(program);
  }

  /** Whether the pattern matches anywhere in the text. */
  matches(text: string, spend: Spend): boolean {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0);
    let current = new Set<number>();
    for (let at = 0; at <= codes.length; at += 1) {
      // A match may begin at every place.
      if (this.#follow(0, current, { codes, at })) return true;
      spend(current.size + 1);
      const code = codes[at];
      if (code === undefined) return false;
      const next = new Set<number>();
      for (const index of current) {
        const instruction = this.#program[index];
        if (instruction?.kind !== "set" || !instruction.set.has(code)) continue;
        if (this.#follow(index + 1, next, { codes, at: at + 1 })) return true;
      }
      current = next;
    }
    return false;
  }

  /** Adds every instruction that is reached without taking a character; `true` when the end is. */
  #follow(
    start: number,
    reached: Set<number>,
    place: { codes: readonly number[]; at: number },
  ): boolean {
    const stack = [start];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (reached.has(index)) continue;
      reached.add(index);
      const instruction = this.#program[index];
      switch (instruction?.kind) {
        case "match":
          return true;
        case "jump":
          stack.push(instruction.to);
          break;
        case "split":
          stack.push(instruction.right, instruction.left);
          break;
        case "assert":
          if (holds(instruction.what, place)) stack.push(index + 1);
          break;
        case "set":
        case undefined:
          break;
      }
    }
    return false;
  }
}

function holds(
  what: Extract<Instruction, { kind: "assert" }>["what"],
  { codes, at }: { codes: readonly number[]; at: number },
): boolean {
  if (what === "start") return at === 0;
  if (what === "end") return at === codes.length;
  const [before, after] = [codes[at - 1], codes[at]];
  const isBoundary =
    (before !== undefined && words.has(before)) !== (after !== undefined && words.has(after));
  return isBoundary === (what === "word-boundary");
}

function emit(node: PatternNode, program: Instruction[]): void {
  if (program.length > patternLimits.programLengthMax) {
    throw new UnsupportedPattern("the pattern unfolds into too many steps");
  }
  switch (node.kind) {
    case "empty":
      return;
    case "set":
      program.push({ kind: "set", set: node.set });
      return;
    case "sequence":
      for (const part of node.parts) emit(part, program);
      return;
    case "choice":
      emitChoice(node.options, program);
      return;
    case "repeat":
      emitRepeat(node, program);
      return;
    default:
      program.push({ kind: "assert", what: node.kind });
  }
}

function emitChoice(options: readonly PatternNode[], program: Instruction[]): void {
  const exits: number[] = [];
  for (const [index, option] of options.entries()) {
    if (index === options.length - 1) {
      emit(option, program);
      break;
    }
    const split = program.length;
    program.push({ kind: "jump", to: 0 });
    emit(option, program);
    exits.push(program.length);
    program.push({ kind: "jump", to: 0 });
    program[split] = { kind: "split", left: split + 1, right: program.length };
  }
  for (const exit of exits) program[exit] = { kind: "jump", to: program.length };
}

function emitRepeat(
  { part, min, max }: Extract<PatternNode, { kind: "repeat" }>,
  program: Instruction[],
): void {
  for (let count = 0; count < min; count += 1) {
    const before = program.length;
    emit(part, program);
    // What takes no instruction is the same however often it is repeated.
    if (program.length === before) return;
  }
  if (max === Number.POSITIVE_INFINITY) {
    const split = program.length;
    program.push({ kind: "jump", to: 0 });
    emit(part, program);
    program.push({ kind: "jump", to: split });
    program[split] = { kind: "split", left: split + 1, right: program.length };
    return;
  }
  const splits: number[] = [];
  for (let count = min; count < max; count += 1) {
    splits.push(program.length);
    program.push({ kind: "jump", to: 0 });
    emit(part, program);
  }
  for (const split of splits)
    program[split] = { kind: "split", left: split + 1, right: program.length };
}
