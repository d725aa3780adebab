/** Which tenant has the most waiting for its weight, known in constant time. */

import { dispatchLimits } from "./limits.ts";
import { LinkedList, type ListNode, listNode } from "./linked-list.ts";

interface Load {
  readonly tenant: string;
  count: number;
  weight: number;
}

/** Tenants by how much they have waiting; each change moves a tenant by one step at most. */
export class LongestFirst {
  readonly #loads = new Map<string, ListNode<Load>>();
  /** Tenants by level: their count divided by their weight, rounded up. */
  readonly #levels: LinkedList<Load>[] = [];
  #top = 0;

  /** The tenant with the most, `undefined` when nobody has anything. */
  get longest(): string | undefined {
    return this.#levels[this.#top]?.head?.value.tenant;
  }

  /** The level that a tenant would have with one more. */
  levelWithOneMore(tenant: string, weight: number): number {
    const load = this.#loads.get(tenant)?.value;
    if (load === undefined || load.count === 0) return Math.ceil(1 / weight);
    return Math.ceil((load.count + 1) / load.weight);
  }

  /** The level of the longest. */
  get topLevel(): number {
    return this.#top;
  }

  /** `weight` is a positive integer, and counts from the tenant's first until it has none. */
  add(tenant: string, weight: number): void {
    let node = this.#loads.get(tenant);
    if (node === undefined) {
      node = listNode({ tenant, count: 0, weight });
      this.#loads.set(tenant, node);
    }
    if (node.value.count === 0) node.value.weight = weight;
    this.#move(node, 1);
  }

  remove(tenant: string): void {
    const node = this.#loads.get(tenant);
    if (node === undefined || node.value.count === 0) return;
    this.#move(node, -1);
    if (node.value.count > 0 || this.#loads.size <= dispatchLimits.idleTenantCountMax) return;
    this.#loads.delete(tenant);
  }

  #move(node: ListNode<Load>, step: 1 | -1): void {
    const load = node.value;
    const before = levelOf(load);
    load.count += step;
    const after = levelOf(load);
    if (before === after) return;
    if (before > 0) this.#levels[before]?.remove(node);
    if (after > 0) this.#level(after).append(node);
    if (after > this.#top) this.#top = after;
    else if (before === this.#top && this.#levels[before]?.size === 0) this.#top = after;
  }

  #level(index: number): LinkedList<Load> {
    const known = this.#levels[index];
    if (known !== undefined) return known;
    const level = new LinkedList<Load>();
    this.#levels[index] = level;
    return level;
  }
}

function levelOf(load: Load): number {
  return Math.ceil(load.count / load.weight);
}
