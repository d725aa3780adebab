/** Bundles, aliases and kill switches as people read them. */

import { printable } from "@faultline/contracts";
import type {
  AliasRevision,
  AliasState,
  BundleAlias,
  BundleDiff,
  BundleVersionSummary,
  KillSwitch,
} from "@faultline/protocol";

import { layoutTable } from "../table.ts";
import type { Terminal } from "../terminal.ts";

const hashLengthShown = 7 + 12;
const valueLengthShown = 200;

/** Versions as a table. */
export function versionTable(
  terminal: Terminal,
  versions: readonly BundleVersionSummary[],
): string {
  const rows = versions.map(({ name, version, hash, createdAt, actor }) => [
    `${name}@${version}`,
    hash.slice(0, hashLengthShown),
    createdAt,
    printable(actor),
  ]);
  return layoutTable([titles(terminal, ["VERSION", "HASH", "CREATED", "BY"]), ...rows]);
}

/** Aliases as a table. */
export function aliasTable(terminal: Terminal, aliases: readonly BundleAlias[]): string {
  const rows = aliases.map(({ name, current }) => [name, stateWords(current.state), current.at]);
  return layoutTable([titles(terminal, ["ALIAS", "POINTS AT", "SINCE"]), ...rows]);
}

/** The history of an alias as a table. */
export function revisionTable(terminal: Terminal, revisions: readonly AliasRevision[]): string {
  const rows = revisions.map(({ revision, action, restoredRevision, state, at, actor }) => [
    String(revision),
    restoredRevision === undefined ? action : `${action} to ${restoredRevision}`,
    stateWords(state),
    at,
    printable(actor),
  ]);
  return layoutTable([titles(terminal, ["REVISION", "STEP", "POINTS AT", "AT", "BY"]), ...rows]);
}

/** Kill switches as a table. */
export function killTable(terminal: Terminal, kills: readonly KillSwitch[]): string {
  const rows = kills.map(({ kind, name, killedAt, killedBy, revivedAt, reason }) => [
    `${kind} ${printable(name)}`,
    revivedAt === undefined ? terminal.style("red", "killed") : `revived ${revivedAt}`,
    killedAt,
    printable(killedBy),
    printable(reason),
  ]);
  return layoutTable([titles(terminal, ["WHAT", "STATE", "KILLED", "BY", "REASON"]), ...rows]);
}

/** What differs, a field a line. */
export function diffLines(terminal: Terminal, diff: BundleDiff): string {
  const { from, to, changes, leftOutCount } = diff;
  const head = `${from.name}@${from.version} → ${to.name}@${to.version}`;
  if (changes.length === 0) return `${head}: nothing differs.`;
  const lines = changes.flatMap(({ path, before, after }) => [
    terminal.style("bold", printable(path)),
    ...(before === undefined ? [] : [terminal.style("red", `  - ${shown(before)}`)]),
    ...(after === undefined ? [] : [terminal.style("green", `  + ${shown(after)}`)]),
  ]);
  const more = leftOutCount === 0 ? [] : [`… and ${leftOutCount} more.`];
  return [head, ...lines, ...more].join("\n");
}

/** Where an alias points, in a few words. */
export function stateWords({ versions, rollout, stickyHeader }: AliasState): string {
  const settled = versions.map(({ bundle, version, weight }) =>
    versions.length === 1 ? `${bundle}@${version}` : `${bundle}@${version}=${weight}`,
  );
  const rolling =
    rollout === undefined ? "" : `, ${rollout.percent} % ${rollout.bundle}@${rollout.version}`;
  const sticky = stickyHeader === undefined ? "" : ` (by ${stickyHeader})`;
  return `${settled.join(" ")}${rolling}${sticky}`;
}

function titles(terminal: Terminal, names: readonly string[]): string[] {
  return names.map((name) => terminal.style("dim", name));
}

function shown(value: unknown): string {
  const text = printable(JSON.stringify(value));
  return text.length > valueLengthShown ? `${text.slice(0, valueLengthShown)}…` : text;
}
