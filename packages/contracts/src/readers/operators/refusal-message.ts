/** The form of a message by which an operator refuses its inputs. */

/** A message: how it is recognised, and what it says. `$1` stands for what the first bracket of the pattern holds. */
export interface Message {
  readonly pattern: RegExp;
  readonly operator: string;
  readonly expected: string;
  readonly actual: string;
}

const shape = String.raw`(?:torch\.Size\()?([[({][\d\s,x×?*NoneTensorShape.:-]{0,256}[\])}])\)?`;

/** A message by its pattern, in which SHAPE stands for a shape in any spelling. */
export function message(
  pattern: string,
  operator: string,
  [expected, actual]: readonly [string, string],
): Message {
  return {
    pattern: new RegExp(pattern.replaceAll("SHAPE", shape), "i"),
    operator,
    expected,
    actual,
  };
}
