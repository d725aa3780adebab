/** Replicas of one model serve equal files. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { FindingParts } from "../model/make-finding.ts";
import type { ModelPart } from "../model/model-release.ts";
import { type EvidenceOf, evidenceOfKind, type Snapshot } from "../model/snapshot.ts";
import { canonicalJson } from "../snapshot/canonical-json.ts";
import { compareText } from "../text/compare-text.ts";

type Replica = EvidenceOf<"model-release">;

/** Folders that are called as replicas are: `replica-0`, `llama-pod-b`. */
const replicaName =
  /^(.*?)[-_.]?(replica|pod|node|server|worker|instance|host)[-_.]?([0-9]{1,6}|[a-z])$/i;
/** Settings that say who wrote the file, and change nothing. */
const ignoredSettings = new Set([
  "_name_or_path",
  "name_or_path",
  "transformers_version",
  "_commit_hash",
]);
const replicaCountMax = 1_000;

/** What replicas that are called alike have unlike; the first by name is what the others are held against. */
export function replicaFindings(snapshot: Snapshot): FindingParts[] {
  const groups = new Map<string, Replica[]>();
  for (const replica of evidenceOfKind(snapshot, "model-release")) {
    const match = replicaName.exec(replica.content.name);
    if (match === null) continue;
    const key = `${match[1]}\n${match[2]?.toLowerCase()}`;
    groups.set(key, [...(groups.get(key) ?? []), replica]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first, ...others] = group.toSorted((left, right) =>
      compareText(left.content.name, right.content.name),
    );
    if (first === undefined) return [];
    return others.slice(0, replicaCountMax).map((other) => compare(first, other));
  });
}

interface Difference {
  readonly words: string;
  readonly evidence: readonly EvidenceReference[];
}

function compare(first: Replica, other: Replica): FindingParts {
  const names = `${first.content.name} and ${other.content.name}`;
  const keyOf = (part: ModelPart): string =>
    `${part.file}\n${part.kind}\n${part.kind === "template" ? part.name : ""}`;
  const others = new Map(other.content.parts.map((part, index) => [keyOf(part), { part, index }]));
  let comparedCount = 0;
  const differences: Difference[] = [];
  for (const [index, part] of first.content.parts.entries()) {
    const counterpart = others.get(keyOf(part));
    if (counterpart === undefined) continue;
    comparedCount += 1;
    const words = differenceOf(part, counterpart.part);
    if (words === undefined) continue;
    const evidence = [
      { evidenceId: first.id, locator: `/parts/${index}`, quote: words },
      { evidenceId: other.id, locator: `/parts/${counterpart.index}`, quote: words },
    ];
    differences.push({ words, evidence });
  }
  const subject = { kind: "replicas", name: names };
  if (comparedCount === 0) {
    return {
      verdict: "inconclusive",
      subject,
      title: `${names} are replicas without a file in common.`,
      actual: "No file of the one is among those of the other.",
      missing: ["the same files of both"],
    };
  }
  if (differences.length === 0) {
    return {
      verdict: "holds",
      subject,
      title: `${names} serve equal files.`,
      actual: `${comparedCount} parts were compared.`,
      measures: { partCount: comparedCount },
      evidence: [{ evidenceId: first.id }, { evidenceId: other.id }],
    };
  }
  const [difference] = differences;
  return {
    verdict: "violated",
    subject,
    causeKind: "identity",
    title: `${names} are replicas and differ: ${difference?.words ?? ""}.`,
    actual: differences.map(({ words }) => words).join("; "),
    measures: { partCount: comparedCount, partCountUnlike: differences.length },
    evidence: differences.flatMap(({ evidence }) => evidence),
    fixes: [{ description: "Deploy one release to all replicas.", cost: 1 }],
  };
}

/** What differs between two parts of one file, in words. */
function differenceOf(left: ModelPart, right: ModelPart): string | undefined {
  if (left.kind === "settings" && right.kind === "settings") {
    const names = new Set([...Object.keys(left.values), ...Object.keys(right.values)]);
    const unlike = [...names]
      .filter(
        (name) =>
          !ignoredSettings.has(name) && textOf(left.values[name]) !== textOf(right.values[name]),
      )
      .toSorted();
    const [name] = unlike;
    if (name === undefined) return undefined;
    return `${left.file} has ${name} ${textOf(left.values[name])} and ${textOf(right.values[name])}`;
  }
  if (canonicalJson(left) === canonicalJson(right)) return undefined;
  switch (left.kind) {
    case "tokenizer":
      return `the tokenizers of ${left.file} are not equal`;
    case "template":
      return `the chat templates of ${left.file} are not equal`;
    case "tensors":
      return `the tensors of ${left.file} are not equal in name, kind or shape`;
    default:
      return `${left.file} is not equal`;
  }
}

function textOf(value: unknown): string {
  return value === undefined ? "absent" : canonicalJson(value).slice(0, 128);
}
