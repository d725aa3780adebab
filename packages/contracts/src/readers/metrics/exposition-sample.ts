/** One line of the text format: `name{label="value"} 1.5 1700000000000 # {trace_id="…"} 1`. */

import { metricLimits } from "./limits.ts";

export interface Sample {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
  /** As it is written: milliseconds or seconds. */
  readonly time: number | undefined;
}

const nameAt = /[a-zA-Z_:][\w:]*/y;
const quotedAt = /"((?:[^"\\]|\\.)*)"/y;
const gapAt = /[ \t]*/y;
const tailAt =
  /[ \t]+([+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[Ii]nf(?:inity)?|[Nn]a[Nn]))(?:[ \t]+(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?))?[ \t]*(?:#.*)?$/y;

/** The sample of a line, or nothing. */
export function parseSample(line: string): Sample | undefined {
  const scanner = new Scanner(line);
  const written = scanner.take(nameAt)?.[0];
  let name = written;
  const labels = new Map<string, string>();
  if (scanner.takeText("{")) {
    while (!scanner.takeText("}")) {
      scanner.take(gapAt);
      const quoted = scanner.take(quotedAt)?.[1];
      const key = quoted === undefined ? scanner.take(nameAt)?.[0] : unescaped(quoted);
      if (key === undefined) return undefined;
      scanner.take(gapAt);
      if (scanner.takeText("=")) {
        scanner.take(gapAt);
        const value = scanner.take(quotedAt)?.[1];
        if (value === undefined || labels.size === metricLimits.labelCountMax) return undefined;
        labels.set(key, unescaped(value));
      } else {
        // A name that is no plain word stands among the labels.
        if (quoted === undefined || name !== undefined) return undefined;
        name = key;
      }
      scanner.take(gapAt);
      const isLast = !scanner.takeText(",");
      scanner.take(gapAt);
      if (isLast && !scanner.isAt("}")) return undefined;
    }
  }
  const tail = scanner.take(tailAt);
  if (name === undefined || tail === undefined) return undefined;
  return {
    name,
    labels: Object.fromEntries(labels),
    value: numberOf(tail[1] ?? ""),
    time: tail[2] === undefined ? undefined : Number(tail[2]),
  };
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  takeText(text: string): boolean {
    if (!this.isAt(text)) return false;
    this.#at += text.length;
    return true;
  }

  isAt(text: string): boolean {
    return this.#text.startsWith(text, this.#at);
  }
}

function unescaped(text: string): string {
  return text.includes("\\")
    ? text.replace(/\\(.)/gs, (_, letter: string) => (letter === "n" ? "\n" : letter))
    : text;
}

function numberOf(text: string): number {
  const plain = text.toLowerCase().replace("infinity", "inf");
  if (plain.endsWith("inf")) return plain.startsWith("-") ? -Infinity : Infinity;
  return Number(plain);
}
