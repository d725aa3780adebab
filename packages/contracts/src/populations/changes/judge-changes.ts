/** Weighs each change against the failure: whether it reached a service that fails, before that, and could do it. */

import type { ChangeEvent, CommitChange, FlagChange } from "../../model/changes.ts";
import { compareText } from "../../text/compare-text.ts";
import type { Ranking } from "../rank-services.ts";
import { isoTime } from "../words.ts";
import type { Effect } from "./effect.ts";
import { type CommitEffects, effectsOf } from "./effects-of.ts";
import { limitChange, valueOf } from "./limit-change.ts";
import { type Mechanism, mechanismsIn, mechanismWords, outerMechanisms } from "./mechanism.ts";
import { withNamed } from "./named-effects.ts";
import { revertsOf } from "./reverts.ts";
import { isServicePath, ownersOf, type RollOut, RollOuts } from "./roll-outs.ts";
import type { Symptoms } from "./symptoms.ts";

export interface JudgedChange {
  readonly event: CommitChange | FlagChange;
  readonly evidenceId: string;
  /** From 0 to 1: how well the change explains the failure. */
  readonly score: number;
  readonly effect: Effect | undefined;
  readonly mechanism: Mechanism | undefined;
  /** Words of the symptom that stand in the change. */
  readonly ties: readonly string[];
  readonly rollOut: RollOut;
  /** Why it cannot be the cause, in a few words. */
  readonly refuted: string | undefined;
}

/** A change with the id of the evidence that tells of it. */
export interface FoundChange {
  readonly event: ChangeEvent;
  readonly evidenceId: string;
}

/** What all changes are weighed against. */
interface Bench {
  readonly symptoms: Symptoms;
  readonly ranking: Ranking;
  readonly rollOuts: RollOuts;
  readonly reverts: ReadonlyMap<string, CommitChange>;
  readonly services: readonly string[];
  readonly corpus: string;
  readonly onsetMicros: number;
}

/** Every commit and flag, the best explanation first. */
export function judgeChanges(
  changes: readonly FoundChange[],
  symptoms: Symptoms,
  ranking: Ranking,
): JudgedChange[] {
  const rollOuts = new RollOuts(changes.map(({ event }) => event));
  const services = [
    ...new Set([...symptoms.services.keys(), ...ranking.graph.keys(), ...rollOuts.services]),
  ].sort();
  const bench: Bench = {
    symptoms,
    ranking,
    rollOuts,
    reverts: revertsOf(changes.map(({ event }) => event)),
    services,
    corpus: symptoms.texts.map(({ text }) => text).join("\n"),
    onsetMicros: symptoms.onsetMicros ?? Infinity,
  };
  const judged = changes.flatMap(({ event, evidenceId }): JudgedChange[] => {
    if (event.kind === "commit") return [{ ...judgeCommit(event, bench), evidenceId }];
    return event.kind === "flag" ? [{ ...judgeFlag(event, bench), evidenceId }] : [];
  });
  return judged.sort(
    (left, right) =>
      right.score - left.score || compareText(nameOf(left.event), nameOf(right.event)),
  );
}

/** The name of a change in a sentence. */
export function nameOf(event: CommitChange | FlagChange): string {
  return event.kind === "commit" ? event.id : `flag ${event.name}`;
}

type Judgement = Omit<JudgedChange, "evidenceId">;

function judgeCommit(commit: CommitChange, bench: Bench): Judgement {
  const { services, rollOuts, onsetMicros } = bench;
  const paths = commit.files;
  const owners = [...new Set(paths.flatMap((path) => ownersOf(path, services)))];
  const rollOut = rollOuts.of(commit, owners, onsetMicros + slackOf(bench));
  const read = effectsOf(commit);
  const isForeign = owners.length === 0 && paths.length > 0 && paths.every(isServicePath);
  const refuted =
    lateWords(rollOut, bench) ??
    revertedWords(commit, owners, bench) ??
    (read.harmless === undefined ? undefined : read.harmless) ??
    placeWords(rollOut, owners, bench);
  return weigh(commit, { read, rollOut, refuted, isForeign, owners }, bench);
}

/** A change is seen in metrics at the latest an interval after it; clocks differ a little, too. */
function slackOf({ ranking }: Bench): number {
  return ranking.intervalMicros + 5e6;
}

function lateWords({ timeMicros, known }: RollOut, bench: Bench): string | undefined {
  if (timeMicros !== undefined && timeMicros > bench.onsetMicros + slackOf(bench))
    return `it came at ${isoTime(timeMicros)}, after the failure had begun at ${isoTime(bench.onsetMicros)}`;
  return known === "not-deployed" ? "no deploy carried it before the failure began" : undefined;
}

/** What was taken back before the failure began did not run any more. */
function revertedWords(
  commit: CommitChange,
  owners: readonly string[],
  bench: Bench,
): string | undefined {
  const revert = bench.reverts.get(commit.id);
  if (revert === undefined || !Number.isFinite(bench.onsetMicros)) return undefined;
  const { timeMicros, known } = bench.rollOuts.of(revert, owners, bench.onsetMicros);
  const isBefore = timeMicros !== undefined && timeMicros < bench.onsetMicros;
  return isBefore && known !== "not-deployed"
    ? `${revert.id.slice(0, 12)} took it back at ${isoTime(timeMicros)}, before the failure began`
    : undefined;
}

/** A change that runs only in services which are not concerned. */
function placeWords(
  { services, known }: RollOut,
  owners: readonly string[],
  { symptoms }: Bench,
): string | undefined {
  const where = services.length > 0 ? services : owners;
  const isElsewhere = where.length > 0 && where.every((name) => !symptoms.services.has(name));
  if (!isElsewhere) return undefined;
  return `it ${known === "committed" ? "concerns" : "was deployed to"} ${where.slice(0, 3).join(", ")}, which shows no symptom`;
}

interface Reading {
  readonly read: CommitEffects;
  readonly rollOut: RollOut;
  readonly refuted: string | undefined;
  readonly isForeign: boolean;
  readonly owners: readonly string[];
}

function weigh(event: CommitChange | FlagChange, reading: Reading, bench: Bench): Judgement {
  const { read, rollOut, refuted } = reading;
  const best = bestMatch(withNamed(read.effects, bench.symptoms), bench.symptoms);
  const ties = tiesOf(read.identifiers, bench.corpus);
  const confirmed = confirmedBy(read.effects, bench.ranking);
  const mechanism = best?.strength ?? 0;
  const base = Math.min(1, mechanism + (confirmed === undefined ? 0 : 0.3));
  const tied = base * Math.min(0.3, ties.length * 0.1);
  const place = reading.isForeign ? 0.2 : placeWeight(reading, bench);
  const score =
    refuted === undefined ? Math.min(1, base + tied) * place * timeWeight(rollOut, bench) : 0;
  return {
    event,
    score,
    effect: confirmed ?? best?.effect,
    mechanism: best?.mechanism,
    ties,
    rollOut,
    refuted: refuted ?? weakWords(read, best?.strength ?? 0, bench),
  };
}

/** Below this a change does nothing that explains the failure. */
const strengthMin = 0.3;

function weakWords(read: CommitEffects, strength: number, { symptoms }: Bench): string | undefined {
  if (strength >= strengthMin) return undefined;
  const [top] = symptoms.mechanisms;
  const [effect] = read.effects;
  if (effect === undefined) return undefined;
  return `it ${effect.words}, which does not lead to ${top === undefined ? "the failure" : mechanismWords[top.mechanism]}`;
}

function bestMatch(
  effects: readonly Effect[],
  { mechanisms }: Symptoms,
): { effect: Effect; mechanism: Mechanism; strength: number } | undefined {
  let best: { effect: Effect; mechanism: Mechanism; strength: number } | undefined;
  for (const effect of effects) {
    for (const { mechanism, weight } of mechanisms) {
      const strength = weight * (effect.explains[mechanism] ?? 0);
      if (strength > (best?.strength ?? 0)) best = { effect, mechanism, strength };
    }
  }
  return best;
}

/** A metric that steps between the very numbers of the change. */
function confirmedBy(effects: readonly Effect[], { services }: Ranking): Effect | undefined {
  const steps = services.flatMap(({ series }) => series.map(({ deviation }) => deviation));
  return effects.find(
    ({ numbers }) =>
      numbers !== undefined &&
      steps.some(({ before, after }) => isNear(before, numbers[0]) && isNear(after, numbers[1])),
  );
}

function isNear(left: number, right: number): boolean {
  return Math.abs(left - right) <= 0.01 * Math.max(Math.abs(left), Math.abs(right));
}

const tieCountMax = 8;

function tiesOf(identifiers: ReadonlySet<string>, corpus: string): string[] {
  const words = new Set(corpus.match(/[A-Za-z_][A-Za-z0-9_]{4,63}/g) ?? []);
  return [...identifiers].filter((word) => words.has(word)).slice(0, tieCountMax);
}

function placeWeight({ rollOut, owners }: Reading, { symptoms }: Bench): number {
  const weightOf = (names: readonly string[]): number =>
    Math.max(0, ...names.map((name) => symptoms.services.get(name) ?? 0));
  switch (rollOut.known) {
    case "deployed":
      return Math.max(weightOf(rollOut.services), weightOf(owners) * 0.8);
    case "carried":
      // That a later deploy held it is likely, but nothing says so.
      return 0.75 * (owners.length > 0 ? weightOf(owners) : weightOf(rollOut.services));
    case "committed":
      return owners.length > 0 ? weightOf(owners) : 0.7;
    case "not-deployed":
      return 0;
  }
}

/** Hours by which a change counts half; what grows slowly shows late. */
const halfLifeMicros = 12 * 3_600e6;

function timeWeight({ timeMicros }: RollOut, { onsetMicros }: Bench): number {
  if (timeMicros === undefined || !Number.isFinite(onsetMicros)) return 0.8;
  return 1 / (1 + Math.max(0, onsetMicros - timeMicros) / halfLifeMicros);
}

/** A flag has no diff: its name and its values are all that is known of it. */
function judgeFlag(flag: FlagChange, bench: Bench): Judgement {
  const services = flag.service === undefined ? [] : [flag.service];
  const rollOut: RollOut = { timeMicros: flag.timeMicros, services, known: "deployed" };
  const effects = flagEffects(flag);
  const read: CommitEffects = {
    effects,
    identifiers: new Set(flag.name.match(/[A-Za-z]{5,}/g) ?? []),
  };
  const refuted = lateWords(rollOut, bench) ?? placeWords(rollOut, [], bench);
  const reading = { read, rollOut, refuted, isForeign: false, owners: [] };
  const judged = weigh(flag, reading, bench);
  const isNamed = flag.service === undefined ? { score: judged.score * 0.6 } : {};
  return { ...judged, ...isNamed };
}

function flagEffects(flag: FlagChange): Effect[] {
  const before = valueOf(flag.before ?? "");
  const after = valueOf(flag.after ?? "");
  const words = `turns ${flag.name} from ${flag.before ?? "?"} to ${flag.after ?? "?"}`;
  const base = {
    words,
    path: "",
    quote: `${flag.name}: ${flag.before ?? "?"} -> ${flag.after ?? "?"}`,
  };
  if (before !== undefined && after !== undefined)
    return [
      {
        ...base,
        explains: limitChange(flag.name, before, after).explains,
        numbers: [before, after],
      },
    ];
  const told = `${flag.name.replaceAll(/[_.-]/g, " ")} ${flag.description ?? ""}`;
  // A name alone shows no mechanism: it makes a flag worth a look, and no culprit as long as no message names it.
  const named = mechanismsIn(told).concat(/\bretry|retries\b/.test(told) ? ["retry"] : []);
  const inner = named.filter((mechanism) => !outerMechanisms.has(mechanism));
  const explained = Object.fromEntries(inner.map((mechanism) => [mechanism, 0.3]));
  return [{ ...base, explains: explained, named: { of: "flag", name: flag.name, strength: 0.6 } }];
}
