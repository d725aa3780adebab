/** Judges whether the containers of a pod start and stay up. */

import { textListAt } from "../kubernetes/fields.ts";
import { eventsOf } from "../kubernetes/event-index.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { EvidenceReference } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { plural } from "../text/plural.ts";
import { type ExplainedCause, explainLog, explainText } from "./causes/explain-log.ts";
import { meaningOfExit } from "./exit-code.ts";
import { missingReference } from "./missing-reference.ts";
import type { Judgement } from "./gather-findings.ts";
import { type ContainerLog, logsOf, namelessLogs } from "./pod-logs.ts";
import {
  containerSubject,
  type ContainerState,
  type ContainerView,
  type PodView,
  restartPolicyOf,
} from "./pod-view.ts";

export interface StayUpContext {
  readonly snapshot: Snapshot;
  readonly options: { readonly failureLineCountMin: number; readonly restartCountMin: number };
  /** Whether one workload alone fails: a log that names no container is then its own. */
  readonly isLoneFailure: boolean;
}

/** Reasons of waiting that other contracts explain: images, references, and the start that is still going on. */
const explainedElsewhere: ReadonlySet<string> = new Set([
  "ContainerCreating",
  "ErrImageNeverPull",
  "ErrImagePull",
  "ImageInspectError",
  "ImagePullBackOff",
  "InvalidImageName",
  "PodInitializing",
  "RegistryUnavailable",
]);

/** The log line that explains an end, and where it stands. */
export interface LogExplanation {
  readonly cause: ExplainedCause;
  readonly reference: EvidenceReference;
}

/** Judges each container of a pod whose states are known. */
export function judgeContainers(pod: PodView, context: StayUpContext): Judgement[] {
  return pod.containers.flatMap((container) => judgeContainer(pod, container, context) ?? []);
}

function judgeContainer(
  pod: PodView,
  container: ContainerView,
  context: StayUpContext,
): Judgement | undefined {
  const { state, last } = container;
  const ended = failedEnd(pod, container);
  if (ended !== undefined) {
    if (isExplainedElsewhere(pod, ended, context.snapshot)) return undefined;
    return endedJudgement(pod, container, { ended, context });
  }
  const subject = containerSubject(pod, container);
  if (state.kind === "waiting") {
    const isElsewhere =
      state.reason === "" ||
      explainedElsewhere.has(state.reason) ||
      (state.reason === "CreateContainerConfigError" &&
        missingReference(state.message) !== undefined);
    return isElsewhere ? undefined : notStarted(pod, container);
  }
  if (state.kind === "unknown") return undefined;
  const stuck = explainRunning(pod, container.name, context);
  if (stuck !== undefined && state.kind === "running") {
    return stuckJudgement(pod, subject, stuck);
  }
  const restarted =
    last?.kind === "terminated" &&
    last.exitCode !== 0 &&
    last.reason !== "OOMKilled" &&
    container.restartCount >= context.options.restartCountMin;
  const name = `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name}`;
  if (restarted) {
    return {
      parts: {
        verdict: "inconclusive",
        subject,
        title: `${name} runs now, but it was restarted ${plural(container.restartCount, "time")}.`,
        actual: `It runs; before that it ended with ${endWords(container, last)}.`,
        measures: { restartCount: container.restartCount, lastExitCode: last.exitCode },
        evidence: [referenceTo(pod.source)],
        missing: [
          "whether it still ends: its restarts over time, and the log of the container before this one",
        ],
        nextChecks: [previousLogs(pod, container.name)],
      },
    };
  }
  return {
    parts: {
      verdict: "holds",
      subject,
      title: `${name} ${state.kind === "running" ? "runs" : "did its work"}.`,
      actual: state.kind === "running" ? "It runs." : "It ended without an error.",
      measures: { restartCount: container.restartCount },
      evidence: [referenceTo(pod.source)],
    },
  };
}

/** The end that a container comes to again and again, or came to for good; nothing while it is well. */
export function failedEnd(pod: PodView, container: ContainerView): ContainerState | undefined {
  const { state, last } = container;
  if (state.kind === "terminated") {
    const isDone = state.exitCode === 0 && state.reason !== "Error";
    if (!isDone) return state;
    // A container that ends well is started anew under Always, and then waits for it.
    return !container.isInit && restartPolicyOf(pod) === "Always" && container.restartCount > 0
      ? state
      : undefined;
  }
  if (state.kind === "waiting" && state.reason === "CrashLoopBackOff") {
    return last ?? { ...state, kind: "terminated", exitCode: undefined, message: "" };
  }
  return undefined;
}

function isExplainedElsewhere(pod: PodView, ended: ContainerState, snapshot: Snapshot): boolean {
  if (ended.reason === "OOMKilled" || pod.reason === "Evicted") return true;
  const isKilled = ended.exitCode === 137 || ended.exitCode === 143 || ended.exitCode === 0;
  if (!isKilled) return false;
  return eventsOf(snapshot)
    .about("Pod", pod.namespace, pod.name)
    .some(({ message }) => /failed (?:liveness|startup) probe, will be restarted/.test(message));
}

function endedJudgement(
  pod: PodView,
  container: ContainerView,
  { ended, context }: { readonly ended: ContainerState; readonly context: StayUpContext },
): Judgement {
  const explained = explainEnd(pod, container, { ended, context });
  const command = [...textListAt(container.spec, "command"), ...textListAt(container.spec, "args")];
  const meaning = ended.exitCode === undefined ? undefined : meaningOfExit(ended.exitCode, command);
  const completes = ended.exitCode === 0;
  const because = explained?.cause.because ?? (completes ? completionWords : meaning?.words);
  const verb =
    completes && explained === undefined ? "does not stay up" : howItFails(container, ended);
  const isKnown =
    explained !== undefined || (meaning !== undefined && meaning.causeKind !== "none") || completes;
  const fix = explained?.cause.fix ?? (completes ? completionFix : meaning?.fix);
  const causeKind =
    explained?.cause.causeKind ?? (completes ? "configuration" : meaning?.causeKind);
  return {
    weight: explained?.cause.weight ?? (isKnown ? 2 : 0),
    parts: {
      verdict: "violated",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} ${verb}${because === undefined ? "" : `: ${because}`}.`,
      actual: actualWords(container, ended, explained),
      causeKind: causeKind ?? "none",
      measures: {
        restartCount: container.restartCount,
        exitCode: ended.exitCode,
        reason: ended.reason === "" ? undefined : ended.reason,
        line: explained?.cause.line,
      },
      evidence: [
        referenceTo(pod.source, ended.message === "" ? undefined : ended.message),
        ...(explained === undefined ? [] : [explained.reference]),
      ],
      missing: explained === undefined && !isKnown ? ["the log of the container that ended"] : [],
      fixes: fix === undefined ? [] : [{ description: fix }],
      nextChecks: [explained?.cause.nextCheck ?? previousLogs(pod, container.name)],
    },
  };
}

const completionWords =
  "its main process completes (exit code 0), and restartPolicy Always starts it again";
const completionFix =
  "Run a process that stays in the foreground, or make this a Job if its work is meant to end.";

function howItFails(container: ContainerView, ended: ContainerState): string {
  const code = ended.exitCode === undefined ? "" : ` with exit code ${ended.exitCode}`;
  return container.restartCount > 0 || container.state.kind === "waiting"
    ? `ends${code} again and again`
    : `failed${code}`;
}

function actualWords(
  container: ContainerView,
  ended: ContainerState,
  explained: LogExplanation | undefined,
): string {
  const line = explained === undefined ? "" : ` It wrote: ${explained.cause.line}`;
  return `It ended with ${endWords(container, ended)}; restarts: ${container.restartCount}.${line}`;
}

function endWords(container: ContainerView, ended: ContainerState): string {
  const { exitCode, reason } = ended;
  if (exitCode === undefined) return reason === "" ? "an unknown code" : reason;
  const command = textListAt(container.spec, "command");
  const words = meaningOfExit(exitCode, command).words;
  return `exit code ${exitCode}${reason === "" || reason === "Error" ? "" : ` (${reason})`}, ${words}`;
}

/** Why a container ended: its own last message, its logs, the message of its state. */
function explainEnd(
  pod: PodView,
  container: ContainerView,
  { ended, context }: { readonly ended: ContainerState; readonly context: StayUpContext },
): LogExplanation | undefined {
  const fromState = explainText(ended.message);
  if (fromState !== undefined && fromState.weight > 1) {
    return { cause: fromState, reference: referenceTo(pod.source, fromState.line) };
  }
  const logs = logsOf(context.snapshot, pod, container.name);
  const nameless = logs.length === 0 && context.isLoneFailure ? namelessLogs(context.snapshot) : [];
  return (
    surest([...logs, ...nameless]) ??
    (fromState === undefined
      ? undefined
      : { cause: fromState, reference: referenceTo(pod.source, fromState.line) })
  );
}

/** The surest cause among logs; of equally sure ones that of the first log. */
export function surest(logs: readonly ContainerLog[]): LogExplanation | undefined {
  let best: LogExplanation | undefined;
  for (const { evidenceId, lines } of logs) {
    const cause = explainLog(lines);
    if (cause === undefined || (best !== undefined && cause.weight <= best.cause.weight)) continue;
    best = { cause, reference: { evidenceId, quote: cause.line } };
  }
  return best;
}

function notStarted(pod: PodView, container: ContainerView): Judgement {
  const { reason, message } = container.state;
  const cause = explainText(message);
  const because = cause?.because ?? (message === "" ? reason : message);
  return {
    weight: cause?.weight ?? 1,
    parts: {
      verdict: "violated",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} cannot be started: ${because}.`,
      actual: `${reason}: ${message}`,
      causeKind: cause?.causeKind ?? "configuration",
      measures: { reason },
      evidence: [referenceTo(pod.source, message === "" ? reason : message)],
      fixes: cause?.fix === undefined ? [] : [{ description: cause.fix }],
      nextChecks: [`kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

/** A container that runs, and whose log tells the same failed connection again and again. */
export function explainRunning(
  pod: PodView,
  container: string | undefined,
  { snapshot, options }: StayUpContext,
): LogExplanation | undefined {
  const current = logsOf(snapshot, pod, container).filter((log) => !log.isPrevious);
  const explained = surest(current);
  if (explained === undefined) return undefined;
  const { isDependency, count } = explained.cause;
  return isDependency === true && count >= options.failureLineCountMin ? explained : undefined;
}

/** The finding about something that runs and complains: a violation only while nothing else follows. */
export function stuckJudgement(
  pod: PodView,
  subject: Judgement["parts"]["subject"],
  { cause, reference }: LogExplanation,
): Judgement {
  const who = `${pod.owner.kind === "pod" ? "Pod" : `A pod of ${pod.owner.kind}`} ${pod.owner.name}`;
  const shared = {
    subject,
    measures: { failureLineCount: cause.count, line: cause.line },
    evidence: [referenceTo(pod.source), reference],
    nextChecks: cause.nextCheck === undefined ? [] : [cause.nextCheck],
  };
  if (!cause.isLast) {
    return {
      parts: {
        ...shared,
        verdict: "inconclusive",
        title: `${who} runs, and ${plural(cause.count, "line")} of its log tell that ${cause.because}.`,
        actual: `Other lines follow the last of them: ${cause.line}`,
        missing: ["whether it recovered: the log after these lines"],
      },
    };
  }
  return {
    weight: cause.weight,
    parts: {
      ...shared,
      verdict: "violated",
      title: `${who} runs but does not get on: ${cause.because}, again and again.`,
      actual: `${plural(cause.count, "line")} of its log, the last among them, tell it. The last: ${cause.line}`,
      causeKind: cause.causeKind,
      fixes: cause.fix === undefined ? [] : [{ description: cause.fix }],
    },
  };
}

const failingStatus =
  /^(?:Init:)?(?:CrashLoopBackOff|Error|RunContainerError|CreateContainerError|StartError|ContainerCannotRun|ExitCode:\d+|Signal:\d+)$/;

/** Judges a pod that is known from a table alone, with the help of its logs. */
export function judgeShown(pod: PodView, context: StayUpContext): Judgement[] {
  const { shown } = pod;
  if (shown === undefined) return [];
  if (failingStatus.test(shown.status)) return [shownFailure(pod, shown.status, context)];
  if (shown.status !== "Running") return [];
  const stuck = explainRunning(pod, undefined, context);
  if (stuck !== undefined) return [stuckJudgement(pod, pod.owner, stuck)];
  // That a table says Running tells nothing of how long; only full readiness is taken for well.
  if (shown.readyCount !== shown.containerCount) return [];
  return [
    {
      parts: {
        verdict: "holds",
        subject: pod.owner,
        title: `The containers of ${pod.owner.kind} ${pod.owner.name} run.`,
        actual: `${shown.readyCount ?? 0} of ${shown.containerCount ?? 0} containers are ready.`,
        measures: { restartCount: shown.restartCount },
        evidence: [referenceTo(pod.source)],
      },
    },
  ];
}

function shownFailure(pod: PodView, status: string, { snapshot }: StayUpContext): Judgement {
  const explained = surest(logsOf(snapshot, pod));
  const cause = explained?.cause;
  const because = cause === undefined ? "" : `: ${cause.because}`;
  return {
    weight: cause?.weight ?? 0,
    parts: {
      verdict: "violated",
      subject: pod.owner,
      title: `A container of ${pod.owner.kind} ${pod.owner.name} does not stay up (${status})${because}.`,
      actual:
        `The table shows ${status} with ${plural(pod.shown?.restartCount ?? 0, "restart")}.` +
        (cause === undefined ? "" : ` It wrote: ${cause.line}`),
      causeKind: cause?.causeKind ?? "none",
      measures: { restartCount: pod.shown?.restartCount, status, line: cause?.line },
      evidence: [
        referenceTo(pod.source, status),
        ...(explained === undefined ? [] : [explained.reference]),
      ],
      missing: cause === undefined ? ["how the container ended, and its log"] : [],
      fixes: cause?.fix === undefined ? [] : [{ description: cause.fix }],
      nextChecks: [
        cause?.nextCheck ?? `kubectl describe pod ${pod.name} -n ${pod.namespace}`,
        previousLogs(pod),
      ],
    },
  };
}

/** The command that shows how the container before the present one ended. */
export function previousLogs(pod: PodView, container?: string): string {
  const of = container === undefined || container === "" ? "" : ` -c ${container}`;
  return `kubectl logs ${pod.name} -n ${pod.namespace}${of} --previous`;
}
