/** Text for a terminal: wrapped, coloured on demand, and free of control characters that evidence may carry. */

export type Colour = "red" | "green" | "yellow" | "cyan" | "bold" | "dim";

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
};

/** Puts a colour around a text, or nothing when colour is off. */
export type Paint = (colour: Colour, text: string) => string;

/** The paint for a terminal that takes colour, or for one that does not. */
export function paintFor(isColoured: boolean): Paint {
  return (colour, text) => {
    const [open, close] = codes[colour];
    return isColoured ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  };
}

/** One line without control characters: what evidence quotes must not move the reader's cursor. */
export function printable(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{fffd}")
    .trim();
}

/** Breaks a line at spaces to a width; a word that is longer stands on a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
