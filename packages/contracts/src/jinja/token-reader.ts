/** Reads tokens one after the other. */

import type { Token } from "./lexer.ts";
import { TemplateError } from "./template-error.ts";

/** Nesting of expressions and of blocks. */
const depthMax = 100;

export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#tokens.length;
  }

  peek(offset = 0): Token | undefined {
    return this.#tokens[this.#at + offset];
  }

  next(): Token | undefined {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  /** Whether a word or an operator stands here. */
  isAt(text: string, offset = 0): boolean {
    const token = this.peek(offset);
    return (token?.kind === "name" || token?.kind === "operator") && token.text === text;
  }

  /** Takes a word or an operator if it stands here. */
  take(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.#at += 1;
    return true;
  }

  expect(text: string): void {
    if (!this.take(text)) throw this.fault(`'${text}' is missing`);
  }

  name(): string {
    const token = this.next();
    if (token?.kind !== "name") throw this.fault("a name is missing");
    return token.text;
  }

  close(of: "statement" | "expression"): void {
    const token = this.next();
    if (token?.kind !== "close" || token.of !== of)
      throw this.fault("a tag goes on where it should end");
  }

  /** Reads what may hold more of its own kind. */
  within<T>(read: () => T): T {
    this.#depth += 1;
    if (this.#depth > depthMax)
      throw new TemplateError("bounded", "The template is nested too deeply.");
    const value = read();
    this.#depth -= 1;
    return value;
  }

  fault(words: string): TemplateError {
    const before = this.#tokens
      .slice(Math.max(0, this.#at - 6), this.#at)
      .map((token) => ("text" in token ? token.text : token.kind))
      .join(" ");
    return new TemplateError("syntax", `${words}, behind: ${before.slice(-80)}`);
  }
}
