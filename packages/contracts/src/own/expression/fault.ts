/** What comes out of an expression that has no value. A fault is a value that passes through, as CEL has it. */

/**
 * `missing`: something was asked for that the evidence does not have. `type`: an operation does not fit its values.
 * `value`: a value cannot be taken, such as a text that is no number.
 */
export type FaultKind = "missing" | "type" | "value";

export class Fault {
  readonly kind: FaultKind;
  readonly text: string;
  /** Where in the expression, in UTF-16 units. */
  readonly start: number;

  constructor(kind: FaultKind, text: string, start: number) {
    this.kind = kind;
    this.text = text;
    this.start = start;
  }
}

/** An expression that is wrong whatever the evidence: syntax, unknown names, types that never fit, or its cost. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
  /** Where in the expression, in UTF-16 units. */
  readonly start: number;
  readonly end: number;

  constructor(message: string, place: { readonly start: number; readonly end: number }) {
    super(message);
    this.start = place.start;
    this.end = place.end;
  }
}
