/** Which tenant has the most waiting for its weight, known in constant time. */

interface Load {
  count: number;
  readonly weight: number;
}

/** Tenants by how much they have waiting; each change moves a tenant by one step at most. */
export class LongestFirst {
  readonly #loads = new Map<string, Load>();
  /** Tenants by level: their count divided by their weight, rounded up. */
  readonly #levels: Set<string>[] = [];
  #top = 0;

  /** The tenant with the most, `undefined` when nobody has anything. */
  get longest(): string | undefined {
    const level = this.#levels[this.#top];
    if (level === undefined) return undefined;
    for (const tenant of level) return tenant;
    return undefined;
  }

  /** The level that a tenant would have with one more. */
  levelWithOneMore(tenant: string, weight: number): number {
    const load = this.#loads.get(tenant) ?? { count: 0, weight };
    return Math.ceil((load.count + 1) / load.weight);
  }

  /** The level of the longest. */
  get topLevel(): number {
    return this.#top;
  }

  /** `weight` is a positive integer, and counts from the tenant's first until it has none. */
  add(tenant: string, weight: number): void {
    const load = this.#loads.get(tenant) ?? { count: 0, weight };
    this.#loads.set(tenant, load);
    this.#move(tenant, load, 1);
  }

  remove(tenant: string): void {
    const load = this.#loads.get(tenant);
    if (load === undefined) return;
    this.#move(tenant, load, -1);
    if (load.count === 0) this.#loads.delete(tenant);
  }

  #move(tenant: string, load: Load, step: 1 | -1): void {
    const before = levelOf(load);
    load.count += step;
    const after = levelOf(load);
    if (before === after) return;
    this.#levels[before]?.delete(tenant);
    if (after > 0) {
      let level = this.#levels[after];
      if (level === undefined) {
        level = new Set();
        this.#levels[after] = level;
      }
      level.add(tenant);
    }
    if (after > this.#top) this.#top = after;
    else if (before === this.#top && this.#levels[before]?.size === 0) this.#top = after;
  }
}

function levelOf(load: Load): number {
  return Math.ceil(load.count / load.weight);
}
