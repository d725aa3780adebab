import { describe, expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import { readKubernetes } from "../readers/kubernetes/read-kubernetes.ts";
import { snapshotOfObjects } from "../../test/metamorphic-kubernetes.ts";
import { checkTexts, findingOf } from "./fixtures/check-yaml.ts";
import { podFitsNode } from "./pod-fits-node.ts";

function node(name: string, cpu = 4, spec = ""): string {
  return `apiVersion: v1
kind: Node
metadata: { name: ${name} }
spec: { ${spec} }
status: { allocatable: { cpu: "${cpu}", memory: 8Gi, pods: "20" } }`;
}

interface Shape {
  cpu?: number | string;
  priority?: number;
  spec?: string;
  on?: string;
  status?: string;
  meta?: string;
}

function pod(
  name: string,
  { cpu = 1, priority, spec = "", on, status = "", meta = "" }: Shape,
): string {
  const fields = [
    ...(on === undefined ? [] : [`nodeName: ${on}`]),
    ...(priority === undefined ? [] : [`priority: ${priority}`]),
    ...(spec === "" ? [] : [spec]),
    `containers: [{ name: main, resources: { requests: { cpu: "${cpu}" } } }]`,
  ];
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}${meta === "" ? "" : `, ${meta}`} }
spec: { ${fields.join(", ")} }
status: { phase: ${on === undefined ? "Pending" : "Running"}${status === "" ? "" : `, ${status}`} }`;
}

function ask(...texts: readonly string[]): Finding {
  return findingOf(checkTexts(texts.join("\n---\n")), "asking");
}

const big = { cpu: 3, priority: 100 };

describe("preemption", () => {
  test("names the pods of lower priority that would make room", () => {
    const finding = ask(node("n1"), pod("low", { cpu: 3, on: "n1" }), pod("asking", big));
    expect(finding.verdict).toBe("violated");
    expect(finding.actual).toBe("0/1 nodes are available: 1 Insufficient cpu.");
    expect(finding.measures).toMatchObject({
      preemptionNode: "n1",
      preemptionVictims: "default/low",
      preemptionOverBudgetCount: 0,
    });
    expect(finding.nextChecks.join()).toContain("may evict default/low from node n1");
  });

  test("spares whom it can, the more important first, and the one that runs longer", () => {
    const started = (time: string): string => `startTime: "2026-01-01T${time}:00Z"`;
    const finding = ask(
      node("n1"),
      pod("a", { on: "n1", priority: 5 }),
      pod("b", { on: "n1", priority: 1, status: started("08:00") }),
      pod("c", { on: "n1", priority: 1, status: started("09:00") }),
      pod("d", { on: "n1", priority: 1, status: started("10:00") }),
      pod("asking", { cpu: 2, priority: 100 }),
    );
    expect(finding.measures["preemptionVictims"]).toBe("default/c, default/d");
  });

  test("takes the node with the fewest and least important victims", () => {
    const finding = ask(
      node("n1"),
      node("n2"),
      pod("a", { cpu: 4, on: "n1", priority: 50 }),
      pod("b", { cpu: 4, on: "n2", priority: 10 }),
      pod("asking", big),
    );
    expect(finding.measures["preemptionNode"]).toBe("n2");
  });

  test("prefers victims that no disruption budget protects, and warns of others", () => {
    const budget = `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: guard }
spec: { selector: { matchLabels: { app: web } } }
status: { disruptionsAllowed: 0 }`;
    const web = { on: "n1", cpu: 2, meta: "labels: { app: web }" };
    const finding = ask(
      node("n1"),
      budget,
      pod("web", web),
      pod("other", { on: "n1", cpu: 2, priority: 50 }),
      pod("asking", { cpu: 2, priority: 100 }),
    );
    expect(finding.measures["preemptionVictims"]).toBe("default/other");
    const only = ask(node("n1"), budget, pod("web", { ...web, cpu: 4 }), pod("asking", big));
    expect(only.measures["preemptionOverBudgetCount"]).toBe(1);
    expect(only.nextChecks.join()).toContain("against a disruption budget");
  });

  test("says in the scheduler's words why it does not help", () => {
    const text = (...texts: readonly string[]): string => ask(...texts).actual;
    expect(
      text(node("n1"), pod("same", { cpu: 3, on: "n1", priority: 100 }), pod("asking", big)),
    ).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
    expect(text(node("n1", 2), pod("low", { cpu: 2, on: "n1" }), pod("asking", big))).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    );
    const mixed = text(
      node("n1", 4, "unschedulable: true"),
      node("n2"),
      node("n3"),
      pod("low", { cpu: 1, on: "n2" }),
      pod("high", { cpu: 2, on: "n2", priority: 1_000 }),
      pod("full", { cpu: 4, on: "n3", priority: 1_000 }),
      pod("asking", big),
    );
    expect(mixed).toBe(
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. preemption: 0/3 nodes are available: 1 Insufficient cpu, 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.",
    );
  });

  test("a policy of Never keeps a pod from evicting", () => {
    const finding = ask(
      node("n1"),
      pod("low", { cpu: 3, on: "n1" }),
      pod("asking", { ...big, spec: "preemptionPolicy: Never" }),
    );
    expect(finding.actual).toContain(" preemption: not eligible due to preemptionPolicy=Never.");
    expect(finding.measures["preemptionNode"]).toBeUndefined();
  });

  test("priorities come from classes, and from the default class where none is named", () => {
    const priorityClass = (
      name: string,
      value: number,
      more = "",
    ): string => `apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: { name: ${name} }
value: ${value}
${more}`;
    const asking = pod("asking", { cpu: 3, spec: "priorityClassName: urgent" });
    const low = pod("low", { cpu: 3, on: "n1" });
    const victims = (...texts: readonly string[]): unknown =>
      ask(node("n1"), low, ...texts).measures["preemptionVictims"];
    expect(victims(asking)).toBeUndefined();
    expect(victims(asking, priorityClass("urgent", 10))).toBe("default/low");
    expect(
      victims(
        asking,
        priorityClass("urgent", 10),
        priorityClass("usual", 20, "globalDefault: true"),
      ),
    ).toBeUndefined();
    expect(
      victims(pod("asking", { cpu: 3, spec: "priorityClassName: system-node-critical" })),
    ).toBe("default/low");
    expect(victims(asking, priorityClass("urgent", 10, "preemptionPolicy: Never"))).toBeUndefined();
  });

  test("anti-affinity of a lesser pod goes with the pod", () => {
    const jealous = pod("jealous", {
      on: "n1",
      spec: "affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: host, labelSelector: {} }] } }",
    });
    const labelled = node("n1").replace("name: n1", "name: n1, labels: { host: n1 }");
    expect(ask(labelled, jealous, pod("asking", big)).measures["preemptionVictims"]).toBe(
      "default/jealous",
    );
  });

  test("waits for those that it has evicted already", () => {
    const leaving = pod("low", {
      cpu: 3,
      on: "n1",
      meta: 'deletionTimestamp: "2026-01-01T00:00:00Z"',
      status:
        'conditions: [{ type: DisruptionTarget, status: "True", reason: PreemptionByScheduler }]',
    });
    const finding = ask(
      node("n1"),
      leaving,
      pod("asking", { ...big, status: "nominatedNodeName: n1" }),
    );
    expect(finding.actual).toContain(
      "not eligible due to a terminating pod on the nominated node.",
    );
    expect(finding.measures["nominatedNode"]).toBe("n1");
  });
});

describe("pods that wait for a node", () => {
  const waiting = (priority: number): string =>
    pod("waiting", { cpu: 3, priority, status: "nominatedNodeName: n1" });

  test("keep their room from pods of the same and of lower priority", () => {
    expect(ask(node("n1"), waiting(10), pod("asking", { cpu: 2 })).verdict).toBe("violated");
    expect(ask(node("n1"), waiting(10), pod("asking", { cpu: 2, priority: 10 })).verdict).toBe(
      "violated",
    );
    expect(ask(node("n1"), waiting(10), pod("asking", { cpu: 2, priority: 11 })).verdict).toBe(
      "holds",
    );
    expect(ask(node("n1"), node("n2"), waiting(10), pod("asking", { cpu: 2 })).title).toContain(
      "node n2",
    );
  });

  test("are no company to count on", () => {
    const near =
      "affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: host, labelSelector: { matchLabels: { app: db } } }] } }";
    const labelled = node("n1").replace("name: n1", "name: n1, labels: { host: n1 }");
    const db = pod("waiting", {
      priority: 10,
      status: "nominatedNodeName: n1",
      meta: "labels: { app: db }",
    });
    expect(ask(labelled, db, pod("asking", { spec: near })).actual).toContain(
      "1 node(s) didn't match pod affinity rules",
    );
  });
});

describe("other schedulers", () => {
  const texts = [node("n1"), pod("asking", { spec: "schedulerName: volcano" })].join("\n---\n");

  test("are not imitated, unless they are said to run the same filters", () => {
    expect(ask(texts)).toMatchObject({ verdict: "inconclusive" });
    expect(ask(texts).missing.join()).toContain("volcano");
    const contract = podFitsNode.with({ schedulerNames: ["default-scheduler", "volcano"] });
    const findings = contract.check(snapshotOfObjects(readKubernetes(texts).objects));
    expect(findings.map(({ verdict }) => verdict)).toEqual(["holds"]);
  });
});

describe("pods that are being resized", () => {
  const resized = (asked: string, held: string, more = ""): string =>
    pod("resized", {
      cpu: asked,
      on: "n1",
      status: `containerStatuses: [{ name: main, resources: { requests: { cpu: "${held}" } }, allocatedResources: { cpu: "${held}" } }]${more === "" ? "" : `, ${more}`}`,
    });
  const infeasible = 'conditions: [{ type: PodResizePending, status: "True", reason: Infeasible }]';
  const deferred = infeasible.replace("Infeasible", "Deferred");

  test.each([
    ["1", "3", "", "violated"],
    ["3", "1", "", "violated"],
    ["3", "1", deferred, "violated"],
    ["3", "1", infeasible, "holds"],
    ["3", "1", "resize: Infeasible", "holds"],
    ["1", "1", "", "holds"],
  ])("ask for %s and hold %s (%s): %s", (...[asked, held, more, verdict]) => {
    const finding = ask(node("n1"), resized(asked, held, more), pod("asking", { cpu: 2 }));
    expect(finding.verdict).toBe(verdict);
  });
});
