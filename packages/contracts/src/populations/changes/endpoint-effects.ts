/** Hosts that a diff lets a service talk to instead of others, and versions of what it is built from. */

import type { Effect } from "./effect.ts";
import type { NetLines } from "./net-lines.ts";

const host =
  /(?:[a-z][a-z0-9+]*:\/\/)([\w.-]+)|\b([a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*\.(?:com|net|org|io|dev|local|internal|svc|cloud|cluster\.local|amazonaws\.com|example))\b|\b([a-z][a-z0-9.-]*[a-z0-9]):\d{2,5}\b|\b(\d{1,3}(?:\.\d{1,3}){3})\b/gi;

/** Hosts that are gone where others came. A list of hosts that is only put in another order changed nothing. */
export function endpointEffects(path: string, { removed, added }: NetLines): Effect[] {
  const before = hostsIn(removed);
  const after = hostsIn(added);
  const gone = [...before].filter((name) => !after.has(name));
  const come = [...after].filter((name) => !before.has(name));
  const [old] = gone;
  if (old === undefined) return [];
  return [
    {
      words:
        come[0] === undefined
          ? `no longer talks to ${old}`
          : `talks to ${come[0]} instead of ${old}`,
      explains: {
        names: 1,
        connection: 0.95,
        outage: 0.5,
        certificate: 0.5,
        timeout: 0.7,
        errors: 0.7,
        access: 0.4,
        latency: 0.4,
      },
      path,
      quote: (
        added.find((line) => come.some((name) => line.includes(name))) ??
        removed.find((line) => line.includes(old)) ??
        ""
      ).trim(),
    },
  ];
}

function hostsIn(lines: readonly string[]): Set<string> {
  return new Set(
    lines.flatMap((line) =>
      [...line.matchAll(host)].map((match) =>
        (match.slice(1).find((group) => group !== undefined) ?? "").toLowerCase(),
      ),
    ),
  );
}

const versioned =
  /["']?([A-Za-z@][\w@./:-]*)["']?\s*(?:[:=~^<>!]+|\s)\s*["']?[\^~>=v]*(\d+)\.(\d+)(?:\.(\d+))?/;

/** Libraries of another version; the smaller the step, the less it explains. */
export function dependencyEffects(path: string, { removed, added }: NetLines): Effect[] {
  const before = versionsIn(removed);
  return [...versionsIn(added)].flatMap(([name, { parts, line }]) => {
    const old = before.get(name);
    if (old === undefined) return [];
    const place = parts.findIndex((part, index) => part !== old.parts[index]);
    if (place < 0) return [];
    // A step of a version alone makes no culprit: a message must complain of the library.
    const strength = [0.26, 0.15, 0.05][place] ?? 0.05;
    return [
      {
        words: `takes ${name} ${parts.join(".")} instead of ${old.parts.join(".")}`,
        explains: {
          crash: strength,
          errors: strength,
          schema: strength,
          latency: strength,
          memory: strength,
          cpu: strength,
          connection: strength,
          pool: strength,
        },
        path,
        quote: line.trim(),
        named: { of: "library", name, strength: place < 2 ? 0.75 : 0.4 },
      },
    ];
  });
}

function versionsIn(lines: readonly string[]): Map<string, { parts: number[]; line: string }> {
  const versions = new Map<string, { parts: number[]; line: string }>();
  for (const line of lines) {
    const match = versioned.exec(line);
    if (match === null) continue;
    const parts = match.slice(2).map((part) => Number(part));
    versions.set(match[1] ?? "", {
      parts: parts.map((part) => (Number.isFinite(part) ? part : 0)),
      line,
    });
  }
  return versions;
}
