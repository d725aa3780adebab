/** Readers of replies, used again and again: each has buffers that are worth keeping. */

import { ReplyReader } from "./reply-reader.ts";

const keptCountMax = 256;

export class ReplyReaders {
  readonly #free: ReplyReader[] = [];

  take(): ReplyReader {
    return this.#free.pop() ?? new ReplyReader();
  }

  /** The reader must not be used any more by who gives it back. */
  giveBack(reader: ReplyReader): void {
    if (this.#free.length === keptCountMax) return;
    reader.reset();
    this.#free.push(reader);
  }
}
