/** Finds a field that an object of a JSON text names twice: readers disagree on which of the two counts. */

export interface RepeatedField {
  readonly name: string;
  /** Where its second name starts, in characters. */
  readonly at: number;
}

/** The first field that is repeated in its object. The text must be valid JSON. */
export function findRepeatedField(text: string): RepeatedField | undefined {
  /** The names in each open object; `undefined` for an open array. */
  const open: (Set<string> | undefined)[] = [];
  let start = 0;
  let end = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charAt(at)) {
      case "{":
        open.push(new Set());
        break;
      case "[":
        open.push(undefined);
        break;
      case "}":
      case "]":
        open.pop();
        break;
      case '"':
        start = at;
        end = endOfString(text, at);
        at = end - 1;
        break;
      case ":": {
        // What stands before a colon is a name, which may be spelled with escapes.
        const name = String(JSON.parse(text.slice(start, end)));
        const names = open.at(-1);
        if (names?.has(name) === true) return { name, at: start };
        names?.add(name);
        break;
      }
    }
  }
  return undefined;
}

/** The place behind the closing quote of the string that starts at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
