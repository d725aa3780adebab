/** The tree of `kubectl lineage`: what an object owns, with the state of pods and the events of each. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { readPodRows } from "./bare-rows.ts";
import { isKindName, kindOf } from "./kinds.ts";
import { textEvent } from "./text-object.ts";

/** Branches and indentation before a name. */
const branch = /^[│├└─\s]*/;
const node = /^([A-Z][A-Za-z]+)\/(\S+)\s+(\d+\/\d+|-)\s*(.*)$/;

/** Whether a line is the header of such a tree, which needs a row of the tree below it to be sure. */
export function isLineage(lines: readonly string[]): boolean {
  const header = lines.findIndex((line) =>
    /^(?:NAMESPACE\s+)?NAME\s+READY\s+STATUS\s+AGE\s*$/.test(line),
  );
  const first = lines[header + 1];
  return header >= 0 && first !== undefined && /^(?:\S+\s+)?[A-Z][A-Za-z]+\/\S+\s/.test(first);
}

/** The pods and the events of a tree. Other kinds are printed with too little to be read. */
export function readLineage(
  lines: readonly string[],
  namespace: string | undefined,
): KubernetesObject[] {
  const within = namespace ?? "default";
  const path: { depth: number; kind: string; name: string }[] = [];
  return lines.flatMap((line): KubernetesObject[] => {
    if (line.length > 4_096) return [];
    const depth = branch.exec(line)?.[0].length ?? 0;
    const [, kind = "", name = "", ready = "", rest = ""] = node.exec(line.slice(depth)) ?? [];
    if (kind === "" || !isKindName(kind)) return [];
    while ((path.at(-1)?.depth ?? -1) >= depth) path.pop();
    const owner = path.at(-1);
    path.push({ depth, kind: kindOf(kind), name });
    const [, status = "", age = ""] = /^(.*?)\s*(\d[0-9smhdy]*)\s*$/.exec(rest) ?? [];
    if (kind === "Event" && owner !== undefined) return eventOf(status, { owner, within, age });
    if (kind !== "Pod" || status === "") return [];
    return readPodRows([`${name} ${ready} ${status} 0 ${age}`], within);
  });
}

interface Around {
  readonly owner: { readonly kind: string; readonly name: string };
  readonly within: string;
  readonly age: string;
}

/** `Scheduled: Successfully assigned …`. */
function eventOf(text: string, { owner, within, age }: Around): KubernetesObject[] {
  const [, reason, message] = /^([A-Za-z]{2,60}): (.+)$/.exec(text) ?? [];
  if (reason === undefined || message === undefined) return [];
  const isWarning = /^(?:Failed|BackOff|Unhealthy|Evicted|NodeNotReady|.*Exceeded)/.test(reason);
  const about = { kind: owner.kind, name: owner.name, namespace: within };
  return [textEvent(about, { type: isWarning ? "Warning" : "Normal", reason, message, age })];
}
