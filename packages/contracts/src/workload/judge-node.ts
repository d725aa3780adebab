/** Judges a node by its conditions. */

import type { ClusterEvent, EventIndex } from "../kubernetes/event-index.ts";
import { isTrueAt, listAt, textAt } from "../kubernetes/fields.ts";
import { referenceTo, type Source } from "../kubernetes/objects.ts";
import { unknownFields } from "../kubernetes/text-mark.ts";
import type { CauseKind } from "../model/finding.ts";
import type { Judgement } from "./gather-findings.ts";

interface Fault {
  readonly says: string;
  readonly causeKind: CauseKind;
  readonly fix: string;
  readonly message: string;
  readonly weight: number;
}

/** What is found about a node; conditions that nobody wrote down say nothing. */
export function judgeNode(source: Source, events: EventIndex): Judgement[] {
  const { object } = source;
  const { name } = object.metadata;
  const conditions = listAt(object, "status", "conditions").map((condition) => ({
    type: textAt(condition, "type") ?? "",
    status: textAt(condition, "status") ?? "",
    reason: textAt(condition, "reason") ?? "",
    message: textAt(condition, "message") ?? "",
  }));
  if (conditions.length === 0) return [];
  const about = events.about("Node", "", name);
  const faults = conditions
    .flatMap((condition) => faultOf(condition, about) ?? [])
    .sort((left, right) => right.weight - left.weight);
  const [worst] = faults;
  const isCordoned = isTrueAt(object, "spec", "unschedulable");
  const subject = { kind: "node", name };
  if (worst === undefined) {
    return [
      {
        parts: {
          verdict: "holds",
          subject,
          title: `Node ${name} is ready${isCordoned ? ", and cordoned: it takes no new pods" : ""}.`,
          actual: conditions.map(({ type, status }) => `${type}=${status}`).join(", "),
          measures: { cordoned: isCordoned },
          evidence: [referenceTo(source)],
        },
      },
    ];
  }
  const isBare = unknownFields(object).includes("status.conditions");
  const told = about.filter(({ isWarning }) => isWarning).slice(0, 5);
  return [
    {
      weight: worst.weight,
      parts: {
        verdict: "violated",
        subject,
        title: `Node ${name} ${faults.map(({ says }) => says).join(", and ")}.`,
        actual:
          faults
            .map(({ message }) => message)
            .filter((text) => text !== "")
            .join("; ") || "The table shows NotReady.",
        causeKind: worst.causeKind,
        measures: { cordoned: isCordoned },
        evidence: [
          referenceTo(source, worst.message === "" ? undefined : worst.message),
          ...told.map((event) => referenceTo(event.source, event.message)),
        ],
        missing: isBare ? ["the node's conditions with their messages: kubectl describe node"] : [],
        fixes: faults.map(({ fix }) => ({ description: fix })),
        nextChecks: [
          `kubectl describe node ${name}`,
          "the log of the kubelet on the node (journalctl -u kubelet)",
        ],
      },
    },
  ];
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function faultOf(condition: Condition, events: readonly ClusterEvent[]): Fault | undefined {
  const { type, status, message } = condition;
  if (type === "Ready") return status === "True" ? undefined : unready(condition);
  if (status !== "True") return undefined;
  switch (type) {
    case "MemoryPressure":
      return pressure(
        condition,
        "is short of memory (MemoryPressure)",
        "Move pods away or request what they really use; find what uses the node's memory.",
      );
    case "DiskPressure": {
      const full = events.find(({ reason }) =>
        /^(?:FreeDiskSpaceFailed|ImageGCFailed|EvictionThresholdMet)$/.test(reason),
      );
      return pressure(
        condition,
        `is short of disk (DiskPressure)${full === undefined ? "" : `: ${full.message}`}`,
        "Free the node's disk (images, logs, emptyDirs), or enlarge it.",
      );
    }
    case "PIDPressure":
      return pressure(
        condition,
        "is short of process ids (PIDPressure)",
        "Find what forks without end, or raise the limit of process ids.",
      );
    case "NetworkUnavailable":
      return {
        says: `has no network (NetworkUnavailable)${message === "" ? "" : `: ${message}`}`,
        causeKind: "dependency",
        fix: "Repair the network plugin on that node.",
        message,
        weight: 3,
      };
    default:
      return problem(condition);
  }
}

function pressure({ message }: Condition, says: string, fix: string): Fault {
  return { says, causeKind: "capacity", fix, message, weight: 2 };
}

function unready({ status, reason, message }: Condition): Fault {
  const isSilent = status === "Unknown" || reason === "NodeStatusUnknown";
  if (isSilent) {
    return {
      says: `is lost: its kubelet stopped posting its status${message === "" ? "" : ` (${message})`}`,
      causeKind: "dependency",
      fix: "Bring the machine and its kubelet back (power, network to the API server, disk, certificate), or delete the node so that its pods start elsewhere.",
      message,
      weight: 3,
    };
  }
  const isNetwork = /network plugin|cni|NetworkReady=false|NetworkPluginNotReady/i.test(message);
  return {
    says: `is not ready${message === "" ? "" : `: ${message}`}`,
    causeKind: isNetwork ? "configuration" : "dependency",
    fix: isNetwork
      ? "Install or repair the network plugin (CNI) on that node."
      : "Mend what the kubelet names; PLEG is not healthy means that the container runtime does not answer in time.",
    message,
    weight: 3,
  };
}

/** Conditions of the node problem detector and others are named after what is wrong when they are true. */
function problem({ type, reason, message }: Condition): Fault | undefined {
  const isKnown =
    /(?:Deadlock|Readonly|ReadOnly|Corrupt|Frequent|Problem|Unhealthy|Failed|Failure|Error|Unavailable|Pressure|OutOfDisk|Unregister|ClockSkew|NTP)/.test(
      type,
    );
  if (!isKnown) return undefined;
  return {
    says: `reports ${type}${reason === "" ? "" : ` (${reason})`}${message === "" ? "" : `: ${message}`}`,
    causeKind: "dependency",
    fix: `Mend what ${type} names on the node, or replace the node.`,
    message,
    weight: 2,
  };
}
