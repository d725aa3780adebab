/** A doubly linked list: any member leaves in constant time, and no arrays move. */

export interface ListNode<T> {
  readonly value: T;
  previous: ListNode<T> | undefined;
  next: ListNode<T> | undefined;
}

/** A node for `value`, in no list yet. It may be in one list at a time. */
export function listNode<T>(value: T): ListNode<T> {
  return { value, previous: undefined, next: undefined };
}

export class LinkedList<T> {
  #head: ListNode<T> | undefined;
  #tail: ListNode<T> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get head(): ListNode<T> | undefined {
    return this.#head;
  }

  get tail(): ListNode<T> | undefined {
    return this.#tail;
  }

  /** Puts a node that is in no list at the end. */
  append(node: ListNode<T>): void {
    node.previous = this.#tail;
    node.next = undefined;
    if (this.#tail === undefined) this.#head = node;
    else this.#tail.next = node;
    this.#tail = node;
    this.#size += 1;
  }

  /** Takes out a node of this list. */
  remove(node: ListNode<T>): void {
    if (node.previous === undefined) this.#head = node.next;
    else node.previous.next = node.next;
    if (node.next === undefined) this.#tail = node.previous;
    else node.next.previous = node.previous;
    node.previous = undefined;
    node.next = undefined;
    this.#size -= 1;
  }
}
