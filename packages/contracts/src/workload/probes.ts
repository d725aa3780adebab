/** The contract workload/probes: every probe can pass, and none ends a container that only starts slowly. */

import { type ClusterEvent, eventsOf } from "../kubernetes/event-index.ts";
import { textAt } from "../kubernetes/fields.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { gather, type Judgement } from "./gather-findings.ts";
import { containersIn, type PodTemplate, templatesOf } from "./pod-template.ts";
import { containerSubject, type ContainerView, type PodView, podsOf } from "./pod-view.ts";
import { describeProbe, patienceSeconds, type Probe, probesOf } from "./probe.ts";
import { probeCause, type ProbeCause, undeclaredPort, unknownPortName } from "./probe-failure.ts";

interface Options {
  readonly failureCountMin: number;
  readonly restartCountMin: number;
}

export const probes: Contract = defineContract({
  id: "workload/probes",
  version: 1,
  boundary: "pod-scheduler",
  promise:
    "Every probe asks what the container answers, and leaves it the time that it needs to start.",
  reads: ["kubernetes"],
  options: {
    failureCountMin: {
      default: 3,
      description:
        "A probe of a container that may only be starting must have failed so often; a path, port or scheme that is wrong counts at once.",
    },
    restartCountMin: {
      default: 3,
      description:
        "A container that is ready now counts as ended by its probes only after so many restarts.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const live = podsOf(snapshot).flatMap((pod) => judgePod(pod, snapshot, options));
    const judged = new Set(live.map(({ parts }) => parts.subject.name));
    // What a running container answers settles what its specification leaves open.
    const specified = templatesOf(snapshot)
      .flatMap(judgeTemplate)
      .filter(({ parts }) => parts.verdict === "violated" || !judged.has(parts.subject.name));
    return gather([...live, ...specified]).map(found);
  },
});

/** What the kubelet said of a probe of a container. */
interface ProbeFailure {
  readonly kind: Probe["kind"];
  readonly event: ClusterEvent;
  readonly message: string;
}

function judgePod(pod: PodView, snapshot: Snapshot, options: Options): Judgement[] {
  if (pod.phase === "Succeeded" || pod.isBeingDeleted) return [];
  const events = eventsOf(snapshot).about("Pod", pod.namespace, pod.name);
  return pod.containers.flatMap((container): Judgement[] => {
    const ours = events.filter((event) => isAbout(event, pod, container));
    const specified = probesOf(container.spec);
    const kills = ours.find(({ message }) =>
      /failed (?:liveness|startup) probe, will be restarted/.test(message),
    );
    const failures = failuresIn(ours);
    const isReady = container.isReady === true;
    const isKilled =
      kills !== undefined &&
      container.restartCount > 0 &&
      (!isReady || container.restartCount >= options.restartCountMin);
    const fatal = failures.find(({ kind }) => kind !== "readiness");
    if (isKilled && fatal !== undefined) {
      return [killed(pod, container, { failure: fatal, kills, specified })];
    }
    const runs = container.state.kind === "running";
    const [first] = failures;
    if (runs && !isReady && first !== undefined) {
      const readiness = failures.find(({ kind }) => kind === "readiness") ?? first;
      const judged = unready(pod, container, { failure: readiness, specified });
      const isEarly =
        container.restartCount === 0 &&
        readiness.event.count < options.failureCountMin &&
        (judged.weight ?? 0) < 3;
      return [isEarly ? early(pod, container, readiness) : judged];
    }
    if (specified.length === 0 || !runs) return [];
    return [isReady ? passing(pod, container, specified) : silent(pod, container, specified)];
  });
}

/** An event names its container in its field path; where text left that out, in its words or not at all. */
function isAbout(event: ClusterEvent, pod: PodView, container: ContainerView): boolean {
  const path = /\{([^}]+)\}/.exec(event.fieldPath)?.[1];
  const named = path ?? /^Container (\S+) failed/.exec(event.message)?.[1];
  if (named !== undefined) return named === container.name;
  const withProbes = pod.containers.filter(({ spec }) => probesOf(spec).length > 0);
  return withProbes.length <= 1 ? withProbes.length === 0 || withProbes[0] === container : true;
}

function failuresIn(events: readonly ClusterEvent[]): ProbeFailure[] {
  return events.flatMap((event): ProbeFailure[] => {
    const kind = /^(Liveness|Readiness|Startup) probe (?:failed|errored)/.exec(event.message)?.[1];
    if (kind === undefined) return [];
    // The first letter is all in which the printed word differs from the kind.
    return [{ kind: kind.toLowerCase() as Probe["kind"], event, message: event.message }];
  });
}

interface KillCase {
  readonly failure: ProbeFailure;
  readonly kills: ClusterEvent;
  readonly specified: readonly Probe[];
}

function killed(
  pod: PodView,
  container: ContainerView,
  { failure, kills, specified }: KillCase,
): Judgement {
  const probe = specified.find(({ kind }) => kind === failure.kind);
  const cause = probeCause(failure.message, probe, container.spec);
  const atStart = startWords(probe, specified, cause);
  return violation(pod, container, {
    failure,
    probe,
    cause,
    says: `is ended by its ${failure.kind} probe and started again (${container.restartCount} restarts)`,
    because: `${cause.because}${atStart}`,
    kills,
  });
}

/** A liveness probe without a startup probe asks a process that may not listen yet. */
function startWords(
  probe: Probe | undefined,
  specified: readonly Probe[],
  cause: ProbeCause,
): string {
  if (probe?.kind !== "liveness" || cause.weight > 2) return "";
  if (specified.some(({ kind }) => kind === "startup")) return "";
  return `; without a startupProbe it has ${patienceSeconds(probe)} s to start (initialDelaySeconds ${probe.initialDelaySeconds}, then ${probe.failureThreshold} failures ${probe.periodSeconds} s apart)`;
}

/** A probe that failed once or twice may have asked before the process listened. */
function early(
  pod: PodView,
  container: ContainerView,
  { event, message }: ProbeFailure,
): Judgement {
  return {
    parts: {
      verdict: "inconclusive",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} is not ready yet; its probe failed ${event.count === 1 ? "once" : `${event.count} times`} so far.`,
      actual: message,
      measures: { failureCount: event.count },
      evidence: [referenceTo(pod.source), referenceTo(event.source, message)],
      missing: ["whether it becomes ready: the pod and its events some time later"],
      nextChecks: [`kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

interface UnreadyCase {
  readonly failure: ProbeFailure;
  readonly specified: readonly Probe[];
}

function unready(
  pod: PodView,
  container: ContainerView,
  { failure, specified }: UnreadyCase,
): Judgement {
  const probe = specified.find(({ kind }) => kind === failure.kind);
  const cause = probeCause(failure.message, probe, container.spec);
  return violation(pod, container, {
    failure,
    probe,
    cause,
    says:
      failure.kind === "readiness"
        ? "runs and does not become ready"
        : `fails its ${failure.kind} probe`,
    because: cause.because,
    kills: undefined,
  });
}

interface Violation {
  readonly failure: ProbeFailure;
  readonly probe: Probe | undefined;
  readonly cause: ProbeCause;
  readonly says: string;
  readonly because: string;
  readonly kills: ClusterEvent | undefined;
}

function violation(pod: PodView, container: ContainerView, item: Violation): Judgement {
  const { failure, probe, cause, says, because, kills } = item;
  return {
    weight: cause.weight,
    parts: {
      verdict: "violated",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} ${says}: ${because}.`,
      actual: failure.message,
      causeKind: cause.causeKind,
      measures: {
        restartCount: container.restartCount,
        failureCount: failure.event.count,
        probe: probe === undefined ? failure.kind : `${failure.kind}: ${describeProbe(probe)}`,
        patienceSeconds: probe === undefined ? undefined : patienceSeconds(probe),
      },
      evidence: [
        referenceTo(pod.source),
        referenceTo(failure.event.source, failure.message),
        ...(kills === undefined ? [] : [referenceTo(kills.source, kills.message)]),
      ],
      fixes: [
        { description: cause.fix },
        ...(kills !== undefined && cause.weight < 3
          ? [
              {
                description:
                  "Add a startupProbe whose failureThreshold × periodSeconds exceeds the slowest start.",
              },
            ]
          : []),
      ],
      nextChecks: [
        `kubectl logs ${pod.name} -n ${pod.namespace} -c ${container.name} shows on which port and path it serves`,
      ],
    },
  };
}

function passing(pod: PodView, container: ContainerView, specified: readonly Probe[]): Judgement {
  return {
    parts: {
      verdict: "holds",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} is ready: its probes pass.`,
      actual: specified.map((probe) => `${probe.kind}: ${describeProbe(probe)}`).join("; "),
      evidence: [referenceTo(pod.source)],
    },
  };
}

function silent(pod: PodView, container: ContainerView, specified: readonly Probe[]): Judgement {
  return {
    parts: {
      verdict: "inconclusive",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} runs and is not ready, and no event tells why.`,
      actual: specified.map((probe) => `${probe.kind}: ${describeProbe(probe)}`).join("; "),
      evidence: [referenceTo(pod.source)],
      missing: ["the events of the pod, which quote what its probes were answered"],
      nextChecks: [`kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

/** What a specification alone settles: a name of a port that is none. */
function judgeTemplate(template: PodTemplate): Judgement[] {
  const { spec, subject, source, unknown } = template;
  return containersIn(spec).flatMap((container): Judgement[] => {
    const name = textAt(container, "name") ?? "";
    const of = { kind: "container", name: `${subject.name}/${name}` };
    const specified = probesOf(container);
    for (const probe of specified) {
      const unnamed = unknown.includes("spec.containers.ports.name")
        ? undefined
        : unknownPortName(probe, container);
      if (unnamed !== undefined) {
        return [
          {
            weight: 3,
            parts: {
              verdict: "violated",
              subject: of,
              title: `The ${probe.kind} probe of container ${name} of ${subject.kind} ${subject.name} cannot pass: ${unnamed}.`,
              actual: describeProbe(probe),
              causeKind: "configuration",
              evidence: [referenceTo(source)],
              fixes: [
                {
                  description: "Use the name or the number of a port that the container declares.",
                },
              ],
            },
          },
        ];
      }
    }
    return doubts(template, { name, of, container, specified });
  });
}

interface DoubtCase {
  readonly name: string;
  readonly of: Judgement["parts"]["subject"];
  readonly container: Parameters<typeof undeclaredPort>[1];
  readonly specified: readonly Probe[];
}

/** What may be wrong, and only the running container settles. */
function doubts(
  { subject, source }: PodTemplate,
  { name, of, container, specified }: DoubtCase,
): Judgement[] {
  const [doubt] = specified.flatMap((probe) => {
    const undeclared = undeclaredPort(probe, container);
    return undeclared === undefined ? [] : [{ probe, undeclared }];
  });
  if (doubt === undefined) return [];
  return [
    {
      parts: {
        verdict: "inconclusive",
        subject: of,
        title: `The ${doubt.probe.kind} probe of container ${name} of ${subject.kind} ${subject.name} may ask the wrong port: ${doubt.undeclared}.`,
        actual: describeProbe(doubt.probe),
        evidence: [referenceTo(source)],
        missing: [`whether a process of the container listens on port ${doubt.probe.port ?? ""}`],
        fixes: [{ description: `Set the probe's port to a port that the container declares.` }],
        nextChecks: [
          `kubectl get events -n ${source.object.metadata.namespace ?? "default"} --field-selector reason=Unhealthy`,
        ],
      },
    },
  ];
}
