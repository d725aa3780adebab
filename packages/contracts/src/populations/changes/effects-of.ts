/** The effects of a commit: what its diff does, or why it can do nothing. */

import type { CommitChange } from "../../model/changes.ts";
import type { Effect } from "./effect.ts";
import { dependencyEffects, endpointEffects } from "./endpoint-effects.ts";
import { isBehaviour, roleOf } from "./file-role.ts";
import { acquireEffects, growthEffects, releaseEffects } from "./growth-effects.ts";
import { failureEffects, guardEffects } from "./guard-effects.ts";
import { limitChangesOf } from "./limit-change.ts";
import { loopCallEffects, togetherEffects } from "./loop-calls.ts";
import { netLinesOf } from "./net-lines.ts";
import { type DiffFile, parseDiff } from "./parse-diff.ts";
import { patternEffects } from "./pattern-effects.ts";

export interface CommitEffects {
  readonly effects: readonly Effect[];
  /** Why it can have no effect on a running service, where that is so. */
  readonly harmless?: string;
  /** The identifiers of the lines that it changes. */
  readonly identifiers: ReadonlySet<string>;
}

const statement = /\bselect\b.+\bfrom\b/i;

/** Reads a commit. Without a diff, only its files say something. */
export function effectsOf(commit: CommitChange): CommitEffects {
  const files = commit.diff === undefined ? [] : parseDiff(commit.diff, commit.files[0] ?? "");
  if (files.length === 0) return withoutDiff(commit);
  const live = files.filter(({ path }) => isBehaviour(roleOf(path)));
  if (live.length === 0) {
    return { effects: [], identifiers: new Set(), harmless: `it changes only ${rolesOf(files)}` };
  }
  const nets = live.map((file) => ({ file, net: netLinesOf(file) }));
  const changed = nets.filter(({ net }) => net.removed.length + net.added.length > 0);
  if (changed.length === 0) {
    const isTelemetry = nets.some(({ net }) => net.isOnlyTelemetry);
    return {
      effects: [],
      identifiers: new Set(),
      harmless: isTelemetry ? "it only logs otherwise" : "it only moves or formats lines",
    };
  }
  const isStatementAdded = changed.some(({ net }) =>
    net.added.some((line) => statement.test(line)),
  );
  const effects = changed.flatMap(({ file, net }): Effect[] => {
    if (roleOf(file.path) === "dependencies") return dependencyEffects(file.path, net);
    return [
      ...limitEffects(file.path, net.removed, net.added),
      ...endpointEffects(file.path, net),
      ...(roleOf(file.path) === "code" ? codeEffects(file, isStatementAdded) : []),
      ...patternEffects(file.path, net),
    ];
  });
  const lines = changed.flatMap(({ net }) => [...net.removed, ...net.added]);
  return { effects, identifiers: identifiersIn(lines) };
}

function codeEffects(file: DiffFile, isStatementAdded: boolean): Effect[] {
  const net = netLinesOf(file);
  return [
    ...loopCallEffects(file, isStatementAdded),
    ...togetherEffects(file.path, net.removed, net.added),
    ...growthEffects(file.path, net),
    ...releaseEffects(file.path, net),
    ...acquireEffects(file.path, net),
    ...guardEffects(file.path, net),
    ...failureEffects(file.path, net),
  ];
}

function limitEffects(
  path: string,
  removed: readonly string[],
  added: readonly string[],
): Effect[] {
  return limitChangesOf(removed, added).map(({ name, before, after, explains }) => ({
    words: `sets ${name} from ${before} to ${after}`,
    explains,
    path,
    quote: (added.find((line) => line.includes(name)) ?? name).trim(),
    numbers: [before, after],
  }));
}

function rolesOf(files: readonly DiffFile[]): string {
  return [...new Set(files.map(({ path }) => roleWords[roleOf(path)]))].sort().join(" and ");
}

const roleWords = {
  test: "tests",
  documents: "documents",
  build: "how it is built",
  style: "looks",
  dependencies: "dependencies",
  settings: "settings",
  code: "code",
} as const;

function withoutDiff(commit: CommitChange): CommitEffects {
  const live = commit.files.filter((path) => isBehaviour(roleOf(path)));
  const isHarmless = commit.files.length > 0 && live.length === 0;
  const kinds = [...new Set(commit.files.map((path) => roleWords[roleOf(path)]))]
    .sort()
    .join(" and ");
  return {
    effects: [],
    identifiers: new Set(),
    ...(isHarmless ? { harmless: `it changes only ${kinds}` } : {}),
  };
}

const identifier = /[A-Za-z_][A-Za-z0-9_]{4,63}/g;
const everyday = new Set(
  "return string error context const package import public private static function class async await interface struct while break continue default switch throw catch finally false true undefined number boolean object value values result results request response handler client server service config logger timeout index count items".split(
    " ",
  ),
);

function identifiersIn(lines: readonly string[]): Set<string> {
  const found = lines.flatMap((line) => line.match(identifier) ?? []);
  return new Set(found.filter((word) => !everyday.has(word.toLowerCase())));
}
