/** Follows a JSON object as it grows, to know when it is whole: only then may the next tool call begin. */

export class JsonBalance {
  #depth = 0;
  #began = false;
  #inText = false;
  #escaped = false;

  /** Whether an object or list has begun and every bracket is closed. */
  get whole(): boolean {
    return this.#began && this.#depth === 0;
  }

  write(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.#read(text.charCodeAt(index));
  }

  #read(unit: number): void {
    if (this.#escaped) {
      this.#escaped = false;
    } else if (this.#inText) {
      if (unit === 0x5c) this.#escaped = true;
      else if (unit === 0x22) this.#inText = false;
    } else if (unit === 0x22) {
      this.#inText = true;
    } else if (unit === 0x7b || unit === 0x5b) {
      this.#began = true;
      this.#depth += 1;
    } else if (unit === 0x7d || unit === 0x5d) {
      this.#depth -= 1;
    }
  }
}
