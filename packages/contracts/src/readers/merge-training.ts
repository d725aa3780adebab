/** Joins the files of one traced run: what one process wrote into several, and the processes that ran side by side. */

import type { ParameterState, TrainingContent, TrainingStep } from "../model/training.ts";
import type { SnapshotPart } from "../snapshot/create-snapshot.ts";
import { compareText } from "../text/compare-text.ts";
import { cutText } from "../text/cut-text.ts";
import { type FromFile, mergeSources } from "./merge-evidence.ts";

/** What one process did, as far as one file tells. */
export interface TracedProcess {
  /** Tells processes of one run apart. */
  readonly process: string;
  /** The times of its first and last record, in the recorder's own clock, where it has them. */
  readonly times: readonly [from: number, to: number] | undefined;
  readonly content: TrainingContent;
}

interface Placed extends TracedProcess {
  readonly from: FromFile<TracedProcess>;
  readonly path: string;
}

/** As TrainCheck names its files: calls by process and thread, states of variables in one for all. */
const ownName = /^(?:trace(?:_(?:API|VAR))?_\d+_\d+|proxy_log)$/;
const rankWord = /[-_. ]?rank[-_. ]?(\d{1,5})(?!\d)/i;
/** Words by which people name a run that is known to be sound. */
const healthyWord = /(?:^|[^a-z])(?:healthy|baseline|reference|good)(?:$|[^a-z])/i;

/**
 * Runs as evidence, one for each process. Files lie in one folder and differ in the number of a rank, or have the names that
 * TrainCheck gives them; processes that did not run at the same time are of different runs.
 */
export function mergeTraining(files: readonly FromFile<TracedProcess>[]): SnapshotPart[] {
  const placed = files.flatMap((from) =>
    from.items.map((item): Placed => ({ ...item, from, path: from.source.name })),
  );
  return [...Map.groupBy(placed, ({ path }) => runKeyOf(path))].flatMap(([, group]) =>
    sideBySide(group).flatMap(partsOfRun),
  );
}

function runKeyOf(path: string): string {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const name = bareName(path);
  return ownName.test(name) ? `${folder}\n` : `${folder}\n${name.replace(rankWord, "")}`;
}

function bareName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1).replace(/(?:\.[A-Za-z]+)+$/, "");
}

/** Groups of processes that ran at the same time, as far as is known: what has no times joins only itself. */
function sideBySide(group: readonly Placed[]): Placed[][] {
  const runs: Placed[][] = [];
  for (const item of group.toSorted((left, right) => compareText(keyOf(left), keyOf(right)))) {
    const home = runs.find((run) =>
      run.some((other) => isSameProcess(other, item) || areTogether(other, item)),
    );
    if (home === undefined) runs.push([item]);
    else home.push(item);
  }
  return runs;
}

/** Containers number their processes alike: files of two ranks are of two, and so is what did the same steps at another time. */
function isSameProcess(one: Placed, other: Placed): boolean {
  if (processOf(one) !== processOf(other)) return false;
  const [times, others] = [one.times, other.times];
  if (times === undefined || others === undefined) return true;
  if (times[0] <= others[1] && others[0] <= times[1]) return true;
  const steps = new Set(one.content.steps.map(({ step }) => step));
  return !other.content.steps.some(({ step }) => steps.has(step));
}

/** Tells processes of one run apart, by the rank in the name of their file as well. */
function processOf({ path, process }: Placed): string {
  return `${rankWord.exec(bareName(path))?.[1] ?? ""} ${process}`;
}

function keyOf({ path, process }: Placed): string {
  return `${path}\n${process.padStart(16, "0")}`;
}

function areTogether(one: Placed, other: Placed): boolean {
  // What one file holds was written by one run.
  if (one.from === other.from || rankWord.test(bareName(one.path))) return true;
  const [times, others] = [one.times, other.times];
  return (
    times !== undefined && others !== undefined && times[0] <= others[1] && others[0] <= times[1]
  );
}

function partsOfRun(run: readonly Placed[]): SnapshotPart[] {
  const paths = new Set(run.map(({ path }) => path));
  const [first = ""] = paths;
  const name = paths.size === 1 ? bareName(first) : sharedName([...paths]);
  const isHealthy = [...paths].every((path) =>
    healthyWord.test(path.split("/").slice(-2).join("/")),
  );
  return [...Map.groupBy(run, processOf)].map(([, pieces], rank) => ({
    source: mergeSources(pieces.map(({ from }) => from.source)),
    content: {
      ...contentOf(pieces),
      run: cutText(name, 256),
      ...(isHealthy ? { role: "baseline" as const } : {}),
      rank: rankNamed(pieces) ?? rank,
    },
  }));
}

/** The rank that the name of a file tells, where the file is of one process. */
function rankNamed(pieces: readonly Placed[]): number | undefined {
  const [first] = pieces;
  const told = rankWord.exec(bareName(first?.path ?? ""))?.[1];
  return told === undefined || first?.from.items.length !== 1 ? undefined : Number(told);
}

/** What files of several names are called together: without their ranks, or as their folder. */
function sharedName(paths: readonly string[]): string {
  const names = new Set(paths.map((path) => bareName(path).replace(rankWord, "")));
  const [name = ""] = names;
  if (names.size === 1 && name !== "" && !ownName.test(name)) return name;
  return paths[0]?.split("/").at(-2) ?? name;
}

/** One process of which several files tell: its calls stand in one, states of parameters in another. */
function contentOf(pieces: readonly Placed[]): TrainingContent {
  const [first, ...others] = pieces.map(({ content }) => content);
  // A group has at least one piece.
  if (first === undefined) throw new TypeError("A process has no record.");
  if (others.length === 0) return first;
  const steps = new Map<string, TrainingStep>();
  for (const step of [first, ...others].flatMap((content) => content.steps)) {
    const key = `${step.step} ${step.phase ?? ""}`;
    const known = steps.get(key);
    steps.set(key, known === undefined ? step : stepOf(known, step));
  }
  return { ...first, steps: [...steps.values()].toSorted((left, right) => left.step - right.step) };
}

function stepOf(one: TrainingStep, other: TrainingStep): TrainingStep {
  const calls = [...(one.calls ?? []), ...(other.calls ?? [])];
  const losses = [...(one.losses ?? []), ...(other.losses ?? [])];
  const parameters = new Map<string, ParameterState>();
  for (const state of [...(one.parameters ?? []), ...(other.parameters ?? [])]) {
    parameters.set(state.name, { ...parameters.get(state.name), ...state });
  }
  return {
    ...other,
    ...one,
    ...(calls.length === 0 ? {} : { calls }),
    ...(losses.length === 0 ? {} : { losses }),
    ...(parameters.size === 0 ? {} : { parameters: [...parameters.values()] }),
  };
}
