/** Operators that repeat a tensor, or cut it into parts. */

import type { Dimension } from "../model/operators.ts";
import { type Shape, shapeWords } from "./dimensions.ts";
import {
  dimensionIn,
  fault,
  fits,
  type Inferred,
  type OperatorView,
  unknown,
} from "./operator-view.ts";
import { pieces } from "./selections.ts";

/** Stretches lengths of 1 to those that are asked for; -1 keeps a length. */
export function expand(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const size = view.lengths("size sizes shape");
  if (input === undefined || size === undefined)
    return unknown("the shape of the input and the one that is asked for");
  // ONNX stretches both ways; only what PyTorch and NumPy do is judged.
  if (/(?:^|:)Expand$/.test(view.operator.operator)) return unknown("the rule of ONNX");
  const asked = `the input is ${shapeWords(input)}, asked for [${size.map((length) => length ?? "?").join(", ")}]`;
  if (size.length < input.length) return fault(`at least ${input.length} lengths`, asked);
  const lead = size.length - input.length;
  const expanded: Dimension[] = [];
  for (const [index, length] of size.entries()) {
    const own = index < lead ? 1 : view.dimensions.resolve(input[index - lead]);
    if (length === null) {
      expanded.push(null);
      continue;
    }
    if (length < -1 || (length === -1 && index < lead))
      return fault("lengths for the dimensions that the input does not have", asked);
    if (typeof own === "number" && own !== 1 && length !== -1 && own !== length)
      return fault("lengths of 1 where the size is another", asked);
    expanded.push(length === -1 ? (input[index - lead] ?? null) : length);
  }
  return fits(expanded);
}

/** Repeats a tensor so many times along each dimension. */
export function repeat(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const times = view.numbers("repeats sizes multiples");
  if (input === undefined || times === undefined)
    return unknown("the shape of the input and how often it is repeated");
  if (times.length < input.length) {
    return fault(
      `at least ${input.length} numbers of repetition`,
      `the input is ${shapeWords(input)}, the repetitions [${times.join(", ")}]`,
    );
  }
  const lead = times.length - input.length;
  return fits(
    times.map((count, index) => {
      const own = index < lead ? 1 : view.dimensions.resolve(input[index - lead]);
      return typeof own === "number" ? own * count : null;
    }),
  );
}

/** Cuts a tensor into parts of given lengths along a dimension. */
export function split(view: OperatorView): Inferred {
  const [input] = view.shapes;
  const sizes = view.numbers("splitsize splitsizes splitsizeorsections sections split");
  const dim = view.number("dim axis");
  if (input === undefined || sizes === undefined || dim === undefined)
    return unknown("the shape of the input, the lengths and the dimension");
  const at = dimensionIn(dim, input.length);
  const [only] = sizes;
  if (at === undefined)
    return fault(`a dimension that ${shapeWords(input)} has`, `the dimension ${dim}`);
  const length = view.dimensions.resolve(input[at]);
  if (typeof length !== "number" || only === undefined) return unknown("the length that is cut");
  // One number may be a length or, elsewhere, a count of parts.
  if (sizes.length === 1) {
    const isLength = view.number("splitsize") !== undefined && only > 0;
    return isLength ? pieces(input, at, { length, each: only }) : unknown("the length that is cut");
  }
  const sum = sizes.reduce((total, size) => total + size, 0);
  return sum === length
    ? fits(...sizes.map((size): Shape => input.with(at, size)))
    : fault(`lengths that sum to ${length}`, `the lengths are [${sizes.join(", ")}]`);
}
