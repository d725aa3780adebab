/** Finds where a text stops being JSON. Engines name the position in some of their messages only. */

const space = /[ \t\n\r]*/y;
const bare = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/**
 * The offset of the first character that no JSON document has at this place; the text's length when it ends too
 * early, or is JSON. A faulty string, number or word counts from its beginning.
 */
export function jsonFaultOffset(text: string): number {
  const scanner = { text, at: 0 };
  const closers: string[] = [];
  let isValueNext = true;
  for (;;) {
    skip(scanner, space);
    if (isValueNext) {
      const opened = openContainer(scanner, closers);
      if (opened === "fault") return scanner.at;
      if (opened === "open") continue;
      isValueNext = false;
      continue;
    }
    const closer = closers.at(-1);
    if (closer === undefined) return scanner.at;
    const next = text[scanner.at];
    if (next === closer) {
      closers.pop();
      scanner.at += 1;
    } else if (next === ",") {
      scanner.at += 1;
      if (closer === "}" && !readKey(scanner)) return scanner.at;
      isValueNext = true;
    } else {
      return scanner.at;
    }
  }
}

interface Scanner {
  readonly text: string;
  at: number;
}

/** Reads a scalar or an empty container (`done`), or the beginning of a container up to its first value (`open`). */
function openContainer(scanner: Scanner, closers: string[]): "done" | "open" | "fault" {
  const first = scanner.text[scanner.at];
  if (first !== "{" && first !== "[") return readScalar(scanner) ? "done" : "fault";
  const closer = first === "{" ? "}" : "]";
  scanner.at += 1;
  skip(scanner, space);
  if (scanner.text[scanner.at] === closer) {
    scanner.at += 1;
    return "done";
  }
  closers.push(closer);
  if (closer === "}" && !readKey(scanner)) return "fault";
  return "open";
}

/** Reads a key and its colon. */
function readKey(scanner: Scanner): boolean {
  skip(scanner, space);
  if (scanner.text[scanner.at] !== '"' || !readString(scanner)) return false;
  skip(scanner, space);
  if (scanner.text[scanner.at] !== ":") return false;
  scanner.at += 1;
  return true;
}

function readScalar(scanner: Scanner): boolean {
  return scanner.text[scanner.at] === '"' ? readString(scanner) : skip(scanner, bare);
}

/** Leaves the position at the beginning of a string that is none. A loop, because a pattern would use up the stack. */
function readString(scanner: Scanner): boolean {
  const start = scanner.at;
  scanner.at += 1;
  for (;;) {
    const character = scanner.text[scanner.at];
    if (character === '"') {
      scanner.at += 1;
      return true;
    }
    const isPlain = character !== undefined && character >= " " && character !== "\\";
    if (isPlain) {
      scanner.at += 1;
    } else if (!skip(scanner, escape)) {
      scanner.at = character === undefined ? scanner.at : start;
      return false;
    }
  }
}

/** Moves past what the sticky pattern matches here; `false` when that is nothing. */
function skip(scanner: Scanner, pattern: RegExp): boolean {
  pattern.lastIndex = scanner.at;
  if (!pattern.test(scanner.text) || pattern.lastIndex === scanner.at) return false;
  scanner.at = pattern.lastIndex;
  return true;
}
