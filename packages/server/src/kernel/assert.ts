/** Invariants: when one does not hold, we are wrong, and the request dies rather than the process. */

export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** Throws `AssertionError` unless `condition` holds. `invariant` states what must be true, as a sentence. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new AssertionError(`Invariant broken: ${invariant}`);
}

/** Ends a `switch` over a closed union; the type system refuses a case that was forgotten. */
export function unreachable(value: never): never {
  throw new AssertionError(`Unreachable value: ${JSON.stringify(value)}`);
}
