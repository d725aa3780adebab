/** Turns what admission says of the pods of each workload into findings. */

import type { EvidenceReference } from "../../model/evidence.ts";
import type { FindingParts } from "../../model/make-finding.ts";
import { textAt } from "../../kubernetes/fields.ts";
import { type Objects, referenceTo, type Source } from "../../kubernetes/objects.ts";
import { plural } from "../../text/plural.ts";
import { addTo, type Amounts } from "../requests.ts";
import { admit, type Admission, type Rules } from "./admit.ts";
import { type Draft, readDraft } from "./draft.ts";
import { readLimitRange } from "./limit-range.ts";
import { type Maker, readMakers } from "./makers.ts";
import { counts, type Quota, quotaAmount, readQuota, usageOf } from "./quota.ts";
import { isAboutRules, type Refusal, refusalsOf, ruleText } from "./refusals.ts";
import { type Attempt, remediesOf } from "./remedies.ts";

const captureCommand =
  "kubectl get resourcequotas,limitranges,deployments,replicasets,statefulsets,daemonsets,jobs,pods,events -n NAMESPACE -o json shows everything at one moment";

/** The findings about every maker of pods that quotas or limit ranges concern. */
export function admissionFindings(objects: Objects): FindingParts[] {
  const makers = readMakers(objects);
  const said = refusalsOf(objects, makers);
  const rulesOf = new Map<string, Rules>();
  const findings = makers.flatMap((maker): FindingParts[] => {
    const rules = rulesOf.get(maker.namespace) ?? readRules(objects, maker.namespace);
    rulesOf.set(maker.namespace, rules);
    const { kind, metadata } = maker.source.object;
    const key = `${kind}/${maker.namespace}/${metadata.name}`;
    const refusal =
      said.get(key) ??
      (isAboutRules(maker.said) ? { text: maker.said, source: undefined } : undefined);
    return findingAbout(maker, rules, refusal);
  });
  const seen = new Set(
    makers.map(
      ({ source, namespace }) =>
        `${source.object.kind}/${namespace}/${source.object.metadata.name}`,
    ),
  );
  const unseen = [...said]
    .filter(([key]) => !seen.has(key))
    .map(([key, item]) => unseenMaker(key, item));
  return [...worstOf(findings), ...crowdedQuotas(makers, rulesOf), ...unseen].sort((left, right) =>
    keyOf(left) < keyOf(right) ? -1 : Number(keyOf(left) > keyOf(right)),
  );
}

/** Quotas that let in the pods of each workload, but not those of all. */
function crowdedQuotas(
  makers: readonly Maker[],
  rulesOf: ReadonlyMap<string, Rules>,
): FindingParts[] {
  return [...rulesOf].flatMap(([namespace, rules]) => {
    const waiting = makers
      .filter((maker) => maker.namespace === namespace && maker.wantedCount > maker.madeCount)
      .map((maker) => {
        const count = maker.wantedCount - maker.madeCount;
        return { maker, count, admission: admit(readDraft(maker.spec), count, rules) };
      })
      // What is refused already has a finding of its own.
      .filter(({ count, admission }) => admission.admittedCount === count);
    if (waiting.length < 2) return [];
    return rules.quotas.flatMap(({ quota, used }): FindingParts[] => {
      const total = new Map(used);
      for (const { count, admission } of waiting) {
        if (!counts(quota, admission.draft)) continue;
        for (const [name, amount] of usageOf(admission.draft))
          total.set(name, (total.get(name) ?? 0n) + amount * BigInt(count));
      }
      const over = [...quota.hard].filter(([name, hard]) => (total.get(name) ?? 0n) > hard);
      return over.length === 0
        ? []
        : [crowdedFinding(namespace, quota, { over, total, used, waiting })];
    });
  });
}

function crowdedFinding(
  namespace: string,
  quota: Quota,
  {
    over,
    total,
    used,
    waiting,
  }: {
    over: readonly (readonly [string, bigint])[];
    total: Amounts;
    used: Amounts;
    waiting: readonly { readonly maker: Maker }[];
  },
): FindingParts {
  const names = waiting.map(({ maker }) => wordsFor(maker)).sort();
  const text = over
    .map(([name, hard]) => {
      const amount = (value: bigint | undefined): string => quotaAmount(name, value ?? 0n);
      return `${name} ${amount(total.get(name))} of ${amount(hard)}, of which ${amount(used.get(name))} are used`;
    })
    .join("; ");
  const raised = over.map(([name]) => `${name} to ${quotaAmount(name, total.get(name) ?? 0n)}`);
  return {
    verdict: "violated",
    subject: { kind: "resource-quota", name: `${namespace}/${quota.name}` },
    title: `Quota ${namespace}/${quota.name} has no room for all pods of ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""} together: ${text}.`,
    actual: text,
    causeKind: "capacity",
    measures: Object.fromEntries(
      over.map(([name]) => [`wanted ${name}`, quotaAmount(name, total.get(name) ?? 0n)]),
    ),
    evidence: [referenceTo(quota.source), ...waiting.map(({ maker }) => referenceTo(maker.source))],
    fixes: [
      {
        description: `Raise ${raised.join(", ")} in quota ${quota.name}.`,
        cost: 6,
        verified: true,
      },
    ],
    nextChecks: [
      "Each workload fits alone; which of them is refused depends on which makes its pods first.",
    ],
  };
}

/** A workload may make pods through several objects: what is refused outweighs what is let in. */
function worstOf(findings: readonly FindingParts[]): FindingParts[] {
  const order = ["violated", "inconclusive", "holds"];
  const kept = new Map<string, FindingParts>();
  for (const finding of findings) {
    const other = kept.get(keyOf(finding));
    if (other === undefined || order.indexOf(finding.verdict) < order.indexOf(other.verdict))
      kept.set(keyOf(finding), finding);
  }
  return [...kept.values()];
}

function keyOf({ subject }: FindingParts): string {
  return `${subject.kind} ${subject.name}`;
}

function readRules(objects: Objects, namespace: string): Rules {
  const here = (kind: string): Source[] =>
    objects.of(kind).filter(({ object }) => (object.metadata.namespace ?? "default") === namespace);
  const drafts = here("Pod")
    .filter(({ object }) => isCounted(object))
    .map(({ object }) => readDraft(specOf(object)));
  return {
    ranges: here("LimitRange").map(readLimitRange),
    quotas: here("ResourceQuota")
      .map(readQuota)
      .map((quota) => ({ quota, used: quota.used ?? usedBy(drafts, quota) })),
  };
}

function specOf(object: Source["object"]): Readonly<Record<string, unknown>> {
  const { spec } = object;
  return typeof spec === "object" && spec !== null ? { ...spec } : {};
}

/** A pod counts until it is over. One without a phase is a manifest and asks only. */
function isCounted(object: Source["object"]): boolean {
  const phase = textAt(object, "status", "phase");
  return phase !== undefined && phase !== "Succeeded" && phase !== "Failed";
}

function usedBy(drafts: readonly Draft[], quota: Quota): Amounts {
  const used = new Map<string, bigint>();
  for (const draft of drafts) {
    if (counts(quota, draft)) addTo(used, usageOf(draft));
  }
  return used;
}

function findingAbout(maker: Maker, rules: Rules, refusal: Refusal | undefined): FindingParts[] {
  const count = maker.wantedCount - maker.madeCount;
  const hasRules = rules.ranges.length + rules.quotas.length > 0;
  if (!hasRules && (refusal === undefined || count <= 0)) return [];
  const stated = readDraft(maker.spec);
  const [unreadable] = stated.unreadable;
  if (count > 0 && unreadable !== undefined) return [unreadableFinding(maker, stated)];
  if (count <= 0) return [madeFinding(maker)];
  const admission = admit(stated, count, rules);
  const isRefused = admission.rangeFaults.length + admission.quotaFaults.length > 0;
  if (!isRefused)
    return [
      refusal === undefined ? admittedFinding(maker, count) : saidFinding(maker, refusal, hasRules),
    ];
  const attempt = { stated, count, madeCount: maker.madeCount, rules, admission };
  return [refusedFinding(maker, attempt, refusal)];
}

function refusedFinding(
  maker: Maker,
  attempt: Attempt,
  refusal: Refusal | undefined,
): FindingParts {
  const { admission, count, rules } = attempt;
  const { rangeFaults, quotaFaults, admittedCount } = admission;
  const texts = [...rangeFaults.map(({ text }) => text), ...quotaFaults.map(({ text }) => text)];
  const [first = ""] = texts;
  const actual = rangeFaults.length > 1 ? `[${texts.join(", ")}]` : texts.join("; ");
  const isCapacity = quotaFaults.length > 0 && quotaFaults.every(({ kind }) => kind === "exceeded");
  const refusing: Source[] = [
    ...rangeFaults.map(({ range }) => range.source),
    ...quotaFaults.map(({ quota }) => quota.source),
  ];
  return {
    ...about(maker, "violated"),
    title:
      admittedCount === 0
        ? `No ${maker.madeCount === 0 ? "" : "further "}pod of ${wordsFor(maker)} can be made: ${first}.`
        : `Only ${admittedCount} of ${count} pods of ${wordsFor(maker)} can be made: ${first}.`,
    actual,
    causeKind: isCapacity ? "capacity" : "configuration",
    measures: {
      ...countsOf(maker),
      admittedPodCount: admittedCount,
      ...quotaMeasures(admission, rules),
      ...saidMeasures(refusal, texts),
    },
    evidence: evidenceOf(maker, refusal, refusing),
    fixes: remediesOf(attempt),
    nextChecks: [
      `kubectl get events -n ${maker.namespace} --field-selector reason=FailedCreate shows what the API server says`,
    ],
  };
}

function quotaMeasures(
  { draft, quotaFaults }: Admission,
  { quotas }: Rules,
): FindingParts["measures"] {
  const usage = usageOf(draft);
  const measures: Record<string, string> = {};
  for (const fault of quotaFaults) {
    if (fault.kind !== "exceeded") continue;
    const used = quotas.find(({ quota }) => quota === fault.quota)?.used ?? new Map();
    for (const name of fault.resources) {
      const text = (amount: bigint | undefined): string => quotaAmount(name, amount ?? 0n);
      measures[`quota ${fault.quota.name} ${name}`] =
        `${text(usage.get(name))} for each pod, ${text(used.get(name))} of ${text(fault.quota.hard.get(name))} used`;
    }
  }
  return measures;
}

function saidMeasures(
  refusal: Refusal | undefined,
  texts: readonly string[],
): FindingParts["measures"] {
  if (refusal === undefined) return {};
  const head = (text: string): string => text.split(", requested:")[0] ?? text;
  return {
    recordedEvent: refusal.text,
    recordedEventMatches: texts.some((text) => refusal.text.includes(head(text))),
  };
}

/** The API server refused, but by these objects it would not: they are not of the same moment. */
function saidFinding(maker: Maker, refusal: Refusal, hasRules: boolean): FindingParts {
  if (hasRules) {
    return {
      ...about(maker, "inconclusive"),
      title: `By these objects all pods of ${wordsFor(maker)} can be made, but the API server said: ${refusal.text}`,
      actual: refusal.text,
      measures: { ...countsOf(maker), recordedEvent: refusal.text, recordedEventMatches: false },
      evidence: evidenceOf(maker, refusal, []),
      missing: ["quotas, limit ranges and events of the same moment"],
      nextChecks: [captureCommand.replace("NAMESPACE", maker.namespace)],
    };
  }
  return {
    ...about(maker, "violated"),
    title: `Pods of ${wordsFor(maker)} cannot be made, as the API server said: ${ruleText(refusal.text)}.`,
    actual: refusal.text,
    causeKind: refusal.text.includes("exceeded quota") ? "capacity" : "configuration",
    measures: { ...countsOf(maker), recordedEvent: refusal.text },
    evidence: evidenceOf(maker, refusal, []),
    missing: ["the quotas and limit ranges of the namespace"],
    nextChecks: [captureCommand.replace("NAMESPACE", maker.namespace)],
  };
}

/** An event about a workload whose object is not in the evidence. */
function unseenMaker(key: string, refusal: Refusal): FindingParts {
  const [kind = "", ...name] = key.split("/");
  const subject = { kind: kind.toLowerCase(), name: name.join("/") };
  return {
    verdict: "violated",
    subject,
    title: `Pods of ${subject.kind} ${subject.name} cannot be made, as the API server said: ${ruleText(refusal.text)}.`,
    actual: refusal.text,
    causeKind: refusal.text.includes("exceeded quota") ? "capacity" : "configuration",
    measures: { recordedEvent: refusal.text },
    evidence: refusal.source === undefined ? [] : [referenceTo(refusal.source, refusal.text)],
    missing: ["the workload, and the quotas and limit ranges of its namespace"],
    nextChecks: [captureCommand.replace("NAMESPACE", name[0] ?? "default")],
  };
}

function admittedFinding(maker: Maker, count: number): FindingParts {
  return {
    ...about(maker, "holds"),
    title: `${plural(count, "pod")} of ${wordsFor(maker)} can be made within the quotas and limit ranges.`,
    actual: "No quota and no limit range refuses a pod.",
    measures: countsOf(maker),
  };
}

function madeFinding(maker: Maker): FindingParts {
  return {
    ...about(maker, "holds"),
    title: `All pods of ${wordsFor(maker)} have been made.`,
    actual: `${plural(maker.madeCount, "pod")} of ${maker.wantedCount} exist.`,
    measures: countsOf(maker),
  };
}

function unreadableFinding(maker: Maker, { unreadable }: Draft): FindingParts {
  return {
    ...about(maker, "inconclusive"),
    title: `${wordsFor(maker)} states quantities that cannot be read: ${unreadable.join("; ")}.`,
    actual: unreadable.join("; "),
    missing: unreadable.map((place) => `a quantity such as 500m or 64Mi at ${place}`),
  };
}

function about(
  maker: Maker,
  verdict: FindingParts["verdict"],
): Pick<FindingParts, "verdict" | "subject" | "evidence"> {
  return { verdict, subject: maker.subject, evidence: [referenceTo(maker.source)] };
}

function countsOf({ wantedCount, madeCount }: Maker): Record<string, number> {
  return { wantedPodCount: wantedCount, madePodCount: madeCount };
}

function wordsFor({ subject }: Maker): string {
  return `${subject.kind} ${subject.name}`;
}

function evidenceOf(
  maker: Maker,
  refusal: Refusal | undefined,
  rules: readonly Source[],
): EvidenceReference[] {
  return [
    referenceTo(maker.source),
    ...(refusal?.source === undefined ? [] : [referenceTo(refusal.source, refusal.text)]),
    ...rules.map((source) => referenceTo(source)),
  ];
}
