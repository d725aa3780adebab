import { describe, expect, test } from "vitest";

import { checkTexts } from "./fixtures/check-yaml.ts";

const row = (...cells: readonly string[]): string =>
  `${cells.map((cell, index) => cell.padEnd([12, 10, 19, 20, 0][index] ?? 0)).join("")}\n`;
const head = row("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE");
const refused = row(
  "38m",
  "Warning",
  "FailedScheduling",
  "pod/web-1",
  "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
);
const event = (reason: string, about: string, message: string): string =>
  row("35m", "Normal", reason, about, message);

describe("events without the pods that they are about", () => {
  test("tell why a pod has no node", () => {
    const [finding, ...rest] = checkTexts(head + refused);
    expect(rest).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "capacity",
      subject: { kind: "pod", name: "default/web-1" },
      title:
        "Pod default/web-1 fits no node, as the scheduler recorded: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 Insufficient cpu.",
    });
  });

  test.each([
    [
      "a pod that got its node",
      event("Scheduled", "pod/web-1", "Successfully assigned default/web-1 to one"),
    ],
    ["a pod that was deleted", event("SuccessfulDelete", "replicaset/web", "Deleted pod: web-1")],
  ])("say nothing of %s", (_what, more) => {
    expect(checkTexts(head + refused + more)).toEqual([]);
  });

  test("say nothing of a pod that is not among the pods of its namespace", () => {
    const other = `apiVersion: v1
kind: Pod
metadata: { name: web-2, uid: u-2 }
spec: { nodeName: one, containers: [{ name: main }] }
status: { phase: Running }`;
    expect(checkTexts(head + refused, other).map(({ verdict }) => verdict)).toEqual(["holds"]);
  });

  test("still count where the autoscaler speaks of the pod, too", () => {
    const more = event("NotTriggerScaleUp", "pod/web-1", "pod didn't trigger scale-up");
    expect(checkTexts(head + refused + more)).toHaveLength(1);
  });
});
