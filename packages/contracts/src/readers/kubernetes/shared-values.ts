/** Keeps values that are equal once: the objects of a cluster repeat most of what they hold. */

/** Characters of a value that is looked for among others; longer ones are taken apart. */
const valueLengthMax = 2_048;
/** Characters of the values that are remembered at once. */
const rememberedLengthMax = 4 * 1024 * 1024;

export class SharedValues {
  /** Values by their JSON: those that were met lately, and those that were met before them. */
  #young = new Map<string, object>();
  #old = new Map<string, object>();
  #youngLength = 0;

  /** Replaces what `owner` holds by equal values that were met before, so far as they are remembered. */
  share(owner: object): void {
    // The names are those of the owner's own fields, or the indices of a list.
    const fields = owner as Record<string, unknown>;
    for (const name of Object.keys(owner)) {
      const value = fields[name];
      if (typeof value === "object" && value !== null) fields[name] = this.#shared(value);
    }
  }

  #shared(value: object): object {
    const text = JSON.stringify(value);
    if (text.length > valueLengthMax) {
      this.share(value);
      return value;
    }
    const known = this.#young.get(text) ?? this.#old.get(text);
    if (known === undefined) this.share(value);
    const kept = known ?? value;
    this.#remember(text, kept);
    return kept;
  }

  #remember(text: string, value: object): void {
    if (this.#young.has(text)) return;
    if (this.#youngLength > rememberedLengthMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngLength = 0;
    }
    this.#young.set(text, value);
    this.#youngLength += text.length;
  }
}
