/** Holds rules against a text that comes in parts, and lets out what is settled. */

import type { CompiledPattern, CompiledRule, RuleSet } from "./compiled-policy.ts";
import { policyLimits } from "./limits.ts";
import { noRune } from "./pattern-program.ts";
import { type MatchSpan, PatternWalk } from "./pattern-walk.ts";

export interface Filtered {
  /** What may go on now, without what was taken out. */
  readonly text: string;
  /** The rule that refuses the text; nothing may follow then. */
  readonly refusedBy: string | undefined;
}

interface Walker {
  readonly rule: CompiledRule;
  readonly pattern: CompiledPattern;
  readonly walk: PatternWalk;
  isAwake: boolean;
}

interface Cut extends MatchSpan {
  readonly replacement: string;
}

/** One text: an answer, a block of it, a message. */
export class TextFilter {
  readonly #set: RuleSet;
  readonly #walkers: readonly Walker[];
  /** Rules that took something out, each named once. */
  readonly redactedBy = new Set<string>();
  /** Text that was not let out yet, and where it begins. */
  #held = "";
  #heldFrom = 0;
  #cuts: Cut[] = [];
  /** The last that was let out is a replacement, whose match may go on. */
  #cutTo = -1;
  #position = 0;
  #previous = noRune;
  /** Walks in which a match has begun. */
  #awake: Walker[] = [];
  #refusedBy: string | undefined;

  constructor(set: RuleSet) {
    this.#set = set;
    this.#walkers = set.rules.flatMap((rule) =>
      rule.patterns.map((pattern) => ({
        rule,
        pattern,
        walk: new PatternWalk(pattern.program),
        isAwake: false,
      })),
    );
  }

  /** The rule that refuses the text. */
  get refusedBy(): string | undefined {
    return this.#refusedBy;
  }

  /** Takes the next part. What could still become a match is held back, up to `heldTextLengthMax`. */
  push(text: string): Filtered {
    this.#held += text;
    for (let at = 0; at < text.length;) {
      const rune = text.codePointAt(at) ?? 0;
      const width = rune > 0xffff ? 2 : 1;
      this.#step(rune, width);
      at += width;
    }
    const settled = this.#heldFrom + this.#held.length - policyLimits.heldTextLengthMax;
    for (const { walk } of this.#awake) {
      if ((walk.pendingFrom ?? settled) < settled) walk.settleBefore(settled);
    }
    this.#collect();
    return this.#letOut(this.#wholeUntil(Math.max(settled, this.#pendingFrom())));
  }

  /** The text has ended: gives the rest. */
  finish(): Filtered {
    for (const { walk } of this.#awake) walk.finish();
    this.#collect();
    return this.#letOut(this.#heldFrom + this.#held.length);
  }

  #step(rune: number, width: number): void {
    if (this.#set.mayBegin(this.#previous, rune)) this.#wake(rune);
    if (this.#awake.length > 0) this.#walk(rune, width);
    this.#position += width;
    this.#previous = rune;
  }

  #wake(rune: number): void {
    for (const walker of this.#walkers) {
      if (walker.isAwake || !walker.pattern.program.mayBegin(this.#previous, rune)) continue;
      walker.isAwake = true;
      walker.walk.passTo(this.#position, this.#previous);
      this.#awake.push(walker);
    }
  }

  #walk(rune: number, width: number): void {
    let isOver = false;
    for (const { walk } of this.#awake) {
      walk.step(rune, width);
      isOver = isOver || walk.isIdle;
    }
    if (isOver) this.#rest();
  }

  /** Takes what idle walks have found, and lets them rest. */
  #rest(): void {
    this.#collect();
    this.#awake = this.#awake.filter((walker) => {
      walker.isAwake = !walker.walk.isIdle;
      return walker.isAwake;
    });
  }

  #pendingFrom(): number {
    let from = this.#heldFrom + this.#held.length;
    for (const { walk } of this.#awake) from = Math.min(from, walk.pendingFrom ?? from);
    return from;
  }

  /** A place, or the one before it where it lies between the two halves of a character. */
  #wholeUntil(place: number): number {
    const at = place - this.#heldFrom;
    const isWithin = at > 0 && (this.#held.codePointAt(at - 1) ?? 0) > 0xffff;
    return isWithin ? place - 1 : place;
  }

  #collect(): void {
    for (const { rule, pattern, walk } of this.#awake) {
      if (rule.action === "refuse" && pattern.countsAlways && walk.hasMatch) {
        this.#refusedBy ??= rule.id;
        return;
      }
      for (const { start, end } of walk.take()) {
        // Of a match whose beginning is gone, the allow-list cannot be asked: it is longer than anything on it.
        const isWhole = start >= this.#heldFrom;
        const text = isWhole ? this.#held.slice(start - this.#heldFrom, end - this.#heldFrom) : "";
        if (isWhole && !pattern.counts(text)) continue;
        if (rule.action === "refuse") {
          this.#refusedBy ??= rule.id;
          return;
        }
        this.redactedBy.add(rule.id);
        this.#cuts.push({ start, end, replacement: rule.replacement });
      }
    }
  }

  #letOut(until: number): Filtered {
    if (this.#refusedBy !== undefined) return { text: "", refusedBy: this.#refusedBy };
    if (this.#cuts.length === 0) {
      // What most text is: nothing to take out. A match may be pending from before what was taken out last.
      const text = this.#held.slice(0, Math.max(0, until - this.#heldFrom));
      this.#held = this.#held.slice(text.length);
      this.#heldFrom += text.length;
      return { text, refusedBy: undefined };
    }
    return { text: this.#cutOut(until), refusedBy: undefined };
  }

  /** The text up to a place, each run of matches replaced once. */
  #cutOut(until: number): string {
    const cuts = this.#cuts.toSorted((one, other) => one.start - other.start);
    let text = "";
    let at = this.#heldFrom;
    const kept: Cut[] = [];
    for (const cut of cuts) {
      // What begins behind the place, or may be a part of something that does, waits.
      if (cut.start >= until) {
        kept.push(cut);
        continue;
      }
      if (cut.end <= at) continue;
      if (cut.start > at) text += this.#held.slice(at - this.#heldFrom, cut.start - this.#heldFrom);
      if (cut.start > at || this.#cutTo !== at) text += cut.replacement;
      at = cut.end;
      this.#cutTo = cut.end;
    }
    if (at < until) {
      text += this.#held.slice(at - this.#heldFrom, until - this.#heldFrom);
      at = until;
    }
    this.#held = this.#held.slice(at - this.#heldFrom);
    this.#heldFrom = at;
    this.#cuts = kept;
    return text;
  }
}
