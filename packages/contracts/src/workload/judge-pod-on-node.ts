/** Judges what a node owes its pods: a network at their start, an end when they are deleted, room while they run. */

import type { EventIndex } from "../kubernetes/event-index.ts";
import { listAt, textAt, textListAt } from "../kubernetes/fields.ts";
import { type Objects, referenceTo, type Source } from "../kubernetes/objects.ts";
import { readFrom } from "../kubernetes/text-mark.ts";
import type { CauseKind } from "../model/finding.ts";
import type { Judgement } from "./gather-findings.ts";
import { isStarting, type PodView } from "./pod-view.ts";

interface SandboxCause {
  readonly because: string;
  readonly causeKind: CauseKind;
  readonly fix: string;
}

const sandboxRules: readonly (readonly [pattern: RegExp, cause: SandboxCause])[] = [
  [
    /no IP addresses available|failed to assign an IP address|InsufficientFreeAddressesInSubnet|IP(?:AM)?[^\n]{0,60}exhaust|failed to allocate for range|no available IP/i,
    {
      because: "there is no free IP address for it on the node or in its subnet",
      causeKind: "capacity",
      fix: "Enlarge the range of pod addresses, or free addresses that ended pods still hold.",
    },
  ],
  [
    /cni plugin not initialized|cni config uninitialized|no networks found in|failed to find plugin "([^"]+)"|NetworkPluginNotReady|network is not ready|networkPlugin cni failed|plugin type="[^"]+"[^\n]{0,120}failed|calico|flannel|cilium|weave/i,
    {
      because: "the network plugin (CNI) of the node is not ready",
      causeKind: "dependency",
      fix: "Repair the network plugin's pod on that node (kubectl get pods -n kube-system -o wide).",
    },
  ],
  [
    /no runtime for "([^"]+)" is configured|runtime handler[^\n]{0,60}not (?:found|supported)/i,
    {
      because: "the node has no container runtime of its runtime class",
      causeKind: "configuration",
      fix: "Configure that runtime handler on the node, or select nodes that have it.",
    },
  ],
];

/** A pod that has a node and no sandbox. */
export function judgeSandbox(pod: PodView, events: EventIndex): Judgement[] {
  if (!isStarting(pod) || pod.isBeingDeleted) return [];
  const told = events
    .about("Pod", pod.namespace, pod.name)
    .find(({ reason }) =>
      /^(?:FailedCreatePodSandBox|NetworkNotReady|FailedPodSandBoxStatus)$/.test(reason),
    );
  if (told === undefined) return [];
  const cause = sandboxRules.find(([pattern]) => pattern.test(told.message))?.[1];
  const because = cause?.because ?? "its sandbox cannot be made";
  return [
    {
      weight: cause === undefined ? 1 : 3,
      parts: {
        verdict: "violated",
        subject: pod.owner,
        title: `A pod of ${pod.owner.kind} ${pod.owner.name} cannot start on node ${pod.nodeName ?? "?"}: ${because} (${told.reason}).`,
        actual: told.message,
        causeKind: cause?.causeKind ?? "dependency",
        measures: { eventCount: told.count },
        evidence: [referenceTo(pod.source), referenceTo(told.source, told.message)],
        fixes: cause === undefined ? [] : [{ description: cause.fix }],
        nextChecks: [
          `kubectl describe node ${pod.nodeName ?? ""}`,
          "kubectl get pods -n kube-system -o wide",
        ],
      },
    },
  ];
}

interface Around {
  readonly objects: Objects;
  readonly events: EventIndex;
}

/** Pods that cannot end, were evicted, or were refused by their node. */
export function judgeEnding(pod: PodView, around: Around): Judgement[] {
  const refused = refusal(pod);
  if (refused !== undefined) return [refused];
  return pod.isBeingDeleted ? terminating(pod, around) : [];
}

const kubeletRefusals =
  /^(?:OutOf\w+|NodeAffinity|NodePorts|UnexpectedAdmissionError|PodTopologyNotMatch|TopologyAffinityError|NodeShutdown|Terminated|Shutdown|DeadlineExceeded|NodeLost)$/;

/** Ends that the node decided. An eviction for memory is the matter of `workload/memory-limit`. */
function refusal(pod: PodView): Judgement | undefined {
  const resource = /low on resource: (\S+?)\./.exec(pod.message)?.[1];
  const isEvicted = pod.reason === "Evicted" && resource !== "memory";
  if (!isEvicted && !kubeletRefusals.test(pod.reason)) return undefined;
  const isTime = pod.reason === "DeadlineExceeded";
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: pod.owner,
      title: isEvicted
        ? `A pod of ${pod.owner.kind} ${pod.owner.name} was evicted${resource === undefined ? "" : ` because its node ran short of ${resource}`}: ${pod.message}`
        : `A pod of ${pod.owner.kind} ${pod.owner.name} was ended by its node (${pod.reason})${pod.message === "" ? "" : `: ${pod.message}`}`,
      actual: pod.message === "" ? pod.reason : pod.message,
      causeKind: isTime ? "configuration" : "capacity",
      evidence: [referenceTo(pod.source, pod.message === "" ? pod.reason : pod.message)],
      fixes: [
        {
          description: isEvicted
            ? "Set requests and limits of ephemeral-storage (or emptyDir sizeLimit) to what the pod writes, or enlarge the node's disk."
            : "Ask for what the node has, or let the scheduler choose the node.",
        },
      ],
    },
  };
}

function terminating(pod: PodView, { objects, events }: Around): Judgement[] {
  // The job controller takes its own finalizer away in the ordinary course of things.
  const finalizers = textListAt(pod.source.object, "metadata", "finalizers").filter(
    (name) => name !== "batch.kubernetes.io/job-tracking",
  );
  const node = pod.nodeName === undefined ? undefined : objects.get("Node", "", pod.nodeName);
  const isLost = node !== undefined && readyOf(node) !== "True";
  const stuck = events
    .about("Pod", pod.namespace, pod.name)
    .find(({ reason }) => reason === "FailedKillPod" || reason === "FailedPreStopHook");
  const lasts = /lasts (\S+?)\)?$/.exec(
    textAt(pod.source.object, "metadata", "deletionTimestamp") ?? "",
  )?.[1];
  const why = isLost
    ? `its node ${pod.nodeName ?? ""} is not ready, so nothing confirms that it ended`
    : finalizers.length > 0
      ? `it waits for the finalizers ${finalizers.join(", ")}`
      : stuck?.message;
  if (why === undefined) return [];
  const isFirm = isLost || lasts !== undefined || isOverdue(pod, events);
  return [
    {
      weight: isLost ? 3 : 2,
      parts: {
        verdict: isFirm ? "violated" : "inconclusive",
        subject: pod.owner,
        missing: isFirm
          ? []
          : ["since when it is being deleted, and whether it is still there later"],
        title: `A pod of ${pod.owner.kind} ${pod.owner.name} does not end${lasts === undefined ? "" : ` (since ${lasts})`}: ${why}.`,
        actual: stuck?.message ?? "It is being deleted and still there.",
        causeKind: isFirm ? (isLost ? "dependency" : "configuration") : "none",
        measures: { finalizers: finalizers.join(", ") || undefined },
        evidence: [
          referenceTo(pod.source),
          ...(node === undefined ? [] : [referenceTo(node)]),
          ...(stuck === undefined ? [] : [referenceTo(stuck.source, stuck.message)]),
        ],
        fixes: [
          {
            description: isLost
              ? "Bring the node back, or delete it when its machine is surely off; then its pods are let go."
              : "Repair the controller that should remove the finalizers; remove them by hand only when its work is known to be done.",
          },
        ],
        nextChecks: [
          `kubectl get pod ${pod.name} -n ${pod.namespace} -o jsonpath='{.metadata.finalizers}'`,
        ],
      },
    },
  ];
}

/** Seconds after its grace in which a pod that ends may still be there. */
const endingSecondsMax = 60;

/** All its containers ended, or something was seen long after it should have been gone. */
function isOverdue(pod: PodView, events: EventIndex): boolean {
  const hasEnded =
    pod.containers.length > 0 && pod.containers.every(({ state }) => state.kind === "terminated");
  const due = Date.parse(textAt(pod.source.object, "metadata", "deletionTimestamp") ?? "");
  const latest = events.all[0]?.order ?? 0;
  return hasEnded || (latest > 0 && latest - due > endingSecondsMax * 1_000);
}

function readyOf({ object }: Source): string | undefined {
  const ready = listAt(object, "status", "conditions").find(
    (condition) => textAt(condition, "type") === "Ready",
  );
  return textAt(ready, "status") ?? "True";
}

/** Namespaces that cannot end, where they say why. */
export function judgeTerminatingNamespaces(objects: Objects): Judgement[] {
  return objects.of("Namespace").flatMap((source): Judgement[] => {
    const { object } = source;
    if (textAt(object, "status", "phase") !== "Terminating") return [];
    const told = listAt(object, "status", "conditions").filter(
      (condition) =>
        textAt(condition, "status") === "True" &&
        /^Namespace(?:ContentRemaining|FinalizersRemaining|DeletionDiscoveryFailure|DeletionContentFailure|DeletionGroupVersionParsingFailure)$/.test(
          textAt(condition, "type") ?? "",
        ),
    );
    const messages = told.map((condition) => textAt(condition, "message") ?? "");
    if (messages.length === 0 && readFrom(object) !== undefined) return [];
    if (messages.length === 0) return [];
    return [
      {
        weight: 2,
        parts: {
          verdict: "violated",
          subject: { kind: "namespace", name: object.metadata.name },
          title: `Namespace ${object.metadata.name} does not end: ${messages.join("; ")}.`,
          actual: messages.join("; "),
          causeKind: "dependency",
          evidence: [referenceTo(source, messages.join("; "))],
          fixes: [
            {
              description:
                "Let the controllers of the remaining objects remove their finalizers, or restore the API service that does not answer.",
            },
          ],
          nextChecks: ["kubectl get apiservices shows which one is not available"],
        },
      },
    ];
  });
}
