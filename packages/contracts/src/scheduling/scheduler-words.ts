/** The words of the scheduler changed from version to version; nodes tell which version a cluster runs. */

import { textAt } from "../kubernetes/fields.ts";
import type { Neighbours } from "./neighbours.ts";
import type { Obstacle } from "./obstacle.ts";

interface Rewording {
  /** The first minor version of Kubernetes 1 that uses the newer words. */
  readonly since: number;
  readonly pattern: RegExp;
  readonly words: string;
}

/** Source: the reasons of the scheduler's plugins in Kubernetes 1.31 to 1.37. */
const rewordings: readonly Rewording[] = [
  {
    since: 33,
    pattern: /^node\(s\) had volume node affinity conflict$/,
    words: "node(s) didn't match PersistentVolume's node affinity",
  },
  {
    since: 34,
    pattern: /^node\(s\) had untolerated taint \{.*\}$/s,
    words: "node(s) had untolerated taint(s)",
  },
  {
    since: 34,
    pattern: /^node has pod using PersistentVolumeClaim with the same name .*$/s,
    words:
      "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod",
  },
];

/** The versions in which the plugin for device claims speaks about preemption before the one whose task it is. */
const deviceWords = { since: 34, before: 37 };
/** Before that it ran only where somebody had turned it on, as for a pod with device claims it must have been. */
const deviceWordsSinceOptional = 31;

/** What the plugin for device claims does about a pod that no node takes. */
export type DevicePart = "none" | "left" | "taken-back";

/** A reason in the words of the cluster's scheduler. */
export function inSchedulerWords(reason: string, neighbours: Neighbours): string {
  const minor = minorVersionOf(neighbours);
  if (minor === undefined) return reason;
  const newer = rewordings.find(({ since, pattern }) => minor >= since && pattern.test(reason));
  return newer?.words ?? reason;
}

interface End {
  readonly neighbours: Neighbours;
  /** What refused the pod before any node was looked at. */
  readonly early: Obstacle | undefined;
  readonly devices: DevicePart;
}

/**
 * The end of the scheduler's event. Where a volume refused the pod before any node was looked at, the plugin for device
 * claims has not been asked, fails at what it then misses, and its words are all that is said.
 */
export function aboutPreemption(text: string, { neighbours, early, devices }: End): string {
  const minor = minorVersionOf(neighbours);
  const since = devices === "none" ? deviceWords.since : deviceWordsSinceOptional;
  if (minor === undefined || minor < since || minor >= deviceWords.before)
    return `preemption: ${text}`;
  if (early !== undefined && early.kind !== "device-refused") return "not found";
  const words = early === undefined ? wordsOfDevices[devices] : wordsOfDevices.none;
  return `${words}, preemption: ${text}`;
}

const wordsOfDevices: Readonly<Record<DevicePart, string>> = {
  none: "no new claims to deallocate",
  left: "still not schedulable",
  "taken-back": "deallocation of ResourceClaim completed",
};

/** A memory and no state: the same nodes always tell the same version. */
const minorVersions = new WeakMap<Neighbours, { readonly minor: number | undefined }>();

/**
 * The minor version of the newest kubelet, which is never newer than the cluster's control plane. Without any, the words
 * are those of Kubernetes before 1.33, which name more.
 */
function minorVersionOf(neighbours: Neighbours): number | undefined {
  const known = minorVersions.get(neighbours);
  if (known !== undefined) return known.minor;
  let minor: number | undefined;
  for (const { source } of neighbours.nodes) {
    const version = textAt(source.object, "status", "nodeInfo", "kubeletVersion") ?? "";
    const found = /^v?1\.(\d{1,4})(?:\D|$)/.exec(version)?.[1];
    if (found !== undefined) minor = Math.max(minor ?? 0, Number(found));
  }
  minorVersions.set(neighbours, { minor });
  return minor;
}
