/** Places in a YAML file: of its nodes, and of what stands within a text. */

import { isScalar, type LineCounter, type Node, Scalar } from "yaml";

/** The place of a node, as `line 3, column 7`. */
export function placeOfNode(node: Node | undefined, lines: LineCounter): string {
  return placeOf(node?.range?.[0] ?? 0, lines);
}

/** The place of an offset within the text of a node, as near as the way it is written lets it be told. */
export function placeWithin(
  node: Node | undefined,
  offset: number,
  { source, lines }: { source: string; lines: LineCounter },
): string {
  const start = node?.range?.[0] ?? 0;
  if (!isScalar(node) || typeof node.value !== "string") return placeOf(start, lines);
  switch (node.type) {
    case Scalar.PLAIN:
      return placeOf(start + offset, lines);
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      return placeOf(start + 1 + offset, lines);
    case Scalar.BLOCK_LITERAL:
    case Scalar.BLOCK_FOLDED:
      return placeOf(offsetInBlock(source, start, { text: node.value, offset }), lines);
    default:
      return placeOf(start, lines);
  }
}

function placeOf(offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  return `line ${line}, column ${col}`;
}

/** Walks the lines of a block as the text does: folded or not, a word of the text is a word of the source. */
function offsetInBlock(
  source: string,
  start: number,
  { text, offset }: { text: string; offset: number },
): number {
  let at = source.indexOf("\n", start) + 1;
  for (let index = 0; index < offset && at < source.length; index += 1) {
    if (/\s/.test(text[index] ?? "")) {
      while (/\s/.test(source[at] ?? "")) at += 1;
      // Several spaces in a row of the text were passed over with the first of them.
      while (index + 1 < offset && /\s/.test(text[index + 1] ?? "")) index += 1;
    } else {
      while (/\s/.test(source[at] ?? "")) at += 1;
      at += 1;
    }
  }
  while (/\s/.test(source[at] ?? "")) at += 1;
  return at;
}
