/** What the other nodes offer: whether a wish of a pod is fulfilled anywhere. */

import type { Node } from "../node.ts";
import {
  type Expression,
  matchesExpression,
  matchesTerm,
  type Term,
} from "../../kubernetes/selector.ts";

/** What changes are measured by: all nodes, and the node at hand as the evidence has it. */
export interface Background {
  readonly surroundings: Surroundings;
  readonly original: Node;
}

/** Answers about all nodes of a cluster, remembered by question. */
export class Surroundings {
  readonly #nodes: readonly Node[];
  readonly #values = new Map<string, Set<string>>();
  readonly #fulfilled = new Map<string, boolean>();

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    for (const { labels } of nodes) {
      for (const [key, value] of labels) {
        const values = this.#values.get(key);
        if (values === undefined) this.#values.set(key, new Set([value]));
        else values.add(value);
      }
    }
  }

  /** Whether some node carries a label. */
  hasLabel(key: string, value: string): boolean {
    return this.#values.get(key)?.has(value) ?? false;
  }

  /** Whether some node matches an expression. */
  fulfils(expression: Expression): boolean {
    const question = JSON.stringify(expression);
    const known = this.#fulfilled.get(question);
    if (known !== undefined) return known;
    const answer = this.#nodes.some((node) => matchesExpression(expression, node));
    this.#fulfilled.set(question, answer);
    return answer;
  }

  /** Whether some node matches a term as a whole. */
  fulfilsTerm(term: Term): boolean {
    const question = `term ${JSON.stringify(term)}`;
    const known = this.#fulfilled.get(question);
    if (known !== undefined) return known;
    const answer = this.#nodes.some((node) => matchesTerm(term, node));
    this.#fulfilled.set(question, answer);
    return answer;
  }
}
