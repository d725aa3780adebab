/**
 * Deficit round robin between tenants: each turn a tenant may spend its quantum times its weight, and what it could
 * not spend is kept for its next turn, so that large and small calls share by cost (Shreedhar and Varghese, 1995).
 * Within a tenant the urgent go first; between tenants a call that is less urgent costs more, so that urgency gives a
 * larger share, and never all of it.
 */

import { dispatchLimits } from "./limits.ts";
import { LinkedList, type ListNode, listNode } from "./linked-list.ts";
import { priorities } from "./priority.ts";

/** How much each new call moves the mean cost. */
const costShare = 0.1;
/** What a call costs by its rank, the most urgent first. */
const rankFactors: readonly number[] = [1, 2, 4];

export interface Costed {
  /** At least 1. */
  readonly cost: number;
  /** Index into `priorities`; it may change only while the call is not in the round robin. */
  readonly rank: number;
}

/** What one tenant has waiting here. */
interface Flow<T extends Costed> {
  weight: number;
  readonly ranks: readonly LinkedList<T>[];
  size: number;
  deficit: number;
  /** The last round in which it had its quantum. */
  round: number;
  /** Whether it is having its turn. */
  credited: boolean;
}

export class RoundRobin<T extends Costed> {
  /** Also of some that have nothing waiting: who comes and goes all the time must not need a new one each time. */
  readonly #flows = new Map<string, ListNode<Flow<T>>>();
  readonly #turns = new LinkedList<Flow<T>>();
  #meanCost = 0;
  #round = 0;
  /**
   * What a tenant of weight 1 may spend in each turn: about what one call costs. Much less would take many rounds for
   * each call, and much more would let one tenant have many calls in a row. It is the same for all within a round.
   */
  #quantum = 0;

  /** `weight` counts from the tenant's first waiting call until it has none. */
  append(tenant: string, weight: number, node: ListNode<T>): void {
    const cost = costOf(node.value);
    this.#meanCost =
      this.#meanCost === 0 ? cost : this.#meanCost + (cost - this.#meanCost) * costShare;
    let flow = this.#flows.get(tenant);
    if (flow === undefined) {
      const ranks = priorities.map(() => new LinkedList<T>());
      flow = listNode({ weight, ranks, size: 0, deficit: 0, round: 0, credited: false });
      this.#flows.set(tenant, flow);
    }
    if (flow.value.size === 0) {
      flow.value.weight = weight;
      this.#turns.append(flow);
    }
    flow.value.ranks[node.value.rank]?.append(node);
    flow.value.size += 1;
  }

  /** Takes out a node of the tenant's. */
  remove(tenant: string, node: ListNode<T>): void {
    const flow = this.#flows.get(tenant);
    if (flow === undefined) return;
    const { value } = flow;
    value.ranks[node.value.rank]?.remove(node);
    value.size -= 1;
    if (value.size > 0) return;
    // A tenant that has nothing waiting saves nothing up.
    this.#turns.remove(flow);
    value.deficit = 0;
    value.round = 0;
    value.credited = false;
    if (this.#flows.size > dispatchLimits.idleTenantCountMax) this.#flows.delete(tenant);
  }

  /** Moves a node of the tenant's to the end of another rank, which `change` gives it. */
  lift(tenant: string, node: ListNode<T>, change: () => void): void {
    const ranks = this.#flows.get(tenant)?.value.ranks;
    ranks?.[node.value.rank]?.remove(node);
    change();
    ranks?.[node.value.rank]?.append(node);
  }

  /** The tenant's call of this rank that came last, if it has one. */
  newestOf(tenant: string, rank: number): T | undefined {
    return this.#flows.get(tenant)?.value.ranks[rank]?.tail?.value;
  }

  /** Whose turn it is, with its cost paid. The caller removes it. */
  next(): T | undefined {
    let unservedCount = 0;
    for (;;) {
      const flow = this.#turns.head;
      const first = flow === undefined ? undefined : firstOf(flow.value);
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
      const cost = costOf(first);
      if (cost <= value.deficit) {
        value.deficit -= cost;
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
      const first = firstOf(flow.value);
      const missing = (first === undefined ? 0 : costOf(first)) - flow.value.deficit;
      roundCount = Math.min(roundCount, Math.ceil(missing / (this.#quantum * flow.value.weight)));
    }
    const skipped = roundCount - 1;
    if (skipped < 1) return;
    for (let flow = this.#turns.head; flow !== undefined; flow = flow.next) {
      flow.value.deficit += skipped * this.#quantum * flow.value.weight;
    }
  }
}

function firstOf<T extends Costed>({ ranks }: Flow<T>): T | undefined {
  for (const rank of ranks) if (rank.head !== undefined) return rank.head.value;
  return undefined;
}

function costOf({ cost, rank }: Costed): number {
  return cost * (rankFactors[rank] ?? 1);
}
