/** Judges whether the volumes of a pod can be attached and mounted. */

import { type ClusterEvent, eventsOf } from "../kubernetes/event-index.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import type { CauseKind } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Judgement } from "./gather-findings.ts";
import { isStarting, type PodView } from "./pod-view.ts";

interface MountCause {
  readonly because: string;
  readonly causeKind: CauseKind;
  readonly fix: string;
  readonly weight: number;
}

interface MountRule {
  readonly pattern: RegExp;
  readonly cause: (match: RegExpExecArray) => Omit<MountCause, "weight">;
}

const rules: readonly MountRule[] = [
  {
    pattern:
      /Multi-Attach error for volume "([^"]{1,253})"[^\n]*?(?:used by pod\(s\) ([^\n]{1,200})|exclusively attached to one node)/,
    cause: (match) => ({
      because: `the volume ${match[1] ?? ""} is ReadWriteOnce and still attached to another node${match[2] === undefined ? "" : `, used by ${match[2]}`} (Multi-Attach error)`,
      causeKind: "configuration",
      fix: "Stop the pod that holds the volume (a Deployment with such a volume wants strategy Recreate), or use a ReadWriteMany volume.",
    }),
  },
  {
    pattern: /driver name (\S+) not found in the list of registered CSI drivers/,
    cause: (match) => ({
      because: `the CSI driver ${match[1] ?? ""} does not run on the node`,
      causeKind: "dependency",
      fix: `Install the node plugin of ${match[1] ?? "the driver"} on that node.`,
    }),
  },
  {
    pattern: /hostPath type check failed: (\S+) is not (?:a |an )?([^\n]{1,80})/,
    cause: (match) => ({
      because: `the hostPath ${match[1] ?? ""} is not ${match[2] ?? "of the wanted type"} on the node`,
      causeKind: "configuration",
      fix: `Create ${match[1] ?? "the path"} on the node, or set the type DirectoryOrCreate.`,
    }),
  },
  {
    pattern: /mount\.nfs: ([^\n]{1,200})|access denied by server while mounting (\S+)/,
    cause: (match) => ({
      because: `the NFS server refuses or does not answer (${(match[1] ?? match[2] ?? "").trim()})`,
      causeKind: "dependency",
      fix: "Correct the server and the path of the volume, or export it to the nodes.",
    }),
  },
  {
    pattern: /wrong fs type, bad option, bad superblock|unknown filesystem type '?(\w+)'?/,
    cause: (match) => ({
      because: `the file system ${match[1] ?? "on the volume"} cannot be mounted by the node`,
      causeKind: "configuration",
      fix: "Correct fsType, or install the tools of that file system on the nodes.",
    }),
  },
  {
    pattern:
      /(?:volume|disk|snapshot)[^\n]{0,80}(?:not found|does not exist|NotFound|InvalidVolume)/i,
    cause: (match) => ({
      because: `the disk behind the volume does not exist: ${match[0].trim()}`,
      causeKind: "dependency",
      fix: "Restore the disk, or point the volume at one that exists.",
    }),
  },
  {
    pattern: /(?:exceed(?:s|ed)|reached)[^\n]{0,60}(?:max|limit|attach)[^\n]{0,60}/i,
    cause: (match) => ({
      because: `the node has no room for another volume: ${match[0].trim()}`,
      causeKind: "capacity",
      fix: "Use another node, or fewer volumes on this one.",
    }),
  },
  {
    pattern:
      /(?:Unauthorized|AccessDenied|permission denied|UnauthorizedOperation|forbidden)[^\n]{0,160}/i,
    cause: (match) => ({
      because: `the driver may not attach or mount it: ${match[0].trim()}`,
      causeKind: "configuration",
      fix: "Give the driver's account the permission that the message names.",
    }),
  },
];

const reasons = /^(?:FailedMount|FailedAttachVolume|FailedMapVolume)$/;
/** What other contracts explain. */
const references =
  /(?:configmap|secret|serviceaccount) "[^"]+" not found|references non-existent (?:config|secret) key|object "[^"]+"\/"[^"]+" not registered/i;

/** A pod that does not start because a volume is not there; mounts that failed before it started are past. */
export function judgeMounts(pod: PodView, snapshot: Snapshot): Judgement[] {
  if (!isStarting(pod)) return [];
  const failed = eventsOf(snapshot)
    .about("Pod", pod.namespace, pod.name)
    .filter(({ reason, message }) => reasons.test(reason) && !references.test(message));
  const [first] = failed;
  if (first === undefined) return [];
  const told = failed
    .map((event) => ({ event, cause: causeOf(event) }))
    .sort((left, right) => right.cause.weight - left.cause.weight)[0];
  if (told === undefined) return [];
  const { event, cause } = told;
  const volume = /volume "([^"]{1,253})"/.exec(event.message)?.[1];
  return [
    {
      weight: cause.weight,
      parts: {
        verdict: "violated",
        subject: pod.owner,
        title: `A pod of ${pod.owner.kind} ${pod.owner.name} cannot start: ${cause.because}.`,
        actual: event.message,
        causeKind: cause.causeKind,
        measures: { eventCount: event.count, volume },
        evidence: [referenceTo(pod.source), referenceTo(event.source, event.message)],
        missing:
          cause.weight === 0 ? ["why: the log of the kubelet or of the volume's driver"] : [],
        fixes: cause.weight === 0 ? [] : [{ description: cause.fix }],
        nextChecks: [
          `kubectl describe pod ${pod.name} -n ${pod.namespace}`,
          "kubectl get volumeattachments",
        ],
      },
    },
  ];
}

function causeOf(event: ClusterEvent): MountCause {
  for (const { pattern, cause } of rules) {
    const match = pattern.exec(event.message);
    if (match !== null) return { ...cause(match), weight: 2 };
  }
  const [, desc] = /desc = ([^\n]{4,300})/.exec(event.message) ?? [];
  return {
    because: desc ?? `a volume cannot be mounted (${event.reason}): ${event.message}`,
    causeKind: "none",
    fix: "",
    weight: desc === undefined ? 0 : 1,
  };
}
