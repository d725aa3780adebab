/** Simulated time: what is due next happens next, and nothing passes in between. */

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

export class EventQueue {
  nowMs = 0;
  #order = 0;
  readonly #heap: Due[] = [];

  /** Runs something after a while; things of one time run in the order in which they were asked for. */
  after(durationMs: number, run: () => void): void {
    this.#order += 1;
    this.#push({ atMs: this.nowMs + Math.max(0, durationMs), order: this.#order, run });
  }

  /** Runs what is due next; false when nothing is. */
  step(): boolean {
    const due = this.#pop();
    if (due === undefined) return false;
    this.nowMs = due.atMs;
    due.run();
    return true;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let index = heap.push(due) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || isEarlier(above, due)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let least = left;
      if (right !== undefined && isEarlier(right, left)) {
        child += 1;
        least = right;
      }
      if (isEarlier(last, least)) break;
      heap[index] = least;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isEarlier(left: Due, right: Due): boolean {
  return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
}
