/** Checks that a diff takes out, and failures that it lets through or makes. */

import type { Effect } from "./effect.ts";
import type { NetLines } from "./net-lines.ts";

const nothing =
  /([\w.[\]()]+?)\s*(?:==|!=|===|!==|\bis\b(?:\s+not)?)\s*(?:nil|null|None|undefined|nullptr)\b/g;
const negated = /\bif\s+(?:!|not\s+)\s*\(?([\w.]+)\)?/g;
const absent =
  /([\w.]+)\?\.|Optional\.ofNullable\(([\w.]+)|hasattr\((\w+)|([\w.]+)\.(?:isPresent|isEmpty|orElse)\b/g;
const bounds = /\blen\(([\w.]+)\)|([\w.]+)\.(?:length|size\(\))\s*(?:===?|[<>]=?)/g;
const failureNames = /^(?:err|error|e|ex|exc)$/i;

/** Names that lines check before they use them. */
function guardedNames(lines: readonly string[]): Map<string, { count: number; line: string }> {
  const names = new Map<string, { count: number; line: string }>();
  for (const line of lines) {
    const found = [nothing, negated, absent, bounds].flatMap((pattern) =>
      [...line.matchAll(pattern)].map(
        (match) => match.slice(1).find((group) => group !== undefined) ?? "",
      ),
    );
    for (const name of new Set(found)) {
      if (name === "" || failureNames.test(name)) continue;
      names.set(name, { count: (names.get(name)?.count ?? 0) + 1, line });
    }
  }
  return names;
}

/** Checks of one name that are gone. */
export function guardEffects(path: string, { removed, added, now }: NetLines): Effect[] {
  const before = guardedNames(removed);
  const after = guardedNames(added);
  return [...before]
    .flatMap(([name, { count, line }]): Effect[] => {
      if ((after.get(name)?.count ?? 0) >= count) return [];
      const isUsed = now.some((other) => other.includes(`${name}.`) || other.includes(`${name}[`));
      return [
        {
          words: `takes out the check of ${name}${isUsed ? ", which is still used" : ""}`,
          explains: { crash: isUsed ? 1 : 0.7, errors: 0.6, schema: 0.3 },
          path,
          quote: line.trim(),
        },
      ];
    })
    .slice(0, 4);
}

const failureCheck =
  /\bif\s+(?:\w+(?:,\s*\w+)*\s*:?=.*;\s*)?err\s*!=\s*nil|\bcatch\s*\(|\bexcept\b|\brescue\b|\brecover\(\)|\.catch\(/;
const thrown =
  /\bpanic\(|\bthrow\s+new\b|\braise\s+\w+|log\.Fatal|os\.Exit|process\.exit|System\.exit|\.unwrap\(\)|\.expect\(|\bassert\b/;
const bare = /\w!\.\w|\.\(\*?\w+(?:\.\w+)?\)\s*$|\.get\(\)\.|\.first\(\)\.|\[0\]\./;

/** Failures that are no longer looked at, or that are made anew. */
export function failureEffects(path: string, { removed, added }: NetLines): Effect[] {
  const effects: Effect[] = [];
  const count = (lines: readonly string[], pattern: RegExp): number =>
    lines.filter((line) => pattern.test(line)).length;
  if (count(removed, failureCheck) > count(added, failureCheck)) {
    const line = removed.find((text) => failureCheck.test(text)) ?? "";
    effects.push({
      words: "no longer looks at a failure",
      explains: { errors: 0.4, crash: 0.5 },
      path,
      quote: line.trim(),
    });
  }
  const fault = added.find((line) => thrown.test(line));
  if (fault !== undefined && count(added, thrown) > count(removed, thrown)) {
    effects.push({
      words: "fails where it did not before",
      explains: { crash: 0.7, errors: 0.7, schema: 0.4 },
      path,
      quote: fault.trim(),
    });
  }
  const trusting = added.find((line) => bare.test(line));
  if (trusting !== undefined && count(added, bare) > count(removed, bare)) {
    effects.push({
      words: "uses a value without looking whether it is there",
      explains: { crash: 0.6, errors: 0.4 },
      path,
      quote: trusting.trim(),
    });
  }
  return effects;
}
