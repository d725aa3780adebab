/** Takes out of a log line what changes from one line to the next: numbers, ids, addresses, what is quoted. */

/**
 * What is masked, in the order in which it is tried at each place. No part repeats what repeats, so the time that a
 * line takes grows with its length alone.
 */
const parts: readonly (readonly [mask: string, pattern: string])[] = [
  [
    "<time>",
    String.raw`\d{4}[-/]\d{2}[-/]\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?`,
  ],
  ["<time>", String.raw`\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?`],
  [
    "<uuid>",
    String.raw`[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}`,
  ],
  ["<ip>", String.raw`\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5}|\/\d{1,2})?`],
  ["<ip>", String.raw`(?:[0-9a-fA-F]{1,4}:){3,7}:?[0-9a-fA-F]{1,4}`],
  ["<hex>", String.raw`0x[0-9a-fA-F]+`],
  ["<hex>", String.raw`(?=[0-9a-fA-F]{0,63}\d)(?=[0-9a-fA-F]{0,63}[a-fA-F])[0-9a-fA-F]{7,64}`],
  ["<quoted>", String.raw`"[^"\n]{0,1024}"`],
  ["<quoted>", String.raw`(?<![A-Za-z0-9])'[^'\n]{0,1024}'(?![A-Za-z])`],
  ["<num>", String.raw`[-+]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?`],
];

const masks = parts.map(([mask]) => mask);
// A number within a word is part of a name (`http2`, `utf8`), one before a unit is not (`15ms`, `3GiB`).
const masked = new RegExp(
  parts
    .map(([mask, pattern]) =>
      mask === "<quoted>"
        ? `(${pattern})`
        : `(?<![\\w])(${pattern})(?![\\w]*\\w\\d)(?=$|[^\\w]|[a-zA-Z%µ]{1,6}(?:$|[^\\w]))`,
    )
    .join("|"),
  "g",
);

/** A line with masks in place of what changes. */
export function maskLine(line: string): string {
  return line.replace(masked, (match: string, ...groups: unknown[]) => {
    const index = groups.slice(0, masks.length).findIndex((group) => group !== undefined);
    return masks[index] ?? match;
  });
}

/** Whether a word holds a mask, or digits that no mask took. */
export function isVariable(word: string): boolean {
  return /<(?:time|uuid|ip|hex|quoted|num|\*)>|\d/.test(word);
}
