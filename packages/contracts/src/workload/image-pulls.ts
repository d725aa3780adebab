/** The contract workload/image-pulls: every image that a pod names can be pulled onto its node. */

import { type ClusterEvent, eventsOf } from "../kubernetes/event-index.ts";
import { listAt, textAt } from "../kubernetes/fields.ts";
import { objectsOf, referenceTo } from "../kubernetes/objects.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { gather, type Judgement } from "./gather-findings.ts";
import { pullCause } from "./image-message.ts";
import { parseImage } from "./image-reference.ts";
import { containersIn, type PodTemplate, templatesOf } from "./pod-template.ts";
import { containerSubject, type ContainerView, type PodView, podsOf } from "./pod-view.ts";

export const imagePulls: Contract = defineContract({
  id: "workload/image-pulls",
  version: 1,
  boundary: "pod-scheduler",
  promise: "Every image that a pod names exists, may be pulled, and fits the platform of its node.",
  reads: ["kubernetes"],
  options: {},
  check(snapshot, _options, found): Finding[] {
    return gather([
      ...podsOf(snapshot).flatMap((pod) => judgePod(pod, snapshot)),
      ...templatesOf(snapshot).flatMap(judgeTemplate),
    ]).map(found);
  },
});

const pullReason =
  /^(?:ErrImagePull|ImagePullBackOff|InvalidImageName|ErrImageNeverPull|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)$/;

function judgePod(pod: PodView, snapshot: Snapshot): Judgement[] {
  const events = eventsOf(snapshot).about("Pod", pod.namespace, pod.name);
  const shown = pod.shown?.status.replace("Init:", "") ?? "";
  if (pullReason.test(shown)) return [shownFailure(pod, shown, events)];
  return pod.containers.flatMap((container): Judgement[] => {
    const { state } = container;
    const subject = containerSubject(pod, container);
    if (state.kind === "waiting" && pullReason.test(state.reason)) {
      return [failure(pod, container, { events, snapshot })];
    }
    if (state.kind !== "running" && container.last === undefined && state.kind !== "terminated") {
      return [];
    }
    return [
      {
        parts: {
          verdict: "holds",
          subject,
          title: `The image ${container.image} of ${pod.owner.kind} ${pod.owner.name} was pulled.`,
          actual: "The container was started from it.",
          evidence: [referenceTo(pod.source)],
        },
      },
    ];
  });
}

function failure(
  pod: PodView,
  container: ContainerView,
  { events, snapshot }: { readonly events: readonly ClusterEvent[]; readonly snapshot: Snapshot },
): Judgement {
  const { reason, message } = container.state;
  const { image } = container;
  const told = tellingEvent(image, events);
  const cause =
    (told === undefined ? undefined : pullCause(image, told.message)) ??
    pullCause(image, message) ??
    pullCause(image, reason);
  const secret = missingPullSecret(pod, snapshot, events);
  const because = cause?.because ?? `the image ${image} cannot be pulled (${reason})`;
  return {
    weight: cause === undefined ? 0 : 2,
    parts: {
      verdict: "violated",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} cannot start: ${because}${secret === undefined ? "" : `; the pull secret ${secret} does not exist in its namespace`}.`,
      actual: told?.message ?? (message === "" ? reason : message),
      causeKind: cause?.causeKind ?? "none",
      measures: { image, reason },
      evidence: [
        referenceTo(pod.source, message === "" ? reason : message),
        ...(told === undefined ? [] : [referenceTo(told.source, told.message)]),
      ],
      missing: cause === undefined ? ["the event Failed with what the registry answered"] : [],
      fixes: [
        ...(secret === undefined
          ? []
          : [
              {
                description: `Create the pull secret ${secret} in namespace ${pod.namespace}, or correct its name in imagePullSecrets.`,
              },
            ]),
        ...(cause === undefined ? [] : [{ description: cause.fix }]),
      ],
      nextChecks: [cause?.nextCheck ?? `kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

/** The event that says why, which the back-off after it does not. */
function tellingEvent(image: string, events: readonly ClusterEvent[]): ClusterEvent | undefined {
  const failed = events.filter(
    ({ reason, message }) =>
      /^(?:Failed|InspectFailed|ErrImageNeverPull|FailedToPullImage)$/.test(reason) &&
      !/^Error: \w+$/.test(message),
  );
  return (
    failed.find(
      ({ message }) => message.includes(image) && pullCause(image, message) !== undefined,
    ) ??
    failed.find(
      ({ message }) => pullCause(image, message) !== undefined && message.includes("pull"),
    )
  );
}

/** A pull secret that the evidence shows to be absent: the kubelet says so, or all secrets are there but it. */
function missingPullSecret(
  pod: PodView,
  snapshot: Snapshot,
  events: readonly ClusterEvent[],
): string | undefined {
  const told = events.find(({ reason }) => reason === "FailedToRetrieveImagePullSecret");
  const [, names] = /image pull secrets? \(([^)]{1,253})\)/.exec(told?.message ?? "") ?? [];
  if (names !== undefined) return names;
  const objects = objectsOf(snapshot);
  const listed = objects
    .of("Secret")
    .some(({ object }) => (object.metadata.namespace ?? "default") === pod.namespace);
  if (!listed) return undefined;
  return listAt(pod.spec, "imagePullSecrets")
    .flatMap((item) => textAt(item, "name") ?? [])
    .find((name) => objects.get("Secret", pod.namespace, name) === undefined);
}

function shownFailure(pod: PodView, status: string, events: readonly ClusterEvent[]): Judgement {
  const told = events.find(({ message }) => pullCause("its image", message) !== undefined);
  const [, named] = /image "([^"]{1,500})"/.exec(told?.message ?? "") ?? [];
  const image = named ?? "its image";
  const cause = told === undefined ? pullCause(image, status) : pullCause(image, told.message);
  return {
    weight: cause === undefined ? 0 : 1,
    parts: {
      verdict: "violated",
      subject: pod.owner,
      title: `A container of ${pod.owner.kind} ${pod.owner.name} cannot start: ${cause?.because ?? `its image cannot be pulled (${status})`}.`,
      actual: told?.message ?? `The table shows ${status}.`,
      causeKind: cause?.causeKind ?? "none",
      measures: { reason: status },
      evidence: [
        referenceTo(pod.source, status),
        ...(told === undefined ? [] : [referenceTo(told.source, told.message)]),
      ],
      missing: cause === undefined ? ["what the registry answered"] : [],
      fixes: cause === undefined ? [] : [{ description: cause.fix }],
      nextChecks: [`kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

/** A reference that no runtime can parse fails wherever it is deployed. */
function judgeTemplate({ spec, subject, source }: PodTemplate): Judgement[] {
  return containersIn(spec).flatMap((container): Judgement[] => {
    const image = textAt(container, "image");
    if (image === undefined) return [];
    const parsed = parseImage(image);
    // A chart's placeholder is no fault of the manifest that it will become.
    if (!("fault" in parsed) || parsed.fault.includes("placeholder")) return [];
    const name = textAt(container, "name") ?? "";
    return [
      {
        weight: 1,
        parts: {
          verdict: "violated",
          subject: { kind: "container", name: `${subject.name}/${name}` },
          title: `The image reference '${image}' of container ${name} of ${subject.kind} ${subject.name} cannot be parsed: ${parsed.fault}.`,
          actual: image,
          causeKind: "configuration",
          measures: { image },
          evidence: [referenceTo(source, image)],
          fixes: [{ description: `Correct the image reference '${image}'.` }],
        },
      },
    ];
  });
}
