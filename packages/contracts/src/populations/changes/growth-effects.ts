/** What a diff lets grow without end: containers that outlive a request, and things that are never given back. */

import type { Effect } from "./effect.ts";
import type { NetLines } from "./net-lines.ts";

/** Declarations of containers that live as long as the process. */
const declared: readonly RegExp[] = [
  /^var\s+(\w+)\s*(?:=\s*)?(?:\[\]|map\[|make\(|\w+\{)/,
  /^(?:export\s+)?(?:const|let|var)\s+(\w+)\s*(?::[^=]+)?=\s*(?:\[|\{\s*\}|new\s+(?:Map|Set|Array)\b)/,
  /^(\w+)\s*(?::[^=]+)?=\s*(?:\[\]|\{\}|dict\(|list\(|set\(|defaultdict\(|deque\(\))/,
  /^\s+(\w+)\s*=\s*(?:\[\]|\{\}|dict\(\)|list\(\)|set\(\))\s*$/,
  /\bstatic\s+(?:final\s+)?(?:\w+\s+)?(?:Concurrent)?(?:Linked|Array|Hash|Tree)?(?:List|Map|Set|Queue|Deque)\S*\s+(\w+)/,
  /\bself\.(\w+)\s*(?::[^=]+)?=\s*(?:\[\]|\{\}|dict\(|list\(|set\()/,
  /\bthis\.(\w+)\s*=\s*(?:\[\]|\{\}|new\s+(?:Map|Set|Array)\b)/,
  /\b(?:private|readonly|protected)\s+(?:readonly\s+)?#?(\w+)\s*(?::[^=]+)?=\s*(?:\[\]|\{\}|new\s+(?:Map|Set|Array)\b)/,
  /^\s+(\w+)\s+(?:map\[\w+\]|\[\])\S+\s*$/,
];
const bound =
  /\blru\b|evict|max_?size|maxsize|max_?entries|\blen\(\w+\)\s*>|\.(?:size|length)\s*>=?|delete\(|\.(?:delete|remove|pop|popleft|shift|clear|poll|expire)\w*\(|\bring\b|ttl|expire|trim|prune|maxlen|WeakMap|bounded/i;

/** Containers that are only ever added to. */
export function growthEffects(path: string, { added, now }: NetLines): Effect[] {
  const containers = new Set(
    [...now, ...added].flatMap((line) =>
      declared.flatMap((pattern) => pattern.exec(line)?.[1] ?? []),
    ),
  );
  const effects: Effect[] = [];
  for (const line of added) {
    const name = grownContainer(line);
    if (name === undefined) continue;
    const isHeld = /^(?:self|this|s|c|m|p|h|r)\./.test(name);
    const last = name.slice(name.lastIndexOf(".") + 1);
    const isKnown = containers.has(last);
    if (!isHeld && !(isKnown && isOuterName(last, now))) continue;
    const isBounded = now.some((other) => other.includes(last) && bound.test(other));
    if (isBounded) continue;
    effects.push({
      words: `adds to ${last}, which lives as long as the process and is never cut`,
      explains: { memory: isKnown ? 1 : 0.7, cpu: 0.3, latency: 0.4, crash: 0.2 },
      path,
      quote: line.trim(),
    });
  }
  return effects.slice(0, 4);
}

/** Whether a container is declared outside functions, as far as its indentation tells, or as a field. */
function isOuterName(name: string, now: readonly string[]): boolean {
  return now.some(
    (line) =>
      line.includes(name) &&
      (/^\S/.test(line) || /\bstatic\b|\bself\.|\bthis\.|private|readonly/.test(line)) &&
      declared.some((pattern) => pattern.test(line)),
  );
}

function grownContainer(line: string): string | undefined {
  const appended = /^\s*([\w.]+)\s*=\s*append\(\s*([\w.]+)\s*,/.exec(line);
  if (appended !== null) return appended[1] === appended[2] ? appended[1] : undefined;
  return (
    /\b([\w.]+)\.(?:push|append|add|put|set|offer|Store|insert|extend|appendleft)\(/.exec(
      line,
    )?.[1] ?? /^\s*([\w.]+)\[[^\]]+\]\s*=[^=]/.exec(line)?.[1]
  );
}

const release =
  /\bdefer\s+\S*(?:[cC]lose|[rR]elease|[uU]nlock|[cC]ancel|[rR]ollback|Put)\b|\.(?:[cC]lose|[rR]elease|dispose|[uU]nlock|destroy|unsubscribe|cancel|abort|Stop)\(|removeEventListener|removeListener|clearInterval|\busing\s*\(|\bwith\s+\S+.*:\s*$|\btry\s*\([^)]/;

/** What is no longer given back. */
export function releaseEffects(path: string, { removed, added }: NetLines): Effect[] {
  const gone = removed.filter((line) => release.test(line));
  const come = added.filter((line) => release.test(line));
  const [first] = gone;
  if (first === undefined || come.length >= gone.length) return [];
  const isLock = /unlock/i.test(first);
  return [
    {
      words: isLock ? "no longer unlocks" : "no longer gives back what it opened",
      explains: isLock
        ? { lock: 1, timeout: 0.7, latency: 0.7 }
        : { descriptors: 1, pool: 0.95, memory: 0.8, connection: 0.5, timeout: 0.5 },
      path,
      quote: first.trim(),
    },
  ];
}

const acquire =
  /\b(\w+)(?:,\s*\w+)?\s*:?=\s*(?:await\s+)?\S*\.(?:Acquire|Begin|BeginTx|Query|QueryContext|QueryRows|Conn|getConnection|connect|checkout)\(/;

/** What is opened anew and not given back in what the diff shows. */
export function acquireEffects(path: string, { added, now }: NetLines): Effect[] {
  const opened = added.find((line) => acquire.test(line));
  if (opened === undefined || now.some((line) => release.test(line))) return [];
  return [
    {
      words: "opens something that the diff does not give back",
      explains: { pool: 0.6, descriptors: 0.6, memory: 0.4, timeout: 0.3 },
      path,
      quote: opened.trim(),
    },
  ];
}
