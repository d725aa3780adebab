/** Whether a service that selects nothing was meant for a certain pod. */

import type { KnownPod } from "../kubernetes/pods.ts";
import { nearestName } from "../text/nearest-name.ts";
import { containerPortsOf } from "./container-port.ts";
import { isSelected, type MissedPair, type NearMiss } from "./near-miss.ts";
import type { Service } from "./service.ts";
import { isSameThing, isTypo } from "../text/typo.ts";
import { isRecorded } from "./whole-picture.ts";

interface Company {
  readonly service: Service;
  /** The pods of the service's namespace. */
  readonly pods: readonly KnownPod[];
  readonly services: readonly Service[];
}

/** Labels that tell the components of one application apart: to differ in them is to be another component. */
const componentKey = /(?:^|[-./])(?:app|component|(?<!pod-)name|part|role|tier|k8s-app)$/i;

/**
 * In a cluster, what is written alike was meant. Manifests need not be all that a namespace holds, so that a pod which
 * another service selects already, or which only resembles what is asked for, tells nothing.
 */
export function isMeant(miss: NearMiss, company: Company): boolean {
  if (company.pods.some(isRecorded) && miss.isSlip) return true;
  const { service } = company;
  if (isSameThing(service.name, nameOf(miss.pod))) return true;
  if (isServed(miss.pod, company)) return false;
  return (
    miss.missed.every(isWrittenAlike) ||
    isOtherRelease(miss) ||
    isOnlyPair(miss, company) ||
    (miss.missed.length === 1 && miss.missed[0]?.wanted === nameOf(miss.pod))
  );
}

function nameOf({ workload }: KnownPod): string {
  return workload.slice(workload.indexOf("/") + 1);
}

function isServed(pod: KnownPod, { service, services }: Company): boolean {
  return services.some(
    (other) =>
      other.name !== service.name &&
      other.namespace === service.namespace &&
      other.selector.size > 0 &&
      isSelected(pod, other.selector),
  );
}

/** A slip of a letter or two, a word more or less, or the right value under a key that is written alike. */
function isWrittenAlike({ key, wanted, actual, otherKey }: MissedPair): boolean {
  if (otherKey !== undefined) return nearestName(key, [otherKey]) !== undefined;
  if (actual === undefined) return false;
  const [short, long] = wanted.length < actual.length ? [wanted, actual] : [actual, wanted];
  return (
    isTypo(wanted, actual) ||
    (short.length >= shortNameLengthMin && long.split(/[-_.]/).join("-").startsWith(short)) ||
    (short.length >= shortNameLengthMin && long.endsWith(`-${short}`))
  );
}

/** Names that are shorter begin other names by chance. */
const shortNameLengthMin = 3;

/** All is equal but the version, the environment or the like: the same component. */
function isOtherRelease({ missed, matchedCount }: NearMiss): boolean {
  const [only] = missed;
  return (
    missed.length === 1 && matchedCount > 0 && only !== undefined && !componentKey.test(only.key)
  );
}

/** The one service that selects nothing and the one workload that nothing selects, both with the same keys. */
function isOnlyPair({ pod, missed }: NearMiss, company: Company): boolean {
  const { service, pods, services } = company;
  if (missed.some(({ actual }) => actual === undefined)) return false;
  const here = services.filter(
    (other) => other.namespace === service.namespace && other.selector.size > 0,
  );
  const stranded = here.filter(
    (other) => !pods.some((candidate) => isSelected(candidate, other.selector)),
  );
  const lasting = pods.filter(({ source }) => !/^(?:Cron)?Job$/.test(source.object.kind));
  const unserved = new Set(
    lasting
      .filter((candidate) => !isServed(candidate, company))
      .map((candidate) => candidate.workload),
  );
  if (stranded.length !== 1 || unserved.size !== 1 || !unserved.has(pod.workload)) return false;
  // A worker beside served applications needs no service: one that declares a port does.
  const isAlone = new Set(lasting.map(({ workload }) => workload)).size === 1;
  return isAlone || containerPortsOf(pod).length > 0;
}
