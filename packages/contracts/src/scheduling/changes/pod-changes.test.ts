import { describe, expect, test } from "vitest";

import type { Finding } from "../../model/finding.ts";
import { checkTexts, findingOf } from "../fixtures/check-yaml.ts";

function node(name: string, zone: string, spec = ""): string {
  return `apiVersion: v1
kind: Node
metadata: { name: ${name}, labels: { zone: ${zone}, kubernetes.io/hostname: ${name} } }
spec: { ${spec} }
status: { allocatable: { cpu: "4", pods: "20" } }`;
}

function running(
  name: string,
  on: string,
  { labels = "app: web", namespace = "default" } = {},
): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { ${labels} } }
spec: { nodeName: ${on} }
status: { phase: Running }`;
}

function fixesFor(spec: string, ...texts: readonly string[]): Finding["fixes"] {
  const asking = `apiVersion: v1
kind: Pod
metadata: { name: asking, labels: { app: web, pod-template-hash: new } }
spec: { ${spec} }`;
  const finding = findingOf(checkTexts([...texts, asking].join("\n---\n")), "asking");
  expect(finding.verdict).toBe("violated");
  for (const fix of finding.fixes) expect(fix.verified, fix.description).toBe(true);
  return finding.fixes;
}

const spread = (more = ""): string =>
  `topologySpreadConstraints: [{ maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: web } }${more} }]`;
const near = (more: string): string =>
  `affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: zone, ${more} }] } }`;
const away = (key: string): string =>
  `affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ${key}, labelSelector: { matchLabels: { app: web } } }] } }`;

describe("the smallest change for a spread", () => {
  test("honours the taints of a fenced zone that counts as empty", () => {
    const fenced = node("c", "c", "taints: [{ key: own, effect: NoSchedule }]");
    const [fix] = fixesFor(
      spread(),
      node("a", "a"),
      fenced,
      running("p", "a", { labels: "app: web, pod-template-hash: new" }),
    );
    expect(fix).toMatchObject({ cost: 3 });
    expect(fix?.description).toContain(
      "et nodeTaintsPolicy of the pod's spread over zone to Honor",
    );
  });

  test("leaves pods of another revision out", () => {
    const old = { labels: "app: web, pod-template-hash: old" };
    const texts = [node("a", "a"), node("b", "b", "unschedulable: true"), running("p", "a", old)];
    const [fix] = fixesFor(spread(), ...texts);
    expect(fix?.description).toContain("dd pod-template-hash to matchLabelKeys");
  });

  test("lowers minDomains to how many domains there are", () => {
    const [fix] = fixesFor(
      spread(", minDomains: 3"),
      node("a", "a"),
      running("p", "a", { labels: "app: web, pod-template-hash: new" }),
    );
    expect(fix?.description).toContain("ower minDomains of the pod's spread over zone from 3 to 1");
  });

  test("otherwise raises maxSkew by as much as is needed", () => {
    const same = { labels: "app: web, pod-template-hash: new" };
    const cordoned = node("b", "b", "unschedulable: true");
    const [fix] = fixesFor(
      spread(),
      node("a", "a"),
      cordoned,
      running("p", "a", same),
      running("q", "a", same),
    );
    expect(fix?.description).toContain("aise maxSkew of the pod's spread over zone from 1 to 3");
  });
});

test("pods with equal constraints each get their own fixes", () => {
  const asking = (name: string, cpu: string): string => `apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: web } }
spec: { ${spread()}, containers: [{ resources: { requests: { cpu: ${cpu} } } }] }`;
  const rest = [node("a", "a"), node("b", "b", "unschedulable: true"), running("p", "a")];
  const findings = checkTexts(
    [...rest, asking("one", "100m"), asking("two", "200m")].join("\n---\n"),
  );
  for (const name of ["one", "two"]) {
    expect(findingOf(findings, name).fixes[0]?.description).toContain("aise maxSkew");
  }
});

describe("the smallest change for affinity", () => {
  test("takes the label value that was nearly named", () => {
    const [fix] = fixesFor(
      near("labelSelector: { matchLabels: { app: redsi } }"),
      node("a", "a"),
      running("p", "a", { labels: "app: redis" }),
    );
    expect(fix).toMatchObject({ cost: 2 });
    expect(fix?.description).toContain(
      "change app in the pod's affinity from redsi to redis".slice(1),
    );
  });

  test("names the namespace where such pods run", () => {
    const [fix] = fixesFor(
      near("labelSelector: { matchLabels: { app: redis } }"),
      node("a", "a"),
      running("p", "a", { labels: "app: redis", namespace: "data" }),
    );
    expect(fix).toMatchObject({ cost: 3 });
    expect(fix?.description).toContain("namespaces: [data]");
  });

  test("otherwise makes it a preference", () => {
    const [fix] = fixesFor(near("labelSelector: { matchLabels: { app: gone } }"), node("a", "a"));
    expect(fix).toMatchObject({ cost: 4 });
    expect(fix?.description).toContain("a preference");
  });
});

test("a node's manifest carries the node's name as a label, as its kubelet would write it", () => {
  const bare = node("a", "a").replace(", kubernetes.io/hostname: a", "");
  const asking = `apiVersion: v1
kind: Pod
metadata: { name: asking, labels: { app: web } }
spec: { ${spread().replace("topologyKey: zone", "topologyKey: kubernetes.io/hostname")} }`;
  expect(findingOf(checkTexts([bare, asking].join("\n---\n")), "asking").verdict).toBe("holds");
});

describe("the smallest change for anti-affinity", () => {
  test("relaxes the pod, stops who is in the way, or adds a node", () => {
    const fixes = fixesFor(away("kubernetes.io/hostname"), node("a", "a"), running("p", "a"));
    expect(fixes.map(({ cost }) => cost)).toEqual([6, 9, 12]);
    expect(fixes[1]?.description).toContain("ove or stop default/p");
    expect(fixes[2]?.description).toContain("Then it fits the new node.");
  });

  test("knows that a new node of the same zone does not help", () => {
    const fixes = fixesFor(away("zone"), node("a", "a"), running("p", "a"));
    expect(fixes.some(({ description }) => description.startsWith("Add a node"))).toBe(false);
  });
});

test("a disk in use is freed by stopping its user", () => {
  const disk = "volumes: [{ name: d, gcePersistentDisk: { pdName: one } }]";
  const user = running("user", "a").replace("nodeName: a", `nodeName: a, ${disk}`);
  const [fix] = fixesFor(disk, node("a", "a"), user);
  expect(fix).toMatchObject({ cost: 9 });
  expect(fix?.description).toContain("ove or stop default/user");
});
