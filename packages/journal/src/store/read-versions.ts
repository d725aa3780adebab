/** The versions at which snapshots, scans and transactions read right now. */

export class ReadVersions {
  readonly #versions: number[] = [];
  readonly #readerCounts: number[] = [];
  #viewCount = 0;

  /** How many views are open. */
  get viewCount(): number {
    return this.#viewCount;
  }

  get oldest(): number | undefined {
    return this.#versions[0];
  }

  /** Ascending, each once. */
  get ascending(): readonly number[] {
    return this.#versions;
  }

  /** Versions are opened in ascending order, because what everybody may see only grows. */
  open(version: number): void {
    this.#viewCount += 1;
    const last = this.#versions.length - 1;
    if (this.#versions[last] === version) {
      this.#readerCounts[last] = (this.#readerCounts[last] ?? 0) + 1;
      return;
    }
    this.#versions.push(version);
    this.#readerCounts.push(1);
  }

  close(version: number): void {
    const index = this.#versions.lastIndexOf(version);
    if (index < 0) return;
    this.#viewCount -= 1;
    const readers = (this.#readerCounts[index] ?? 0) - 1;
    this.#readerCounts[index] = readers;
    if (readers > 0) return;
    this.#versions.splice(index, 1);
    this.#readerCounts.splice(index, 1);
  }
}
