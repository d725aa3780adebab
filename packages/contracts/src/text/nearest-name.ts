/** Finds the valid name that a wrong one was most likely meant to be. */

/** Names longer than this are not compared letter by letter. */
const nameLengthMax = 100;
/** Of more candidates than these, the first are compared. */
const candidateCountMax = 500;
/** Below this likeness a name is another name, not a slip. */
const likenessMin = 0.5;
/** Letters that a slip of the pen adds, drops, changes or swaps at most. */
const slipLengthMax = 2;

/** The most similar of the valid names, or nothing when none is similar. Ties go to the first in the alphabet. */
export function nearestName(given: string, valid: Iterable<string>): string | undefined {
  let best: { name: string; likeness: number } | undefined;
  for (const name of [...valid].slice(0, candidateCountMax).sort()) {
    const likeness = likenessOf(given, name);
    if (likeness >= likenessMin && (best === undefined || likeness > best.likeness))
      best = { name, likeness };
  }
  return best?.name;
}

/** Whether a name is another one with a slip of the pen: the same but for separators, or for a letter or two. */
export function isSlipOf(given: string, name: string): boolean {
  if (given.length > nameLengthMax || name.length > nameLengthMax) return false;
  const [left, right] = [plain(given), plain(name)];
  const length = Math.max(left.length, right.length);
  return distance(left, right) <= Math.min(slipLengthMax, Math.floor(length / 4));
}

/** From 0 (nothing in common) to 1 (the same but for case and separators). */
function likenessOf(given: string, name: string): number {
  if (given.length > nameLengthMax || name.length > nameLengthMax) return 0;
  const [left, right] = [plain(given), plain(name)];
  if (left === right) return 1;
  if (left === "" || right === "") return 0;
  const [leftWords, rightWords] = [wordsOf(given), wordsOf(name)];
  const shared = leftWords.filter((word) => rightWords.includes(word)).length;
  const byWords = (2 * shared) / (leftWords.length + rightWords.length);
  const byLetters = 1 - distance(left, right) / Math.max(left.length, right.length);
  return Math.max(byWords, byLetters, isAbbreviation(left, right) ? 0.75 : 0);
}

/** `ns` of `namespace`: the same first letter, and the other letters in order. */
function isAbbreviation(left: string, right: string): boolean {
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  if (short.length < 2 || short[0] !== long[0]) return false;
  let at = 0;
  for (const letter of long) {
    if (letter === short[at]) at += 1;
  }
  return at === short.length;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

function wordsOf(name: string): string[] {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function distance(left: string, right: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: right.length + 1 }, (_item, index) => index);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const isSame = left[row - 1] === right[column - 1];
      const isSwap =
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1];
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + (isSame ? 0 : 1),
          isSwap ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    before = previous;
    previous = current;
  }
  return previous[right.length] ?? 0;
}
