/** Tells, line by line, whether a text is one document of JSON or one on each line, as `jsonValuesOf` does of a whole text. */

/** What of a line is decided from its pieces. */
interface OpenLine {
  /** Its first character that is no white space opens an object or a list. */
  isOpened: boolean;
  hasText: boolean;
  /** A terminator of lines other than `\n` stood behind its first character. */
  hasTerminator: boolean;
  /** It is a whole document as far as it has come: it ends as it began, but for white space. */
  isClosed: boolean;
}

const terminator = /[\r\u2028\u2029]/;
const spaces = /^\s*/;

function openLine(): OpenLine {
  return { isOpened: false, hasText: false, hasTerminator: false, isClosed: false };
}

export class LineShape {
  #line = openLine();
  #documentCount = 0;
  #isEvery = true;

  /** Whether there are several documents, each on a line of its own. Asked at the end of the text. */
  get isByLine(): boolean {
    return this.#isEvery && this.#documentCount > 1;
  }

  /** Takes text that may begin and end within a line. */
  push(text: string): void {
    let from = 0;
    while (this.#isEvery) {
      const next = text.indexOf("\n", from);
      this.#take(text.slice(from, next < 0 ? text.length : next));
      if (next < 0) return;
      this.#close();
      from = next + 1;
    }
  }

  end(): void {
    if (this.#isEvery) this.#close();
  }

  #take(piece: string): void {
    const line = this.#line;
    const begin = line.hasText ? 0 : (spaces.exec(piece)?.[0].length ?? 0);
    if (begin === piece.length) return;
    if (!line.hasText) {
      line.hasText = true;
      line.isOpened = /[{[]/.test(piece.charAt(begin));
    }
    // Within the text of a line, and behind it, such a character ends what a pattern takes for the line.
    const rest = piece.slice(begin);
    const text = rest.trimEnd();
    if (text !== "") {
      line.isClosed = !line.hasTerminator && !terminator.test(text) && /[}\]]$/.test(text);
    }
    line.hasTerminator ||= terminator.test(rest);
  }

  #close(): void {
    const line = this.#line;
    if (line.hasText && (!line.isOpened || line.hasTerminator)) this.#isEvery = false;
    if (line.isOpened && line.isClosed) this.#documentCount += 1;
    this.#line = openLine();
  }
}
