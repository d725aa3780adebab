/** Rows of pods without their header, as `kubectl get pods -A | grep NAME` leaves them. */

import type { KubernetesObject } from "../../model/evidence.ts";
import { workloadRows } from "./rows-workload.ts";
import { Row } from "./table-row.ts";

/** The shape of such a row tells its columns: what stands before `0/1` is the name, before it the namespace. */
const podRow =
  /^(?:(?<namespace>[a-z0-9][-a-z0-9.]*)\s+)?(?<name>[a-z0-9][-a-z0-9.]*)\s+(?<ready>\d+\/\d+)\s+(?<status>[A-Z][A-Za-z0-9:/]*)\s+(?<restarts>\d+(?: \(\S+ ago\))?)\s+(?<age>\d[0-9smhdy]*)(?:\s+(?<ip>[0-9a-f.:]+|<none>)\s+(?<node>\S+))?(?:\s|$)/;

/** The pods of lines that have this shape; other lines are left alone. */
export function readPodRows(
  lines: readonly string[],
  namespace: string | undefined,
): KubernetesObject[] {
  const reader = workloadRows.find((table) => table.kind === "Pod");
  return lines.flatMap((line) => {
    const groups = line.length > 4_096 ? undefined : podRow.exec(line.trim())?.groups;
    if (groups === undefined || reader === undefined) return [];
    const origin = { namespace };
    const labels = /\s(\S+=\S+)\s*$/.exec(line)?.[1];
    const cells = new Map<string, string>([
      ["NAME", groups["name"] ?? ""],
      ["READY", groups["ready"] ?? ""],
      ["STATUS", groups["status"] ?? ""],
      ["RESTARTS", groups["restarts"] ?? ""],
      ["AGE", groups["age"] ?? ""],
      ...(groups["namespace"] === undefined
        ? []
        : [["NAMESPACE", groups["namespace"]] satisfies [string, string]]),
      ...(groups["node"] === undefined
        ? []
        : [["NODE", groups["node"]] satisfies [string, string]]),
      ...(labels === undefined ? [] : [["LABELS", labels] satisfies [string, string]]),
    ]);
    return reader.read(new Row(cells, origin), origin) ?? [];
  });
}
