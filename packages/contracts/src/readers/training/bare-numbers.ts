/** Python writes `NaN` and `Infinity` into JSON as bare words, which JSON does not have. */

const word = /-?(?:NaN|Infinity)/y;

/** The text with these words in quotes. Words within texts stay as they are. */
export function quoteBareNumbers(text: string): string {
  if (!/NaN|Infinity/.test(text)) return text;
  const pieces: string[] = [];
  let from = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (isInText) {
      if (code === 0x5c) at += 1;
      else if (code === 0x22) isInText = false;
    } else if (code === 0x22) isInText = true;
    else if (code === 0x4e || code === 0x49 || code === 0x2d) {
      word.lastIndex = at;
      const found = word.exec(text)?.[0];
      if (found === undefined) continue;
      pieces.push(text.slice(from, at), `"${found}"`);
      from = at + found.length;
      at = from - 1;
    }
  }
  pieces.push(text.slice(from));
  return pieces.join("");
}
