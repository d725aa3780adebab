/** Logfmt: `level=info msg="it is up" port=80`. */

import type { Fields } from "../../model/fields.ts";

const pair =
  /([A-Za-z_][\w.@/-]{0,127})=(?:"((?:[^"\\]|\\.){0,16384})"|([^\s"]{0,4096}))(?:\s+|$)/y;
const pairCountMax = 128;
/** Keys without which `a=b c=d` may be anything. */
const sureKeys: ReadonlySet<string> = new Set([
  "level",
  "lvl",
  "severity",
  "msg",
  "message",
  "ts",
  "time",
]);

/** The fields of a line that is logfmt from its beginning to its end, or nothing. */
export function logfmtFields(line: string): Fields | undefined {
  if (!/^[A-Za-z_][\w.@/-]{0,127}=/.test(line)) return undefined;
  const fields = new Map<string, string>();
  pair.lastIndex = 0;
  const text = line.trimEnd();
  while (pair.lastIndex < text.length && fields.size < pairCountMax) {
    const match = pair.exec(text);
    if (match === null) return undefined;
    const [, key = "", quoted, plain = ""] = match;
    fields.set(key, quoted === undefined ? plain : unescaped(quoted));
  }
  const sureCount = [...fields.keys()].filter((key) => sureKeys.has(key)).length;
  return fields.size >= 2 && sureCount >= 1 ? Object.fromEntries(fields) : undefined;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/gs, (_, letter: string) => escapes.get(letter) ?? letter);
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
]);
