/** How alike two texts are, by the words that they share. */

/** Long texts are sampled in even chunks, so that the work is bounded and the end counts too. */
const chunkCount = 8;
const chunkLength = 4_096;

/** The words of a text, in lower case. */
export function tokensOf(text: string): ReadonlySet<string> {
  return new Set(
    sampled(text)
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? [],
  );
}

/** The words of a text, each with the one behind it: lists of other things share their words, and not these. */
export function wordPairsOf(text: string): ReadonlySet<string> {
  const words = sampled(text)
    .toLowerCase()
    .match(/[\p{L}\p{N}]+/gu);
  return new Set((words ?? []).map((word, index, all) => `${word} ${all[index + 1] ?? ""}`));
}

/** Words in common over all words of both, from 0 to 1; two texts without words are alike. */
export function likeness(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  if (left.size === 0 && right.size === 0) return 1;
  let shared = 0;
  for (const token of left) if (right.has(token)) shared += 1;
  return shared / (left.size + right.size - shared);
}

function sampled(text: string): string {
  if (text.length <= chunkCount * chunkLength) return text;
  const step = Math.floor((text.length - chunkLength) / (chunkCount - 1));
  return Array.from({ length: chunkCount }, (_, index) =>
    text.slice(index * step, index * step + chunkLength),
  ).join(" ");
}
