/** Readers of replies, used again and again: each has buffers that are worth keeping. */

import type { ReplyForm } from "./reply-form.ts";
import { ReplyReader } from "./reply-reader.ts";

/** Of each form. */
const keptCountMax = 256;

export class ReplyReaders {
  readonly #free = new Map<ReplyForm, ReplyReader[]>();

  take(form: ReplyForm): ReplyReader {
    return this.#free.get(form)?.pop() ?? new ReplyReader(form);
  }

  /** The reader must not be used any more by who gives it back. */
  giveBack(reader: ReplyReader): void {
    const free = this.#free.get(reader.form);
    if (free === undefined) this.#free.set(reader.form, [reader]);
    else if (free.length === keptCountMax) return;
    else free.push(reader);
    reader.reset();
  }
}
