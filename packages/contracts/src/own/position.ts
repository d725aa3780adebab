/** Places in a YAML file: of its nodes, and of what stands within a text. */

import { type Document, isNode, isScalar, type LineCounter, type Node, Scalar } from "yaml";

/** The steps of a JSON pointer; those that are whole numbers are indices. */
export function pathOfPointer(pointer: string): (string | number)[] {
  return pointer
    .split("/")
    .slice(1)
    .map((part) => {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      return /^\d+$/.test(name) ? Number(name) : name;
    });
}

/** The node of a path, or the nearest one above that exists; of what stands behind an alias, the alias. */
export function nearestNode(
  document: Document,
  path: readonly (string | number)[],
): Node | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const found: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(found)) return found;
  }
  return document.contents ?? undefined;
}

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
      return placeOf(offsetInFlow(source, start, { text: node.value, offset }), lines);
    case Scalar.QUOTE_DOUBLE:
    case Scalar.QUOTE_SINGLE:
      return placeOf(
        offsetInFlow(source, start + 1, { text: node.value, offset, quote: source[start] }),
        lines,
      );
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

/** Units of a plain or quoted text by what stands for them: folded line breaks, doubled quotes, escapes. */
function offsetInFlow(
  source: string,
  start: number,
  { text, offset, quote }: { text: string; offset: number; quote?: string | undefined },
): number {
  let at = start;
  for (let index = 0; at < source.length; index += 1) {
    // An escaped line break stands for nothing, and takes the indentation of the next line with it.
    const broken = quote === '"' && /^\\\r?\n[ \t]*/.exec(source.slice(at, at + escapeLengthMax));
    if (broken) at += broken[0].length;
    if (index >= offset) break;
    if (quote === '"' && source[at] === "\\") {
      const [written = "\\"] = escapePattern.exec(source.slice(at, at + escapeLengthMax)) ?? [];
      at += written.length;
      // What is beyond the first 65,536 characters takes two units of the text.
      if (written.startsWith("\\U") && (text.codePointAt(index) ?? 0) > 0xffff) index += 1;
    } else if (quote === "'" && source.startsWith("''", at)) {
      at += 2;
    } else if (/\s/.test(source[at] ?? "") && /^[ \t]*\r?\n/.test(source.slice(at, at + 200))) {
      while (/\s/.test(source[at] ?? "")) at += 1;
    } else at += 1;
  }
  // What follows a folded line break begins behind the indentation.
  while (/\s/.test(source[at] ?? "") && !/\s/.test(text[offset] ?? " ")) at += 1;
  return at;
}

const escapeLengthMax = 300;
/** An escape of a text in double quotes. */
const escapePattern = /^\\(?:x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[^])/;

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
