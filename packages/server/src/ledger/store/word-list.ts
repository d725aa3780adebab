/** Texts of which a batch has few and means each often: each is written once, and then meant by its place. */

import { TextColumn } from "./column.ts";

export class WordList {
  readonly column = new TextColumn();
  readonly #places = new Map<string, number>();

  /** The place of a text, from 1 on; of none it is 0. */
  placeOf(text: string | undefined): number {
    if (text === undefined) return 0;
    const known = this.#places.get(text);
    if (known !== undefined) return known;
    const place = this.#places.size + 1;
    this.#places.set(text, place);
    this.column.add(text);
    return place;
  }
}
