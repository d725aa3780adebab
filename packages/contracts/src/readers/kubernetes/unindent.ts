/** Takes away the indentation of a text that was copied out of a quotation or a listing. */

/** A text without the white space that begins all its lines; lines without anything else do not count. */
export function unindented(text: string): string {
  if (!/^\s/.test(text)) return text;
  const lines = text.split("\n");
  let indent: string | undefined;
  for (const line of lines) {
    if (line.trim() === "") continue;
    const own = /^[ \t]*/.exec(line)?.[0] ?? "";
    indent = indent === undefined ? own : commonStart(indent, own);
    if (indent === "") return text;
  }
  if (indent === undefined) return text;
  const { length } = indent;
  return lines.map((line) => (line.trim() === "" ? "" : line.slice(length))).join("\n");
}

function commonStart(left: string, right: string): string {
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return left.slice(0, length);
}
