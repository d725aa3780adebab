/**
 * Objects that come and go by the thousand, such as calls under way. A `Set` of them costs dearly: it makes its table anew
 * every few removals, and each old table keeps what was in it, and the next table, alive until the next full collection.
 */

/** A place in a list, and the way out of it; `index` is -1 once it was left. */
export interface ListPlace {
  index: number;
}

export class LiveList<Member> {
  readonly #members: Member[] = [];
  readonly #places: ListPlace[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: Member): ListPlace {
    const place = { index: this.#members.length };
    this.#members.push(member);
    this.#places.push(place);
    return place;
  }

  /** Takes out who has this place; nothing happens when it was left already. */
  remove(place: ListPlace): void {
    const { index } = place;
    if (index < 0) return;
    place.index = -1;
    const member = this.#members.pop();
    const last = this.#places.pop();
    if (member === undefined || last === undefined || last === place) return;
    last.index = index;
    this.#members[index] = member;
    this.#places[index] = last;
  }

  /**
   * Calls `visit` for each member, in no order that means anything. Members may leave and others come meanwhile: who stays
   * is visited, and when another leaves, perhaps twice; who has come may be.
   */
  each(visit: (member: Member) => void): void {
    // From the end: whoever fills the place of one that leaves was visited already, or is visited there.
    for (let index = this.#members.length - 1; index >= 0; index -= 1) {
      const member = this.#members[index];
      if (member !== undefined) visit(member);
    }
  }
}
