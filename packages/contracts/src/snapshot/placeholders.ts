/** Stable stand-ins for what is taken out: one value always gets one placeholder within a snapshot. */

/** What redaction takes out, as its report counts it. */
export const redactionKinds = [
  "api-key",
  "bearer-token",
  "card-number",
  "email",
  "kubernetes-secret",
  "private-key",
  "secret-field",
  "sql-literal",
  "url-credential",
  "user-identity",
] as const;
export type RedactionKind = (typeof redactionKinds)[number];

/** Hands out placeholders and counts the places at which they stand. */
export class Placeholders {
  readonly #numbers = new Map<string, number>();
  readonly #lastNumber = new Map<RedactionKind, number>();
  readonly counts: Record<RedactionKind, number>;

  constructor() {
    // The keys are exactly the kinds.
    this.counts = Object.fromEntries(redactionKinds.map((kind) => [kind, 0])) as Record<
      RedactionKind,
      number
    >;
  }

  /** `[redacted-secret-field-3]`, or a form of the value's own shape where contracts may look at the shape. */
  of(kind: RedactionKind, value: string): string {
    if (isPlaceholder(value)) return value;
    this.counts[kind] += 1;
    const number = this.#numberOf(kind, value);
    switch (kind) {
      // A schema may ask for an e-mail address or for digits, so the stand-in is one, too.
      case "email":
        return `redacted-${number}@example.invalid`;
      case "card-number":
        return inShapeOf(value, number);
      case "sql-literal":
        return `'[redacted-${kind}-${number}]'`;
      default:
        return `[redacted-${kind}-${number}]`;
    }
  }

  #numberOf(kind: RedactionKind, value: string): number {
    const key = `${kind}\n${value}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = (this.#lastNumber.get(kind) ?? 0) + 1;
    this.#lastNumber.set(kind, number);
    this.#numbers.set(key, number);
    return number;
  }
}

/** Whether a text is what redaction leaves behind. */
export function isPlaceholder(text: string): boolean {
  return /^'?\[redacted-[a-z-]+-\d+\]'?$|^redacted-\d+@example\.invalid$/.test(text);
}

/** Digits become the number with zeros before it; everything between them stays. */
function inShapeOf(value: string, number: number): string {
  const digitCount = value.replace(/\D/g, "").length;
  const digits = String(number).padStart(digitCount, "0").slice(-digitCount);
  let index = 0;
  return value.replace(/\d/g, () => digits.charAt(index++));
}
