/** Scaled dot-product attention. */

import { type Dimensions, type Shape, shapeWords } from "./dimensions.ts";
import { fault, fits, type Inferred, type OperatorView, unknown } from "./operator-view.ts";
import { stretchAll } from "./stretch.ts";

/** Scaled dot-product attention of query, key and value. */
export function attention(view: OperatorView): Inferred {
  const [query, key, value, mask] = view.shapes;
  if (query === undefined || key === undefined || value === undefined)
    return unknown("the shapes of query, key and value");
  if (query.length < 2 || key.length < 2 || value.length < 2)
    return fault("query, key and value of at least two dimensions", view.words());
  const { dimensions } = view;
  if (!dimensions.unify(query.at(-1), key.at(-1)))
    return fault(
      "query and key with one length of their last dimension",
      partsOf(query, key, value),
    );
  if (!dimensions.unify(key.at(-2), value.at(-2)))
    return fault("as many keys as values", partsOf(query, key, value));
  const heads = headsOf(view, { query, key, value });
  if (heads !== undefined) return heads;
  const batch = stretchAll(dimensions, [query.slice(0, -2), key.slice(0, -2), value.slice(0, -2)]);
  if (batch === undefined)
    return fault(
      "query, key and value with leading dimensions that fit",
      partsOf(query, key, value),
    );
  const scores: Shape = [...batch, query.at(-2) ?? null, key.at(-2) ?? null];
  if (mask !== undefined && !fitsInto(dimensions, mask, scores))
    return fault(
      `a mask that stretches to ${shapeWords(scores)}`,
      `the mask is ${shapeWords(mask)}`,
    );
  return fits([...batch, query.at(-2) ?? null, value.at(-1) ?? null]);
}

/** Groups of query heads that share a key head; nothing where the heads are plain. */
function headsOf(
  view: OperatorView,
  { query, key, value }: { query: Shape; key: Shape; value: Shape },
): Inferred | undefined {
  const [own, shared, values] = [query, key, value].map((shape) =>
    view.dimensions.resolve(shape.at(-3)),
  );
  if (query.length < 3 || key.length < 3 || own === shared) return undefined;
  const isWhole =
    typeof own === "number" && typeof shared === "number" && shared > 0 && own % shared === 0;
  const isAllowed = view.flag("enablegqa");
  // Other frameworks, and records without attributes, do not say whether heads are shared.
  if (isWhole && !isAllowed && shared > 1 && !view.has("enablegqa") && own > 1)
    return unknown("whether heads of the query share those of the key (enable_gqa)");
  if (!isAllowed) return undefined;
  if (typeof own !== "number" || typeof shared !== "number") return unknown("the number of heads");
  return isWhole && (values === shared || typeof values !== "number" || own % values === 0)
    ? fits([...query.slice(0, -1), value.at(-1) ?? null])
    : fault(
        "a number of heads that is a multiple of those of key and value",
        partsOf(query, key, value),
      );
}

function fitsInto(dimensions: Dimensions, mask: Shape, scores: Shape): boolean {
  return mask.length <= scores.length && stretchAll(dimensions, [mask, scores]) !== undefined;
}

function partsOf(query: Shape, key: Shape, value: Shape): string {
  return `query ${shapeWords(query)}, key ${shapeWords(key)}, value ${shapeWords(value)}`;
}
