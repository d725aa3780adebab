/** Ids of goroutines: as many as a dump has, asked for once all are in. */

const beginCount = 1_024;

export class IdList {
  #ids = new Float64Array(beginCount);
  #count = 0;

  add(id: number): void {
    if (this.#count === this.#ids.length) {
      const more = new Float64Array(2 * this.#count);
      more.set(this.#ids);
      this.#ids = more;
    }
    this.#ids[this.#count] = id;
    this.#count += 1;
  }

  /** No id is added after this. */
  close(): void {
    this.#ids = this.#ids.subarray(0, this.#count).sort();
  }

  get max(): number {
    return this.#ids[this.#count - 1] ?? 0;
  }

  /** Whether an id was added, once the list is closed. */
  has(id: number): boolean {
    let [low, high] = [0, this.#count - 1];
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const found = this.#ids[middle] ?? 0;
      if (found === id) return true;
      if (found < id) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  }
}
