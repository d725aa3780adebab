/** Reads the part of CEL that expressions about devices are usually written in. */

/** A part of an expression. */
export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "number"; readonly number: bigint }
  | { readonly kind: "boolean"; readonly isTrue: boolean }
  | { readonly kind: "list"; readonly items: readonly Node[] }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "member"; readonly of: Node; readonly name: string }
  | { readonly kind: "index"; readonly of: Node; readonly at: Node }
  | { readonly kind: "not"; readonly of: Node }
  | { readonly kind: "and" | "or"; readonly left: Node; readonly right: Node }
  | {
      readonly kind: "compare";
      readonly operator: string;
      readonly left: Node;
      readonly right: Node;
    }
  | { readonly kind: "in"; readonly left: Node; readonly right: Node }
  | { readonly kind: "has"; readonly of: Node; readonly name: string }
  | { readonly kind: "bind"; readonly name: string; readonly value: Node; readonly body: Node }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly of: Node | undefined;
      readonly operands: readonly Node[];
    };

/** The API takes expressions of at most this length. */
const lengthMax = 10_240;
const depthMax = 32;
/** Expressions that are kept once read; a cluster has few different ones. */
const keptCountMax = 1_000;

/** A memory and no state: the same text always reads the same. */
const kept = new Map<string, Node | undefined>();

/** The expression, or nothing when it is written in more than is known here. */
export function parseDeviceExpression(text: string): Node | undefined {
  if (kept.has(text)) return kept.get(text);
  const node = parse(text);
  if (kept.size < keptCountMax) kept.set(text, node);
  return node;
}

function parse(text: string): Node | undefined {
  if (text.length > lengthMax) return undefined;
  const tokens = tokensOf(text);
  if (tokens === undefined) return undefined;
  try {
    const reader = new Reader(tokens);
    const node = reader.disjunction(0);
    return reader.isAtEnd ? node : undefined;
  } catch (error) {
    if (error instanceof NotRead) return undefined;
    throw error;
  }
}

/** The expression is written in something that is not known here. */
class NotRead extends Error {}

const token =
  /\s*(?:(\d{1,18})(?![\w.])|([A-Za-z_]\w*)|("[^"\\\n]*"|'[^'\\\n]*')|(&&|\|\||[=!<>]=|[-!<>()[\].,]))/y;

function tokensOf(text: string): string[] | undefined {
  const tokens: string[] = [];
  token.lastIndex = 0;
  const end = text.trimEnd().length;
  let at = 0;
  while (at < end) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) return undefined;
    tokens.push(found[0].trim());
    at = token.lastIndex;
  }
  return tokens;
}

class Reader {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length;
  }

  disjunction(depth: number): Node {
    if (depth > depthMax) throw new NotRead();
    let left = this.#conjunction(depth);
    while (this.#takes("||")) left = { kind: "or", left, right: this.#conjunction(depth) };
    return left;
  }

  #conjunction(depth: number): Node {
    let left = this.#relation(depth);
    while (this.#takes("&&")) left = { kind: "and", left, right: this.#relation(depth) };
    return left;
  }

  #relation(depth: number): Node {
    const left = this.#unary(depth);
    for (const operator of ["==", "!=", "<=", ">=", "<", ">"]) {
      if (this.#takes(operator))
        return { kind: "compare", operator, left, right: this.#unary(depth) };
    }
    return this.#takes("in") ? { kind: "in", left, right: this.#unary(depth) } : left;
  }

  #unary(depth: number): Node {
    if (depth > depthMax) throw new NotRead();
    if (this.#takes("!")) return { kind: "not", of: this.#unary(depth + 1) };
    if (this.#takes("-")) {
      const number = this.#next();
      if (!/^\d+$/.test(number)) throw new NotRead();
      return { kind: "number", number: -BigInt(number) };
    }
    let node = this.#primary(depth);
    while (this.#at < this.#tokens.length) {
      if (this.#takes("[")) {
        node = { kind: "index", of: node, at: this.disjunction(depth + 1) };
        this.#expect("]");
      } else if (this.#takes(".")) {
        node = this.#member(node, depth);
      } else break;
    }
    return node;
  }

  #member(of: Node, depth: number): Node {
    const name = this.#name();
    if (!this.#takes("(")) return { kind: "member", of, name };
    const operands = this.#list(")", depth);
    const [bound, value, body] = operands;
    const isBind = of.kind === "name" && of.name === "cel" && name === "bind";
    if (!isBind) return { kind: "call", name, of, operands };
    if (bound?.kind !== "name" || value === undefined || body === undefined) throw new NotRead();
    return { kind: "bind", name: bound.name, value, body };
  }

  #primary(depth: number): Node {
    if (this.#takes("(")) {
      const node = this.disjunction(depth + 1);
      this.#expect(")");
      return node;
    }
    if (this.#takes("[")) return { kind: "list", items: this.#list("]", depth) };
    const text = this.#next();
    if (/^["']/.test(text)) return { kind: "text", text: text.slice(1, -1) };
    if (/^\d/.test(text)) return { kind: "number", number: BigInt(text) };
    if (text === "true" || text === "false") return { kind: "boolean", isTrue: text === "true" };
    if (!/^[A-Za-z_]/.test(text)) throw new NotRead();
    if (!this.#takes("(")) return { kind: "name", name: text };
    const operands = this.#list(")", depth);
    if (text !== "has") return { kind: "call", name: text, of: undefined, operands };
    const [asked] = operands;
    if (asked?.kind !== "member") throw new NotRead();
    return { kind: "has", of: asked.of, name: asked.name };
  }

  #list(end: string, depth: number): Node[] {
    const items: Node[] = [];
    if (this.#takes(end)) return items;
    do items.push(this.disjunction(depth + 1));
    while (this.#takes(","));
    this.#expect(end);
    return items;
  }

  #name(): string {
    const text = this.#next();
    if (!/^[A-Za-z_]/.test(text)) throw new NotRead();
    return text;
  }

  #takes(text: string): boolean {
    if (this.#tokens[this.#at] !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new NotRead();
  }

  #next(): string {
    const text = this.#tokens[this.#at];
    if (text === undefined) throw new NotRead();
    this.#at += 1;
    return text;
  }
}
