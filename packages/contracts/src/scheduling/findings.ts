/** Turns judgements about pods into findings. */

import type { EvidenceReference } from "../model/evidence.ts";
import type { Finding, Fix } from "../model/finding.ts";
import type { FindingParts } from "../model/make-finding.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { Surroundings } from "./changes/surroundings.ts";
import type { AskingPod, Cluster } from "./cluster.ts";
import { crowdedFinding } from "./crowded-finding.ts";
import { foreignReasons, type RecordedEvent, sameHistogram } from "./events.ts";
import { causeKindOf, describeCause, describeVerdict } from "./explain.ts";
import type { NodeVerdict } from "./filters/scheduler.ts";
import { base, cut, listLimits, lowerNameOf, nameOf } from "./finding-words.ts";
import type { Judgement } from "./judge-pod.ts";
import type { Pod } from "./pod.ts";
import type { Solution } from "./search.ts";

interface Context {
  readonly cluster: Cluster;
  readonly surroundings: Surroundings;
  /** Schedulers that run these filters. */
  readonly schedulerNames: readonly string[];
}

/** A judgement with all that a finding about it needs. */
interface Case extends Context {
  readonly asked: AskingPod;
  readonly judgement: Judgement;
  readonly recorded: RecordedEvent | undefined;
}

/** The finding about a pod that asks for a node. */
export function findingAbout(
  asked: AskingPod,
  judgement: Judgement,
  context: Context,
): FindingParts {
  const { pod } = asked;
  const recorded = recordedOf(pod, context.cluster);
  const item: Case = { ...context, asked, judgement, recorded };
  if (pod.isGated) return gatedFinding(item);
  if (!context.schedulerNames.includes(pod.schedulerName)) return otherScheduler(item);
  const [unreadable] = pod.unreadable;
  if (unreadable !== undefined) return unreadableFinding(item);
  if (judgement.isRefused) return refusedFinding(item);
  if (judgement.fittingCount === 0) {
    return recorded === undefined ? unknownFinding(item) : recordedFinding(item, recorded);
  }
  if (recorded !== undefined) return contradictedFinding(item, recorded);
  const { room } = judgement;
  return room !== undefined && room.count < asked.replicaCount
    ? crowdedFinding(asked, judgement, room)
    : fittingFinding(item);
}

/**
 * The findings about the pods that have a node. There may be many thousand, and they stay until the report is written: what
 * they have in common stands in all of them as one object.
 */
export function* boundFindings(cluster: Cluster): Generator<FindingParts> {
  const measures = Object.freeze({ nodeCount: cluster.nodes.length, bound: true });
  const places = new Map<string | undefined, string>();
  for (const pod of cluster.bound) {
    const { nodeName } = pod;
    const place = nodeName === undefined ? "has a node" : `runs on node ${nodeName}`;
    const actual = places.get(nodeName) ?? `The pod ${place}.`;
    places.set(nodeName, actual);
    const subject = { kind: "pod", name: `${pod.namespace}/${pod.name}` };
    yield {
      ...base({ subject, pod }, "holds"),
      title: `Pod ${subject.name} ${place}.`,
      actual,
      measures,
      evidence: [referenceTo(pod.source)],
    };
  }
}

function recordedOf(pod: Pod, cluster: Cluster): RecordedEvent | undefined {
  const event = cluster.recorded.get(`${pod.namespace}/${pod.name}`);
  if (event !== undefined) return event;
  const message = pod.isScheduled === false ? pod.scheduledMessage : undefined;
  if (message === undefined || message === "") return undefined;
  return { message, evidenceId: undefined, eventName: undefined };
}

/** Something definite stands in the way on every node. */
function refusedFinding(item: Case): FindingParts {
  const { asked, judgement, recorded, surroundings } = item;
  const { closest } = judgement;
  if (closest === undefined) return unknownFinding(item);
  const cause = describeCause(judgement, closest, surroundings);
  const text = judgement.hasNodes ? judgement.eventText : (recorded?.message ?? cause);
  return {
    ...base(asked, "violated"),
    title: cut(`${nameOf(asked)} ${fitsNowhere(item)}: ${cause}.`),
    actual: cut(text),
    causeKind: causeKindOf(closest),
    measures: measuresOf(item, text),
    evidence: evidenceOf(item),
    fixes: judgement.search.solutions.map((solution) => fixOf(solution, judgement.hasNodes)),
    nextChecks: nextChecksOf(item, text),
  };
}

/** Nothing definite is known, but the scheduler itself said why. */
function recordedFinding(item: Case, recorded: RecordedEvent): FindingParts {
  const { asked, judgement } = item;
  const [message = ""] = recorded.message.split(/\s*preemption:/);
  const asks = describeAsked(asked.pod);
  return {
    ...base(asked, "violated"),
    title: cut(
      `${nameOf(asked)} fits no node, as the scheduler recorded: ${message}${asks === "" ? "" : ` The pod ${asks}.`}`,
    ),
    actual: cut(recorded.message),
    causeKind: /Insufficient|Too many pods/.test(message) ? "capacity" : "configuration",
    measures: measuresOf(item, undefined),
    evidence: evidenceOf(item),
    missing: missingOf(judgement),
    nextChecks: [captureCommand],
  };
}

function fittingFinding({ asked, judgement, cluster }: Case): FindingParts {
  const { firstFitting: first = "", fittingCount } = judgement;
  const others = fittingCount === 1 ? "" : ` and ${fittingCount - 1} more`;
  return {
    ...base(asked, "holds"),
    title: cut(`${nameOf(asked)} fits node ${first}${others}.`),
    actual: `${fittingCount} of ${cluster.nodes.length} nodes pass every filter.`,
    measures: { nodeCount: cluster.nodes.length, fittingNodeCount: fittingCount },
  };
}

function unknownFinding(item: Case): FindingParts {
  const { asked, judgement } = item;
  const what = judgement.hasNodes
    ? "the evidence does not tell enough about the nodes"
    : "there is no node in the evidence";
  return {
    ...base(asked, "inconclusive"),
    title: cut(`Whether ${lowerNameOf(asked)} fits a node is not known: ${what}.`),
    actual: "No node is known to pass or to fail every filter.",
    measures: measuresOf(item, undefined),
    missing: missingOf(judgement),
    nextChecks: [captureCommand],
  };
}

/** The filters find room where the scheduler found none. */
function contradictedFinding(item: Case, recorded: RecordedEvent): FindingParts {
  const { asked, judgement } = item;
  const { firstFitting: first = "" } = judgement;
  return {
    ...base(asked, "inconclusive"),
    title: cut(
      `${nameOf(asked)} fits node ${first} by these objects, but the scheduler recorded: ${recorded.message}`,
    ),
    actual: cut(recorded.message),
    measures: { ...measuresOf(item, undefined), recordedEventMatches: false },
    evidence: evidenceOf(item),
    missing: [
      "objects and events of the same moment: the objects are newer than the event, or a plugin that is not judged here stands in the way",
    ],
    nextChecks: [captureCommand],
  };
}

/** What another scheduler would say is not known, unless it has said so. */
function otherScheduler(item: Case): FindingParts {
  const { asked, recorded } = item;
  if (recorded !== undefined) return recordedFinding(item, recorded);
  const { schedulerName } = asked.pod;
  return {
    ...base(asked, "inconclusive"),
    title: cut(
      `${nameOf(asked)} asks the scheduler ${schedulerName} for a node, whose rules are not judged here.`,
    ),
    actual: cut(`spec.schedulerName is ${schedulerName}, and no event of it is in the evidence.`),
    missing: [
      `an event of the scheduler ${schedulerName}: when it does not run, nobody gives the pod a node`,
    ],
    nextChecks: [
      `kubectl get pods -A | grep ${schedulerName} shows whether such a scheduler runs; if it only has another name, set the option schedulerNames`,
    ],
  };
}

function gatedFinding({ asked }: Case): FindingParts {
  const names = asked.pod.gates.join(", ");
  const gates = names === "" ? "(their names are not in the evidence)" : names;
  return {
    ...base(asked, "inconclusive"),
    title: cut(
      `${nameOf(asked)} does not ask for a node yet: it waits at its scheduling gates ${gates}.`,
    ),
    actual: "Scheduling is blocked due to non-empty scheduling gates",
    missing: [`the removal of the scheduling gates ${gates} by their controllers`],
    nextChecks: [`find the controller that should remove ${gates}`],
  };
}

function unreadableFinding({ asked }: Case): FindingParts {
  const places = asked.pod.unreadable.slice(0, listLimits.missingCountMax);
  return {
    ...base(asked, "inconclusive"),
    title: cut(`${nameOf(asked)} requests quantities that cannot be read: ${places.join("; ")}.`),
    actual: cut(places.join("; ")),
    missing: places.map((place) => `a quantity such as 500m or 64Mi at ${place}`),
    nextChecks: ["kubectl apply --dry-run=server shows what the API server says of the manifest"],
  };
}

const captureCommand =
  "kubectl get pods,nodes,namespaces,pvc,pv,storageclass,csinodes,priorityclasses,pdb,events -A -o json shows everything at one moment";

function measuresOf(
  { asked, judgement, recorded }: Case,
  text: string | undefined,
): Finding["measures"] {
  const { listed, search, hasNodes, nodeCount, eviction } = judgement;
  const [solution] = search.solutions;
  const measures: Finding["measures"] = { nodeCount };
  const { nominatedNode, priority } = asked.pod;
  if (nominatedNode !== undefined) measures["nominatedNode"] = nominatedNode;
  if (eviction !== undefined) {
    measures["priority"] = priority.value;
    measures["preemptionNode"] = eviction.nodeName;
    measures["preemptionVictims"] = namesOf(eviction.victims);
    measures["preemptionVictimCount"] = eviction.victims.length;
    measures["preemptionOverBudgetCount"] = eviction.overBudget.length;
  }
  if (recorded !== undefined) {
    measures["recordedEvent"] = cut(recorded.message);
    if (text !== undefined && hasNodes)
      measures["recordedEventMatches"] = sameHistogram(text, recorded.message);
  }
  if (solution !== undefined) {
    measures["smallestChangeCost"] = solution.cost;
    measures["smallestChangeIsExact"] = search.isExact;
    measures["smallestChangeCount"] = solution.changes.length;
  }
  if (!hasNodes) return measures;
  for (const verdict of listed) {
    const { name } = verdict.situation.node;
    measures[`node ${name}`] = cut(describeVerdict(verdict));
    if (verdict.eventReasons.length > 0) measures[`reason ${name}`] = reasonsText(verdict);
  }
  const rest = nodeCount - listed.length;
  if (rest > 0) measures["furtherNodeCount"] = rest;
  return measures;
}

/** The scheduler's own words about one node. */
function reasonsText({ eventReasons }: NodeVerdict): string {
  return cut([...eventReasons].sort().join(", "));
}

function evidenceOf({ asked, judgement, recorded }: Case): EvidenceReference[] {
  const references = [...(base(asked, "violated").evidence ?? [])];
  if (recorded?.evidenceId !== undefined) {
    references.push({
      evidenceId: recorded.evidenceId,
      locator: `Event/${asked.pod.namespace}/${recorded.eventName ?? ""}`.slice(
        0,
        listLimits.textLengthMax,
      ),
      quote: recorded.message.slice(0, listLimits.quoteLengthMax),
    });
  }
  if (!judgement.hasNodes) return references;
  for (const { situation } of judgement.listed) {
    const { source, name } = situation.node;
    references.push({
      evidenceId: source.evidenceId,
      locator: `Node/${name}`.slice(0, listLimits.textLengthMax),
    });
  }
  for (const { source } of judgement.eviction?.victims ?? []) references.push(referenceTo(source));
  return references;
}

function nextChecksOf({ asked, judgement, recorded }: Case, text: string): string[] {
  const { pod } = asked;
  const checks: string[] = [];
  if (recorded !== undefined && judgement.hasNodes && !sameHistogram(text, recorded.message)) {
    checks.push(
      `The recorded event says otherwise about the nodes: the objects are of another moment, or the text hides a fact. ${captureCommand}.`,
    );
  }
  const foreign = recorded === undefined ? [] : foreignReasons(recorded.message);
  if (foreign.length > 0) {
    checks.push(
      `The event gives a reason that no filter of kube-scheduler gives: ${foreign.join("; ")}. Look which plugin or extender of the scheduler says so.`,
    );
  }
  checks.push(...evictionChecks(judgement));
  const [solution] = judgement.search.solutions;
  if (solution !== undefined) {
    checks.push(
      `After the change: kubectl get pod ${pod.name} -n ${pod.namespace} -o wide names its node.`,
    );
  }
  return checks;
}

function evictionChecks({ eviction }: Judgement): string[] {
  if (eviction === undefined) return [];
  const { nodeName, victims, overBudget } = eviction;
  const warning =
    overBudget.length === 0
      ? ""
      : `; ${namesOf(overBudget)} would be evicted against a disruption budget`;
  return [
    `By its priority the pod may evict ${namesOf(victims)} from node ${nodeName}, and then fits there${warning}. If it still waits, look whether those pods end.`,
  ];
}

const namedPodCountMax = 10;

function namesOf(pods: readonly Pod[]): string {
  const names = pods.map(({ namespace, name }) => `${namespace}/${name}`);
  const rest = names.length - namedPodCountMax;
  const listed = names.slice(0, namedPodCountMax).join(", ");
  return rest > 0 ? `${listed} and ${rest} more` : listed;
}

function missingOf({ unknown, hasNodes }: Judgement): string[] {
  if (!hasNodes) return ["the nodes: kubectl get nodes -o json"];
  const listed = unknown.slice(0, listLimits.missingCountMax).map(cut);
  return listed.length === 0 ? ["nodes that the pod could run on"] : listed;
}

function fixOf({ changes, cost, nodeName, isVerified }: Solution, hasNodes: boolean): Fix {
  const steps = changes.map((change) => change.description).join("; and ");
  const instruction = `${steps.charAt(0).toUpperCase()}${steps.slice(1)}`;
  const place = changes.some(({ makesNode }) => makesNode === true) ? "the new node" : nodeName;
  let effect = `Then it fits ${place}.`;
  if (!hasNodes) effect = "Then no known obstacle is left; the nodes are not in the evidence.";
  else if (!isVerified) effect = `Then no known obstacle is left on ${place}.`;
  return { description: cut(`${instruction}. ${effect}`), cost, verified: isVerified };
}

/** What the pod asks for, for a reader who has the scheduler's words only. */
function describeAsked(pod: Pod): string {
  const selector = [...pod.nodeSelector].map(([key, value]) => `${key}=${value}`);
  return selector.length === 0 ? "" : `has the nodeSelector ${selector.join(", ")}`;
}

function fitsNowhere({ judgement, recorded }: Case): string {
  if (!judgement.hasNodes)
    return recorded === undefined ? "fits no node" : "fits no node, as the scheduler recorded";
  const count = judgement.nodeCount;
  if (judgement.isRefusedEarly) return "fits no node";
  return count === 1 ? "does not fit the only node" : `fits none of ${count} nodes`;
}
