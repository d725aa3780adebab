/** Watches the fields of one object for the list of one name. */

/** Characters of a name with every character escaped, and quotes. */
const writtenLengthPerCharacter = 6;

export class KeyWatch {
  readonly #name: string;
  readonly #writtenLengthMax: number;
  /** The last string, with its quotes, and what came of it. */
  #written = "";
  #state: "begun" | "ended" | "colon" | undefined;

  constructor(name: string) {
    this.#name = name;
    this.#writtenLengthMax = name.length * writtenLengthPerCharacter + 2;
  }

  /** Whether the value of the field is what comes next. */
  get isAtValue(): boolean {
    return this.#state === "colon" && this.#written.length <= this.#writtenLengthMax
      ? this.#isName()
      : false;
  }

  /** Takes a character of a string, quotes among them. */
  takeOfString(character: string, isEnd: boolean): void {
    if (this.#state !== "begun") this.#written = "";
    this.#state = isEnd ? "ended" : "begun";
    if (this.#written.length <= this.#writtenLengthMax) this.#written += character;
  }

  /** Takes a character that stands outside of strings, objects and lists. */
  takeBetween(character: string): void {
    if (/[ \t\r\n]/.test(character)) return;
    this.#state = character === ":" && this.#state === "ended" ? "colon" : undefined;
  }

  reset(): void {
    this.#state = undefined;
  }

  #isName(): boolean {
    try {
      return JSON.parse(this.#written) === this.#name;
    } catch {
      // A string that is none is no name, and its document is refused.
      return false;
    }
  }
}
