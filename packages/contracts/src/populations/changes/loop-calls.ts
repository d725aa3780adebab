/** Calls to something outside that a diff puts into a loop, or that it takes out of one call for many. */

import type { DiffFile } from "./parse-diff.ts";
import type { Effect } from "./effect.ts";

const loopStart =
  /^\s*(?:async\s+)?(?:for|while|foreach|loop)\b|\.(?:forEach|map|flatMap|each|filter|reduce)\s*\(|\.stream\(\)|\beach\s+do\b/;
/** Calls whose own name tells that they go outside. */
const outerCall =
  /\.\s*(?:\w*[qQ]uery\w*|[eE]xec\w*|[fF]etch\w*|[fF]ind\w*|[lL]oad\w*|[lL]ookup\w*|[sS]elect\w*|[rR]equest\w*|[pP]ost|[iI]nvoke\w*|[cC]all\w*|[pP]ublish\w*|[sS]end\w*|[dD]ial\w*|objects\.\w+|execute\w*)\s*\(|\b(?:await|fetch|requests\.\w+|axios\S*|http\.(?:Get|Post|Do))\b/;
/** Calls of plain names on something that is outside by its own name. */
const outerReceiver =
  /\b\w*(?:[cC]lient|[cC]atalog|[sS]tore|[rR]epo(?:sitory)?|[dD]b|DB|[dD]ao|[sS]ervice|[sS]vc|[aA]pi|API|[sS]tub|[sS]ession|[rR]edis|[cC]onn|[cC]ache|[gG]ateway|[rR]emote|[bB]ackend)\.\s*\w+\s*\(/;
const local = /^\s*(?:\/\/|#)|\bappend\(|\.(?:append|push|add)\(\s*\w+\s*\)\s*;?$/;
const statement = /\bselect\b.+\bfrom\b|\binsert\s+into\b|\bupdate\b.+\bset\b|\bdelete\s+from\b/i;

/** Work that the new text does once for every item. */
export function loopCallEffects(file: DiffFile, isStatementAdded: boolean): Effect[] {
  const effects: Effect[] = [];
  for (const { lines } of file.hunks) {
    const before = lines.filter(({ sign }) => sign === "-").map(({ text }) => text);
    let depth: number | undefined;
    for (const { sign, text } of lines) {
      if (sign === "-" || text.trim() === "") continue;
      const indent = text.search(/\S/);
      if (depth !== undefined && indent <= depth && !/^\s*[)}\]]/.test(text)) depth = undefined;
      const isLoop = loopStart.test(text);
      const isInside = depth !== undefined || isLoop;
      if (isLoop && depth === undefined) depth = indent;
      if (sign !== "+" || !isInside || local.test(text)) continue;
      const isOuter = outerCall.test(text) || outerReceiver.test(text) || statement.test(text);
      if (!isOuter || before.some((line) => line.trim() === text.trim())) continue;
      effects.push(loopEffect(file.path, text, isStatementAdded || statement.test(text)));
    }
  }
  return effects.slice(0, 8);
}

function loopEffect(path: string, text: string, isSure: boolean): Effect {
  const strength = isSure ? 1 : 0.8;
  return {
    words: "calls something outside for every item of a loop",
    explains: {
      "repeated-work": strength,
      latency: 0.8,
      pool: 0.6,
      timeout: 0.6,
      "rate-limit": 0.6,
      cpu: 0.3,
      traffic: 0.3,
    },
    path,
    quote: text.trim(),
  };
}

const together =
  /\b(?:batch\w*|bulk\w*|prefetch\w*|[pP]reload\w*|select_related|prefetch_related|joinedload|selectinload|eager\w*|includes\(|[dD]ata[lL]oader|\w*[gG]et(?:Many|All|Multi|Batch)\w*|mget|MGET|multi_?get|findAllBy\w*In|EntityGraph)\b|\bIN\s*\(|\bANY\(\$|\bJOIN\b/;

/** Calls for many at once that the new text no longer makes. */
export function togetherEffects(
  path: string,
  removed: readonly string[],
  added: readonly string[],
): Effect[] {
  const gone = removed.find((line) => together.test(line));
  if (gone === undefined || added.some((line) => together.test(line))) return [];
  return [
    {
      words: "takes out a call that asked for many at once",
      explains: { "repeated-work": 0.9, latency: 0.7, pool: 0.5, timeout: 0.5 },
      path,
      quote: gone.trim(),
    },
  ];
}
