/**
 * Deficit round robin between tenants: each turn a tenant may spend its quantum times its weight, and what it could
 * not spend is kept for its next turn, so that large and small calls share by cost (Shreedhar and Varghese, 1995).
 */

import { LinkedList, type ListNode, listNode } from "./linked-list.ts";

/** How much each new call moves the mean cost. */
const costShare = 0.1;

export interface Costed {
  /** At least 1. */
  readonly cost: number;
}

/** What one tenant has waiting here. */
export interface Flow<T extends Costed> {
  readonly weight: number;
  readonly waiting: LinkedList<T>;
  deficit: number;
  /** The last round in which it had its quantum. */
  round: number;
  /** Whether it is having its turn. */
  credited: boolean;
}

export class RoundRobin<T extends Costed> {
  readonly #flows = new Map<string, ListNode<Flow<T>>>();
  readonly #turns = new LinkedList<Flow<T>>();
  #meanCost = 0;
  #round = 0;
  /**
   * What a tenant of weight 1 may spend in each turn: about what one call costs. Much less would take many rounds for
   * each call, and much more would let one tenant have many calls in a row. It is the same for all within a round.
   */
  #quantum = 0;

  get empty(): boolean {
    return this.#turns.size === 0;
  }

  /** `weight` counts from the tenant's first waiting call until it has none. */
  append(tenant: string, weight: number, node: ListNode<T>): void {
    const { cost } = node.value;
    this.#meanCost =
      this.#meanCost === 0 ? cost : this.#meanCost + (cost - this.#meanCost) * costShare;
    let flow = this.#flows.get(tenant);
    if (flow === undefined) {
      flow = listNode({
        weight,
        waiting: new LinkedList<T>(),
        deficit: 0,
        round: 0,
        credited: false,
      });
      this.#flows.set(tenant, flow);
      this.#turns.append(flow);
    }
    flow.value.waiting.append(node);
  }

  /** Takes out a node of the tenant's. */
  remove(tenant: string, node: ListNode<T>): void {
    const flow = this.#flows.get(tenant);
    if (flow === undefined) return;
    flow.value.waiting.remove(node);
    if (flow.value.waiting.size > 0) return;
    // A tenant that has nothing waiting saves nothing up.
    this.#turns.remove(flow);
    this.#flows.delete(tenant);
  }

  /** The tenant's call that came last, if it has one. */
  newestOf(tenant: string): T | undefined {
    return this.#flows.get(tenant)?.value.waiting.tail?.value;
  }

  /** Whose turn it is, with its cost paid. The caller removes it. */
  next(): T | undefined {
    let unservedCount = 0;
    for (;;) {
      const flow = this.#turns.head;
      const first = flow?.value.waiting.head?.value;
      if (flow === undefined || first === undefined) return undefined;
      const { value } = flow;
      if (!value.credited) {
        if (value.round === this.#round) {
          this.#round += 1;
          this.#quantum = this.#meanCost;
        }
        value.round = this.#round;
        value.credited = true;
        value.deficit += this.#quantum * value.weight;
      }
      if (first.cost <= value.deficit) {
        value.deficit -= first.cost;
        return first;
      }
      value.credited = false;
      this.#turns.remove(flow);
      this.#turns.append(flow);
      unservedCount += 1;
      // Nobody could pay in a whole round: the rounds until somebody can are gone through at once.
      if (unservedCount % this.#turns.size === 0) this.#skipRounds();
    }
  }

  #skipRounds(): void {
    let roundCount = Number.POSITIVE_INFINITY;
    for (let flow = this.#turns.head; flow !== undefined; flow = flow.next) {
      const { weight, deficit, waiting } = flow.value;
      const missing = (waiting.head?.value.cost ?? 0) - deficit;
      roundCount = Math.min(roundCount, Math.ceil(missing / (this.#quantum * weight)));
    }
    const skipped = roundCount - 1;
    if (skipped < 1) return;
    for (let flow = this.#turns.head; flow !== undefined; flow = flow.next) {
      flow.value.deficit += skipped * this.#quantum * flow.value.weight;
    }
  }
}
