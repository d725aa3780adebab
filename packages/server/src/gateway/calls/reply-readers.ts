/** Readers of replies, used again and again: each has buffers that are worth keeping. */

import type { CapturedText } from "./captured-text.ts";
import type { ReplyForm } from "./reply-form.ts";
import { ReplyReader } from "./reply-reader.ts";

/** Of each form. */
const keptCountMax = 256;

export class ReplyReaders {
  readonly #free = new Map<ReplyForm, ReplyReader[]>();

  /** One that captures has larger buffers, and is rare. */
  take(form: ReplyForm, captured: CapturedText | undefined): ReplyReader {
    if (captured !== undefined) return new ReplyReader(form, captured);
    return this.#free.get(form)?.pop() ?? new ReplyReader(form);
  }

  /** The reader must not be used any more by who gives it back. */
  giveBack(reader: ReplyReader): void {
    if (reader.captures) return;
    const free = this.#free.get(reader.form);
    if (free === undefined) this.#free.set(reader.form, [reader]);
    else if (free.length === keptCountMax) return;
    else free.push(reader);
    reader.reset();
  }
}
