/** Walks a pattern over text that comes in parts: every thread of a match that could still come is kept, nothing else. */

import { conditionsBetween, noRune, type PatternProgram } from "./pattern-program.ts";

/** Where a match lies, in UTF-16 units since the text began. */
export interface MatchSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Finds, for each place at which a match can begin, the longest match from there. Threads that are at the same step go on as
 * the one that began first, so that there are never more threads than steps: the walk takes linear time.
 */
export class PatternWalk {
  readonly #program: PatternProgram;
  /** Threads in the order in which they began: where they are, and where they began. */
  #at: Int32Array;
  #begun: Float64Array;
  #count = 0;
  #nextAt: Int32Array;
  #nextBegun: Float64Array;
  readonly #visited: Float64Array;
  readonly #stack: number[] = [];
  #turn = 0;
  #position = 0;
  #previous = noRune;
  /** The longest match from each beginning that may still grow. */
  #open: { start: number; end: number }[] = [];
  #ended: MatchSpan[] = [];

  constructor(program: PatternProgram) {
    const count = program.steps.length;
    this.#program = program;
    this.#at = new Int32Array(count);
    this.#begun = new Float64Array(count);
    this.#nextAt = new Int32Array(count);
    this.#nextBegun = new Float64Array(count);
    this.#visited = new Float64Array(count);
  }

  /** Where the earliest match begins that could still come or grow; `undefined` when none could. */
  get pendingFrom(): number | undefined {
    const thread = this.#count > 0 ? this.#begun[0] : undefined;
    const open = this.#open[0]?.start;
    if (thread === undefined) return open;
    return open === undefined ? thread : Math.min(thread, open);
  }

  /** The matches that ended since the last call; they may overlap. */
  take(): readonly MatchSpan[] {
    if (this.#ended.length === 0) return none;
    const ended = this.#ended;
    this.#ended = [];
    return ended;
  }

  /** Whether something matched already, although it may still grow. */
  get hasMatch(): boolean {
    return this.#open.length > 0 || this.#ended.length > 0;
  }

  /** Whether nothing has begun: the walk may pass over characters with which no match begins. */
  get isIdle(): boolean {
    return this.#count === 0 && this.#open.length === 0;
  }

  /** Takes the next character, which has so many UTF-16 units. */
  step(rune: number, width: number): void {
    this.#advance(rune);
    this.#position += width;
    this.#previous = rune;
  }

  /** Passes over characters up to a place, behind that one; only while it is idle. */
  passTo(position: number, previous: number): void {
    this.#position = position;
    this.#previous = previous;
  }

  /** The text has ended. */
  finish(): void {
    this.#advance(noRune);
    this.#settle(Number.POSITIVE_INFINITY);
  }

  /** Lets matches that began before a place end where they are; they go on, but what was found counts. */
  settleBefore(place: number): void {
    this.#settle(place);
  }

  #advance(rune: number): void {
    const conditions = conditionsBetween(this.#previous, rune);
    this.#turn += 1;
    const count = this.#count;
    this.#count = 0;
    for (let index = 0; index < count; index += 1) {
      this.#follow(this.#at[index] ?? 0, this.#begun[index] ?? 0, { rune, conditions });
    }
    if (rune !== noRune) this.#follow(this.#program.start, this.#position, { rune, conditions });
    [this.#at, this.#nextAt] = [this.#nextAt, this.#at];
    [this.#begun, this.#nextBegun] = [this.#nextBegun, this.#begun];
    if (this.#open.length > 0) this.#settleDead();
  }

  /** All that can be reached without a character, and from there over this one. */
  #follow(
    from: number,
    begun: number,
    { rune, conditions }: { readonly rune: number; readonly conditions: number },
  ): void {
    const { steps } = this.#program;
    const stack = this.#stack;
    stack.push(from);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (this.#visited[at] === this.#turn) continue;
      this.#visited[at] = this.#turn;
      const step = steps[at];
      if (step === undefined) continue;
      if (step.kind === "rune") {
        if (rune !== noRune && step.takes(rune)) this.#goOn(step.out, begun);
      } else if (step.kind === "split") stack.push(step.arg, step.out);
      else if (step.kind === "jump") stack.push(step.out);
      else if (step.kind === "match") this.#note(begun);
      else if (step.kind === "empty" && (step.arg & ~conditions) === 0) stack.push(step.out);
    }
  }

  #goOn(at: number, begun: number): void {
    this.#nextAt[this.#count] = at;
    this.#nextBegun[this.#count] = begun;
    this.#count += 1;
  }

  /** A match that began there ends here. */
  #note(begun: number): void {
    const end = this.#position;
    if (end === begun) return;
    const known = this.#open.find(({ start }) => start === begun);
    if (known !== undefined) known.end = end;
    else {
      this.#open.push({ start: begun, end });
      this.#open.sort((one, other) => one.start - other.start);
    }
  }

  /** Ends matches that no thread can make longer. */
  #settleDead(): void {
    this.#open = this.#open.filter((match) => {
      for (let index = 0; index < this.#count; index += 1) {
        if (this.#begun[index] === match.start) return true;
      }
      this.#ended.push(match);
      return false;
    });
  }

  #settle(before: number): void {
    this.#open = this.#open.filter((match) => {
      if (match.start >= before) return true;
      this.#ended.push({ ...match });
      return false;
    });
  }
}

const none: readonly MatchSpan[] = [];
