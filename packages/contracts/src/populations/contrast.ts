/** Counts how often each attribute is seen in two populations, and tests which of them tell the two apart. */

import type { Attributes, AttributeValue } from "../model/span.ts";
import { adjustForMany } from "../statistics/benjamini-hochberg.ts";
import { chanceOfShares } from "../statistics/fisher-exact.ts";
import { rankSumOf } from "../statistics/rank-sum.ts";
import { compareText } from "../text/compare-text.ts";
import { numberWords } from "./words.ts";
import { roundPercent } from "../text/number-words.ts";

/** An attribute that one population has more often, or with other numbers, than the other. */
export interface Contrast {
  /** `version=2.3`, or `item.count` for one that is told by its numbers. */
  readonly name: string;
  readonly key: string;
  /** The value that is told apart; `undefined` for numbers that are told by their size. */
  readonly value: string | number | boolean | null | undefined;
  /** Numbers of the bad are smaller than those of the good. */
  readonly isLess: boolean;
  readonly badShare: number;
  readonly goodShare: number;
  /** How probable a difference as large is when nothing separates the populations, adjusted for all that was tested. */
  readonly chance: number;
  readonly words: string;
}

/** Values of one attribute that are told apart; what comes beyond them is counted only as present. */
const valueCountMax = 1_000;
/** Numbers of one attribute that are kept of each population. */
const numberCountMax = 20_000;
/** Attributes that are told apart. */
const keyCountMax = 2_000;
const textLengthMax = 200;
/** Members that must have a value before it is tested: of fewer, no test can say anything. */
const memberCountMin = 4;
/** Distinct numbers from which they are compared by size rather than one by one. */
const distinctCountMin = 12;

interface Tally {
  bad: number;
  good: number;
  /** The member that was counted last, so that each counts once. */
  member: number;
}

interface Column {
  readonly values: Map<string | number | boolean | null, Tally>;
  readonly badNumbers: number[];
  readonly goodNumbers: number[];
  /** Some of its values are no numbers. */
  hasText: boolean;
  /** Members of each population that have it, and the one that was counted last. */
  readonly seen: Tally;
}

/** An attribute that at least this share of each population has counts as common to both. */
const commonShareMin = 0.5;

/**
 * Takes the attributes of members one after the other. Where members differ in what they tell of at all, as lines of a
 * log do, only attributes that are common to both populations are tested.
 */
export class ContrastTally {
  readonly #isCommonOnly: boolean;
  readonly #columns = new Map<string, Column>();
  readonly #judged = new Map<string, Column | "left out">();
  readonly #lastKeys: string[] = [];
  readonly #lastColumns: (Column | "left out")[] = [];
  #member = 0;
  #isBad = false;
  badCount = 0;
  goodCount = 0;

  constructor(members: "alike" | "of different forms" = "alike") {
    this.#isCommonOnly = members === "of different forms";
  }

  /** Begins with the next member of one of the populations. */
  begin(isBad: boolean): void {
    this.#member += 1;
    this.#isBad = isBad;
    if (isBad) this.badCount += 1;
    else this.goodCount += 1;
  }

  /** Those attributes of the present member that may explain something. */
  addAll(attributes: Attributes, isExplaining: (key: string) => boolean): void {
    let index = 0;
    for (const key in attributes) {
      // Most spans name their attributes in the order of the span before.
      let column = this.#lastKeys[index] === key ? this.#lastColumns[index] : undefined;
      if (column === undefined) {
        column = this.#judgedColumn(key, isExplaining);
        this.#lastKeys[index] = key;
        this.#lastColumns[index] = column;
      }
      if (column !== "left out") this.#addValue(column, attributes[key] ?? null);
      index += 1;
    }
  }

  /** What was found out about a key is kept with its column: there are millions of attributes, and few keys. */
  #judgedColumn(key: string, isExplaining: (key: string) => boolean): Column | "left out" {
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const column = (isExplaining(key) ? this.#columnOf(key) : undefined) ?? "left out";
    if (this.#judged.size < keyCountMax * 2) this.#judged.set(key, column);
    return column;
  }

  /** One attribute of the present member; a value that it has twice counts once. */
  add(key: string, value: AttributeValue): void {
    const column = this.#columnOf(key);
    if (column !== undefined) this.#addValue(column, value);
  }

  #addValue(column: Column, value: AttributeValue): void {
    if (typeof value === "object") return;
    const isFirst = column.seen.member !== this.#member;
    if (isFirst) this.#count(column.seen);
    if (typeof value === "number") {
      if (isFirst) this.#addNumber(column, value);
      // From so many different ones on, numbers are compared by size and no longer one by one.
      if (!column.hasText && column.values.size >= distinctCountMin) return;
    } else column.hasText = true;
    const known = column.values.get(value);
    if (known !== undefined) {
      if (known.member !== this.#member) this.#count(known);
    } else if (column.values.size < valueCountMax) {
      column.values.set(value, {
        bad: this.#isBad ? 1 : 0,
        good: this.#isBad ? 0 : 1,
        member: this.#member,
      });
    }
  }

  #count(tally: Tally): void {
    tally.member = this.#member;
    if (this.#isBad) tally.bad += 1;
    else tally.good += 1;
  }

  #columnOf(key: string): Column | undefined {
    const known = this.#columns.get(key);
    if (known !== undefined) return known;
    if (this.#columns.size >= keyCountMax) return undefined;
    const column: Column = {
      values: new Map(),
      badNumbers: [],
      goodNumbers: [],
      hasText: false,
      seen: { bad: 0, good: 0, member: 0 },
    };
    this.#columns.set(key, column);
    return column;
  }

  #addNumber(column: Column, value: number): void {
    const numbers = this.#isBad ? column.badNumbers : column.goodNumbers;
    if (numbers.length < numberCountMax) numbers.push(value);
  }

  /** How many attributes and values were tested, and those that differ, the surest and largest first. */
  contrasts(): { readonly testCount: number; readonly contrasts: readonly Contrast[] } {
    const tested = [...this.#columns]
      .sort(([left], [right]) => compareText(left, right))
      .flatMap(([key, column]) => this.#testsOf(key, column));
    const adjusted = adjustForMany(tested.map(({ chance }) => chance));
    const contrasts = tested.map((test, index) => ({ ...test, chance: adjusted[index] ?? 1 }));
    contrasts.sort(
      (left, right) =>
        left.chance - right.chance ||
        right.badShare - right.goodShare - (left.badShare - left.goodShare) ||
        compareText(left.name, right.name),
    );
    return { testCount: tested.length, contrasts };
  }

  #testsOf(key: string, column: Column): Contrast[] {
    const { bad: badSeen, good: goodSeen } = column.seen;
    const isCommon =
      badSeen >= commonShareMin * this.badCount && goodSeen >= commonShareMin * this.goodCount;
    if (this.#isCommonOnly && !isCommon) return [];
    const { badNumbers, goodNumbers } = column;
    if (!column.hasText && column.values.size >= distinctCountMin) {
      const least = Math.min(badNumbers.length, goodNumbers.length);
      return least < memberCountMin ? [] : [numberTest(key, column)];
    }
    const { badCount, goodCount } = this;
    return [...column.values].flatMap(([value, { bad, good }]) => {
      const isEverywhere = bad === badCount && good === goodCount;
      if (bad + good < memberCountMin || isEverywhere) return [];
      const chance = chanceOfShares({
        marked: bad,
        all: badCount,
        otherMarked: good,
        otherAll: goodCount,
      });
      const badShare = badCount === 0 ? 0 : bad / badCount;
      const goodShare = goodCount === 0 ? 0 : good / goodCount;
      const name = `${key}=${String(value).slice(0, textLengthMax)}`;
      const words = `${name} in ${roundPercent(badShare)} of the bad (${bad} of ${badCount}) and ${roundPercent(goodShare)} of the good (${good} of ${goodCount})`;
      return [{ name, key, value, isLess: false, badShare, goodShare, chance, words }];
    });
  }
}

function numberTest(key: string, { badNumbers, goodNumbers }: Column): Contrast {
  const bad = Float64Array.from(badNumbers).sort();
  const good = Float64Array.from(goodNumbers).sort();
  const { chance, superiority } = rankSumOf(bad, good);
  const middle = (sorted: Float64Array): string =>
    numberWords(sorted[Math.floor(sorted.length / 2)] ?? 0);
  const isMore = superiority >= 0.5;
  // That a number of the bad is larger in so many of all pairs stands for a share here, as it does in both directions.
  const badShare = isMore ? superiority : 1 - superiority;
  return {
    name: key,
    key,
    value: undefined,
    isLess: !isMore,
    badShare,
    goodShare: 1 - badShare,
    chance,
    words: `${key} is ${isMore ? "larger" : "smaller"} in the bad in ${roundPercent(badShare)} of all pairs (medians ${middle(bad)} and ${middle(good)})`,
  };
}
