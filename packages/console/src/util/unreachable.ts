/** Ends a `switch` over every kind of a union: the compiler refuses one that forgets a kind. */

/** A server of a later version may send a kind that this page does not know; it is left out. */
export function unreachable(_value: never): null {
  return null;
}
