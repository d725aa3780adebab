/** Keeps values that are equal once: the objects of a cluster repeat most of what they hold. */

/** Characters of a value that is looked for among others; longer ones are taken apart. */
const valueLengthMax = 2_048;
/** Characters of the values that are remembered at once. */
const rememberedLengthMax = 2 * 1024 * 1024;
/** Values of which it is known that they were met, by a hash; a power of two. */
const metCount = 65_536;
/** Texts that are remembered at once; a power of two. */
const textCount = 16_384;
/** Characters of a text that is looked for among others: shorter ones the engine itself keeps once, longer ones differ. */
const textLengthMin = 11;
const textLengthMax = 256;
/** Characters that tell one text from others; what is longer is looked at in steps. */
const hashedLengthMax = 64;

export class SharedValues {
  /** Values by their JSON: those that were met lately, and those that were met before them. */
  #young = new Map<string, object>();
  #old = new Map<string, object>();
  #youngLength = 0;
  /** Most of what is met once never comes again, so a value is remembered only when it comes the second time. */
  readonly #met = new Uint32Array(metCount);
  /** The last text of each hash. */
  readonly #texts: string[] = Array.from({ length: textCount }, () => "");

  /** Replaces what `owner` holds by equal values that were met before, so far as they are remembered. */
  share(owner: object): void {
    // The names are those of the owner's own fields, or the indices of a list.
    const fields = owner as Record<string, unknown>;
    for (const name of Object.keys(owner)) {
      const value = fields[name];
      if (typeof value === "string") fields[name] = this.#sharedText(value);
      else if (typeof value === "object" && value !== null) fields[name] = this.#shared(value);
    }
  }

  #sharedText(text: string): string {
    if (text.length < textLengthMin || text.length > textLengthMax) return text;
    const index = hashOf(text) & (textCount - 1);
    const known = this.#texts[index];
    if (known === text) return known;
    this.#texts[index] = text;
    return text;
  }

  #shared(value: object): object {
    const text = JSON.stringify(value);
    if (text.length > valueLengthMax) {
      this.share(value);
      return value;
    }
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old === undefined) this.share(value);
    if (old !== undefined || this.#isMetAgain(text)) this.#remember(text, old ?? value);
    return old ?? value;
  }

  #remember(text: string, value: object): void {
    if (this.#youngLength > rememberedLengthMax) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngLength = 0;
    }
    this.#young.set(text, value);
    this.#youngLength += text.length;
  }

  #isMetAgain(text: string): boolean {
    const hash = hashOf(text);
    const index = hash & (metCount - 1);
    const isMet = this.#met[index] === hash;
    this.#met[index] = hash;
    return isMet;
  }
}

/** FNV-1a over 32 bits, over all of a short text and over some characters of a long one. */
function hashOf(text: string): number {
  const step = 1 + Math.floor(text.length / hashedLengthMax);
  let hash = 0x811c9dc5 ^ text.length;
  for (let index = text.length - 1; index >= 0; index -= step) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
