/** The contract workload/memory-limit: no container is killed for its memory, and its limit leaves its runtime room. */

import { eventsOf } from "../kubernetes/event-index.ts";
import { textAt } from "../kubernetes/fields.ts";
import { referenceTo } from "../kubernetes/objects.ts";
import { formatAmount, resourceAmount } from "../kubernetes/quantity.ts";
import type { Contract } from "../model/contract.ts";
import { defineContract } from "../model/define-contract.ts";
import type { Fields } from "../model/fields.ts";
import type { Finding } from "../model/finding.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { gather, type Judgement } from "./gather-findings.ts";
import { type MemoryUsage, memoryUsage } from "./memory-usage.ts";
import { containersIn, type PodTemplate, templatesOf } from "./pod-template.ts";
import { containerSubject, type ContainerView, type PodView, podsOf } from "./pod-view.ts";
import { type RuntimeHeap, runtimeHeap } from "./runtime-heap.ts";

interface Options {
  readonly heapPercentMax: number;
  readonly usagePercentMax: number;
}

export const memoryLimit: Contract = defineContract({
  id: "workload/memory-limit",
  version: 2,
  boundary: "process-resource",
  promise:
    "No container is killed for the memory that it uses, and its memory limit leaves room for what its runtime was told to use.",
  reads: ["kubernetes"],
  options: {
    heapPercentMax: {
      default: 99,
      description:
        "The heap that a runtime is told to use may be at most this much of the container's memory limit, in percent.",
    },
    usagePercentMax: {
      default: 95,
      description:
        "A container whose measured usage is above this much of its limit, in percent, is inconclusive and not held to be well.",
    },
  },
  check(snapshot, options, found): Finding[] {
    const pods = podsOf(snapshot);
    return gather([
      ...pods.flatMap((pod) => judgePod(pod, snapshot, options)),
      ...templatesOf(snapshot).flatMap((template) => judgeTemplate(template, options)),
    ]).map(found);
  },
});

function judgePod(pod: PodView, snapshot: Snapshot, options: Options): Judgement[] {
  if (pod.shown?.status.replace("Init:", "") === "OOMKilled") return [shownKill(pod)];
  const evicted = evictionOf(pod);
  if (evicted !== undefined) return [evicted];
  const events = eventsOf(snapshot).about("Pod", pod.namespace, pod.name);
  const toldKill = events.find(({ reason }) => reason === "OOMKilling");
  return pod.containers.flatMap((container) => {
    const killed = [container.state, container.last].find(
      (state) => state?.kind === "terminated" && state.reason === "OOMKilled",
    );
    const usage = memoryUsage(snapshot, pod, container.name);
    if (killed !== undefined) return [killJudgement(pod, container, usage)];
    if (toldKill !== undefined && container.last?.exitCode === 137) {
      return [killJudgement(pod, container, usage)];
    }
    return calmJudgement(pod, container, { usage, options });
  });
}

/** A kill at the container's own limit; without one, or where it is unknown, of the node's memory. */
function killJudgement(
  pod: PodView,
  container: ContainerView,
  usage: MemoryUsage | undefined,
): Judgement {
  const limit = amountOf(container.spec, "limits");
  const heap = runtimeHeap(container.spec);
  const isHeap = limit !== undefined && heap !== undefined && heap.bytes >= limit;
  const at = limit === undefined ? "" : ` at its memory limit of ${formatAmount("memory", limit)}`;
  const because = isHeap
    ? `: its runtime may use ${heap.setting} (${heap.place}), which the limit does not hold`
    : "";
  const isBare = limit === undefined && container.spec["resources"] !== undefined;
  return {
    weight: isHeap ? 3 : 2,
    parts: {
      verdict: "violated",
      subject: containerSubject(pod, container),
      title: `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name} was killed because it ran out of memory (OOMKilled)${at}${because}.`,
      actual: `Last state: OOMKilled, exit code ${container.state.exitCode ?? container.last?.exitCode ?? 137}; restarts: ${container.restartCount}; memory limit ${limit === undefined ? (isBare ? "none, so the node ran out of memory" : "unknown") : formatAmount("memory", limit)}.`,
      causeKind: isHeap ? "configuration" : "capacity",
      measures: {
        restartCount: container.restartCount,
        memoryLimitBytes: limit === undefined ? undefined : Number(limit),
        heapBytes: heap === undefined ? undefined : Number(heap.bytes),
        memoryUsageBytes: usage?.bytesMax,
      },
      evidence: [
        referenceTo(pod.source, "OOMKilled"),
        ...(usage === undefined ? [] : [usage.reference]),
      ],
      fixes: killFixes(limit, isHeap ? heap : undefined),
      nextChecks: [
        `kubectl top pod ${pod.name} -n ${pod.namespace} --containers over time tells a limit that is too small (level) from a leak (growth)`,
      ],
    },
  };
}

function killFixes(
  limit: bigint | undefined,
  heap: RuntimeHeap | undefined,
): { description: string }[] {
  if (heap !== undefined && limit !== undefined) {
    const room = (limit * 3n) / 4n / 1_048_576n;
    return [
      {
        description: `Lower ${heap.setting} to about three quarters of the limit (${room} MiB), or raise the limit above it by a third.`,
      },
    ];
  }
  return [
    {
      description:
        limit === undefined
          ? "Set a memory request and limit that the container's real use fits in, so that the node does not run out."
          : `Raise the memory limit above ${formatAmount("memory", limit)} if the container's normal use needs more; else find what makes its memory grow.`,
    },
  ];
}

function shownKill(pod: PodView): Judgement {
  return {
    weight: 1,
    parts: {
      verdict: "violated",
      subject: pod.owner,
      title: `A container of ${pod.owner.kind} ${pod.owner.name} was killed because it ran out of memory (OOMKilled).`,
      actual: `The table shows OOMKilled with ${pod.shown?.restartCount ?? 0} restarts.`,
      causeKind: "capacity",
      evidence: [referenceTo(pod.source, "OOMKilled")],
      missing: ["the container's memory limit"],
      nextChecks: [`kubectl describe pod ${pod.name} -n ${pod.namespace}`],
    },
  };
}

/** The kubelet evicted the pod because the node ran short of memory. */
function evictionOf(pod: PodView): Judgement | undefined {
  if (pod.reason !== "Evicted") return undefined;
  const [, resource] = /low on resource: (\S+?)\./.exec(pod.message) ?? [];
  if (resource !== "memory") return undefined;
  const [, name, used, requested] =
    /[Cc]ontainer (\S+) was using (\S+?), (?:which exceeds its )?request(?: is| of) (\S+?)[,.]/.exec(
      pod.message,
    ) ?? [];
  const who =
    name === undefined
      ? ""
      : `: container ${name} was using ${used ?? "more"} with a request of ${requested ?? "less"}`;
  return {
    weight: 2,
    parts: {
      verdict: "violated",
      subject: pod.owner,
      title: `A pod of ${pod.owner.kind} ${pod.owner.name} was evicted because its node ran short of memory${who}.`,
      actual: pod.message,
      causeKind: "capacity",
      evidence: [referenceTo(pod.source, pod.message)],
      fixes: [
        {
          description:
            "Request as much memory as the container really uses, so that the scheduler finds a node that has it.",
        },
      ],
      nextChecks: ["kubectl describe node shows what else uses the node's memory"],
    },
  };
}

/** A container that was not killed: it is well, unless its runtime cannot fit or its usage is at the limit. */
function calmJudgement(
  pod: PodView,
  container: ContainerView,
  { usage, options }: { readonly usage: MemoryUsage | undefined; readonly options: Options },
): Judgement[] {
  const limit = amountOf(container.spec, "limits");
  if (limit === undefined || limit === 0n || container.state.kind !== "running") return [];
  const subject = containerSubject(pod, container);
  const heap = heapJudgement(subject, {
    container: container.spec,
    limit,
    options,
    reference: referenceTo(pod.source),
  });
  if (heap !== undefined) return [heap];
  const percent = usage === undefined ? undefined : (usage.bytesMax / Number(limit)) * 100;
  const isNear = percent !== undefined && percent > options.usagePercentMax;
  const name = `Container ${container.name} of ${pod.owner.kind} ${pod.owner.name}`;
  const shared = {
    subject,
    actual:
      percent === undefined
        ? "It runs and was not killed for its memory; its usage is not in the evidence."
        : `It uses up to ${percent.toFixed(0)} % of its memory limit.`,
    measures: {
      memoryLimitBytes: Number(limit),
      memoryUsageBytes: usage?.bytesMax,
    },
    evidence: [referenceTo(pod.source), ...(usage === undefined ? [] : [usage.reference])],
  };
  if (isNear) {
    return [
      {
        parts: {
          ...shared,
          verdict: "inconclusive",
          title: `${name} is close to its memory limit of ${formatAmount("memory", limit)}, and was not killed yet.`,
          missing: ["its usage over a longer time: whether it grows"],
          nextChecks: [`kubectl top pod ${pod.name} -n ${pod.namespace} --containers, some times`],
        },
      },
    ];
  }
  return [
    {
      parts: {
        ...shared,
        verdict: "holds",
        title: `${name} was not killed for its memory; its limit is ${formatAmount("memory", limit)}.`,
      },
    },
  ];
}

/** What a manifest says that cannot go well, whatever the load. */
function judgeTemplate(template: PodTemplate, options: Options): Judgement[] {
  const { source, subject, spec } = template;
  return containersIn(spec).flatMap((container) => {
    const limit = amountOf(container, "limits");
    const request = amountOf(container, "requests");
    const name = textAt(container, "name") ?? "";
    const of = { kind: "container", name: `${subject.name}/${name}` };
    if (limit === undefined || limit === 0n) return [];
    if (request !== undefined && request > limit) {
      return [
        {
          weight: 3,
          parts: {
            verdict: "violated" as const,
            subject: of,
            title: `Container ${name} of ${subject.kind} ${subject.name} requests more memory (${formatAmount("memory", request)}) than its limit allows (${formatAmount("memory", limit)}).`,
            actual: `requests.memory ${formatAmount("memory", request)}, limits.memory ${formatAmount("memory", limit)}; the API server refuses such a pod.`,
            causeKind: "configuration" as const,
            evidence: [referenceTo(source)],
            fixes: [{ description: "Set the request to at most the limit." }],
          },
        },
      ];
    }
    const heap = heapJudgement(of, { container, limit, options, reference: referenceTo(source) });
    return heap === undefined ? [] : [heap];
  });
}

interface HeapCase {
  readonly container: Fields;
  readonly limit: bigint;
  readonly options: Options;
  readonly reference: ReturnType<typeof referenceTo>;
}

function heapJudgement(
  subject: Judgement["parts"]["subject"],
  { container, limit, options, reference }: HeapCase,
): Judgement | undefined {
  const heap = runtimeHeap(container);
  if (heap === undefined) return undefined;
  const percent = Number((heap.bytes * 1_000n) / limit) / 10;
  if (percent <= options.heapPercentMax) return undefined;
  // At the limit itself it comes to whether the heap ever fills: many run so for long.
  const isBeyond = heap.bytes > limit;
  return {
    weight: 2,
    parts: {
      verdict: isBeyond ? "violated" : "inconclusive",
      subject,
      title: `Container ${textAt(container, "name") ?? ""} lets its runtime use ${heap.setting} (${heap.place}), but its memory limit is ${formatAmount("memory", limit)}: ${isBeyond ? "it is killed before the runtime frees memory" : "nothing is left for what it needs beside its heap, once that fills"}.`,
      actual: `${heap.setting} is ${percent} % of the memory limit of ${formatAmount("memory", limit)}.`,
      causeKind: "configuration",
      missing: isBeyond ? [] : ["the memory that the container uses at its peak"],
      measures: {
        heapBytes: Number(heap.bytes),
        memoryLimitBytes: Number(limit),
        heapPercent: percent,
      },
      evidence: [reference],
      fixes: killFixes(limit, heap),
    },
  };
}

function amountOf(container: Fields, bound: "limits" | "requests"): bigint | undefined {
  const text = textAt(container, "resources", bound, "memory");
  return text === undefined ? undefined : resourceAmount("memory", text);
}
