/** Counts the work of an expression, so that none can run without end. */

/** Thrown where the steps are used up; whoever gave them catches it and says `inconclusive`. */
export class StepsUsedUp extends Error {
  override readonly name = "StepsUsedUp";
}

/** Units of text or items of a list whose handling counts as one step. */
const unitsPerStep = 16;

export class Steps {
  #left: number;

  constructor(countMax: number) {
    this.#left = countMax;
  }

  /** Steps that may still be taken; below zero when they were used up. */
  get left(): number {
    return this.#left;
  }

  /** Takes one step; every node of an expression takes one whenever it is evaluated. */
  take(): void {
    this.#left -= 1;
    if (this.#left < 0) throw new StepsUsedUp();
  }

  /** Takes steps for handling so much text or so many items, so that values cannot grow unseen. */
  takeFor(units: number): void {
    this.takeSteps(Math.ceil(units / unitsPerStep));
  }

  /** Takes several steps at once. */
  takeSteps(count: number): void {
    this.#left -= Math.ceil(count);
    if (this.#left < 0) throw new StepsUsedUp();
  }
}
