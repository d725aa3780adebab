/** Keeps texts within the bounds of a schema. */

/** Cuts text to `lengthMax` UTF-16 units, never between the halves of one character. */
export function cutText(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  const last = text.charCodeAt(lengthMax - 1);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, splitsPair ? lengthMax - 1 : lengthMax);
}

/**
 * The same text in one piece. A text that was put together keeps its parts, which take more memory than all of it; the
 * engine joins them when a character is asked for.
 */
export function flatText(text: string): string {
  return Number.isNaN(text.charCodeAt(0)) ? "" : text;
}

/** The text, or as much of it as fits before a mark that it went on. */
export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${cutText(text, lengthMax - 1)}…`;
}
