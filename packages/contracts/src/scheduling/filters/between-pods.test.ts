/** Topology spread and affinity between pods: cases in the manner of the scheduler's own tables. */

import { describe, expect, test } from "vitest";

import { checkTexts, filterReasons, findingOf } from "../fixtures/check-yaml.ts";

/** Four nodes in two zones, and two that lack a label. */
const nodes: Readonly<Record<string, string>> = {
  a1: "{ zone: a, host: a1 }",
  a2: "{ zone: a, host: a2 }",
  b1: "{ zone: b, host: b1 }",
  b2: "{ zone: b, host: b2 }",
};

function node(name: string, labels: string, spec = ""): string {
  return `apiVersion: v1
kind: Node
metadata: { name: ${name}, labels: ${labels} }
spec: { ${spec} }
status: { allocatable: { cpu: "4", memory: 8Gi, pods: "20" } }`;
}

interface Running {
  on: string;
  labels?: string;
  namespace?: string;
  spec?: string;
  deleted?: boolean;
}

function running(pods: readonly Running[]): string[] {
  return pods.map(
    ({ on, labels = "app: web", namespace = "default", spec = "", deleted = false }, index) =>
      `apiVersion: v1
kind: Pod
metadata: { name: p${index}, namespace: ${namespace}, labels: { ${labels} }${deleted ? ', deletionTimestamp: "2026-01-01T00:00:00Z"' : ""} }
spec: { nodeName: ${on}${spec === "" ? "" : `, ${spec}`} }
status: { phase: Running }`,
  );
}

interface Question {
  spec: string;
  pods?: readonly Running[];
  labels?: string;
  more?: readonly string[];
  on?: Readonly<Record<string, string>>;
}

/** The nodes' reasons, or how many nodes take the pod. */
function answer({ spec, pods = [], labels = "app: web", more = [], on = nodes }: Question): string {
  const asking = `apiVersion: v1
kind: Pod
metadata: { name: asking, labels: { ${labels} } }
spec: { ${spec} }`;
  const texts = [
    ...Object.entries(on).map(([name, list]) => node(name, list)),
    ...running(pods),
    ...more,
    asking,
  ];
  const finding = findingOf(checkTexts(texts.join("\n---\n")), "asking");
  if (finding.verdict === "inconclusive") return `not known: ${finding.missing.join("; ")}`;
  if (finding.verdict === "holds") return `fits ${finding.measures["fittingNodeCount"]}`;
  return filterReasons(finding).replace(/^0\/\d+ nodes are available: /, "");
}

const uneven = "node(s) didn't match pod topology spread constraints";
const unlabelled = `${uneven} (missing required label)`;

function spread(key: string, more = ""): string {
  return `{ maxSkew: 1, topologyKey: ${key}, whenUnsatisfiable: DoNotSchedule, labelSelector: { matchLabels: { app: web } }${more === "" ? "" : `, ${more}`} }`;
}

function spreads(...constraints: readonly string[]): string {
  return `topologySpreadConstraints: [${constraints.join(", ")}]`;
}

const onEach = (...names: string[]): Running[] => names.map((on) => ({ on }));

describe("topology spread", () => {
  test("an empty cluster takes the pod anywhere, and a domain ahead by maxSkew takes no more", () => {
    expect(answer({ spec: spreads(spread("zone")) })).toBe("fits 4");
    expect(answer({ spec: spreads(spread("zone")), pods: onEach("a1") })).toBe("fits 2");
    expect(answer({ spec: spreads(spread("host")), pods: onEach("a1", "b1") })).toBe("fits 2");
    const wide = spread("zone").replace("maxSkew: 1", "maxSkew: 2");
    expect(answer({ spec: spreads(wide), pods: onEach("a1") })).toBe("fits 4");
  });

  test("constraints hold together", () => {
    // Zone a is ahead, so only b is left, and there b1 is ahead of b2 by host.
    const pods = onEach("a1", "a2", "b1");
    expect(answer({ spec: spreads(spread("zone"), spread("host")), pods })).toBe("fits 1");
    expect(
      answer({
        spec: spreads(spread("zone"), spread("host")),
        pods: onEach("a1", "b1", "b2", "b2"),
      }),
    ).toBe("fits 1");
    expect(
      answer({
        spec: spreads(spread("zone"), spread("host")),
        pods: onEach("a1", "a1", "a2", "a2", "b1", "b1", "b1", "b1", "b1"),
      }),
    ).toBe(`4 ${uneven}.`);
  });

  test("a pod that its own selector does not take adds nothing", () => {
    const pods = onEach("a1");
    expect(answer({ spec: spreads(spread("zone")), pods, labels: "app: db" })).toBe("fits 4");
    expect(
      answer({ spec: spreads(spread("zone")), pods: onEach("a1", "a2"), labels: "app: db" }),
    ).toBe("fits 2");
  });

  test("pods on their way out and pods of other namespaces are not counted", () => {
    const pods = [
      { on: "a1", deleted: true },
      { on: "a2", namespace: "other" },
      { on: "a2", labels: "app: db" },
    ];
    expect(answer({ spec: spreads(spread("zone")), pods })).toBe("fits 4");
  });

  test("a node without a topology label is refused, and does not count for any constraint", () => {
    const on = { ...nodes, bare: "{ host: bare }" };
    const pods = onEach("a1", "b1", "bare");
    expect(answer({ spec: spreads(spread("zone")), pods, on })).toBe("fits 4");
    expect(answer({ spec: spreads(spread("rack")) })).toBe(`4 ${unlabelled}.`);
    expect(answer({ spec: spreads(spread("rack")), on: { x: "{ zone: a }" } })).toBe(
      `1 ${unlabelled}.`,
    );
    // bare would be the emptiest host, but it has no zone.
    expect(
      answer({
        spec: spreads(spread("zone"), spread("host")),
        pods: onEach("a1", "a2", "b1", "b2"),
        on,
      }),
    ).toBe("fits 4");
  });

  test("fewer domains than minDomains count as if one were empty", () => {
    const pods = onEach("a1", "b1");
    expect(answer({ spec: spreads(spread("zone")), pods })).toBe("fits 4");
    expect(answer({ spec: spreads(spread("zone", "minDomains: 3")), pods })).toBe(`4 ${uneven}.`);
    expect(answer({ spec: spreads(spread("zone", "minDomains: 2")), pods })).toBe("fits 4");
  });

  test("nodes that the pod's selector excludes do not count, unless nodeAffinityPolicy says so", () => {
    const spec = (policy: string): string =>
      `nodeSelector: { zone: a }, ${spreads(spread("host", policy))}`;
    expect(answer({ spec: spec(""), pods: onEach("a1", "a2") })).toBe("fits 2");
    expect(answer({ spec: spec("nodeAffinityPolicy: Ignore"), pods: onEach("a1", "a2") })).toBe(
      `2 node(s) didn't match Pod's node affinity/selector, 2 ${uneven}.`,
    );
  });

  test("fenced nodes count unless nodeTaintsPolicy honours their taints", () => {
    const fence = node("c1", "{ zone: c, host: c1 }", "taints: [{ key: own, effect: NoSchedule }]");
    const pods = onEach("a1", "b1");
    const spec = (policy: string): string => spreads(spread("zone", policy));
    expect(answer({ spec: spec(""), pods, more: [fence] })).toBe(
      `1 node(s) had untolerated taint {own: }, 4 ${uneven}.`,
    );
    expect(answer({ spec: spec("nodeTaintsPolicy: Honor"), pods, more: [fence] })).toBe("fits 4");
  });

  test("matchLabelKeys count the pods of the own revision alone", () => {
    const pods = [
      { on: "a1", labels: "app: web, rev: old" },
      { on: "b1", labels: "app: web, rev: old" },
      { on: "b1", labels: "app: web, rev: new" },
    ];
    const labels = "app: web, rev: new";
    expect(answer({ spec: spreads(spread("zone", "matchLabelKeys: [rev]")), pods, labels })).toBe(
      "fits 2",
    );
    expect(
      answer({ spec: spreads(spread("zone", "matchLabelKeys: [absent]")), pods, labels }),
    ).toBe("fits 2");
    const more = [{ on: "a1", labels: "app: web, rev: old" }, ...pods];
    expect(answer({ spec: spreads(spread("zone")), pods: more, labels })).toBe("fits 4");
  });

  test("no selector counts nobody, and neither does an empty one", () => {
    const bare = spread("zone").replace(
      "labelSelector: { matchLabels: { app: web } }",
      "minDomains: 1",
    );
    expect(answer({ spec: spreads(bare), pods: onEach("a1", "a1") })).toBe("fits 4");
    const all = spread("zone").replace("{ matchLabels: { app: web } }", "{}");
    expect(answer({ spec: spreads(all), pods: [{ on: "a1", labels: "x: y" }] })).toBe("fits 4");
  });

  test("a preference never refuses", () => {
    const soft = spread("rack").replace("DoNotSchedule", "ScheduleAnyway");
    expect(answer({ spec: spreads(soft) })).toBe("fits 4");
  });

  test("pods that may run on a live node nobody shows leave it open", () => {
    const live = `apiVersion: v1
kind: Node
metadata: { name: live, labels: { zone: a } }
status: { allocatable: { cpu: "4", pods: "9" }, nodeInfo: { kubeletVersion: v1.34.0 } }`;
    expect(answer({ spec: spreads(spread("zone")), on: {}, more: [live] })).toBe(
      "not known: the pods on node live",
    );
  });
});

const required = "requiredDuringSchedulingIgnoredDuringExecution";

function term(key: string, selector = "{ matchLabels: { app: db } }", more = ""): string {
  return `{ topologyKey: ${key}, labelSelector: ${selector}${more === "" ? "" : `, ${more}`} }`;
}

function near(...terms: readonly string[]): string {
  return `affinity: { podAffinity: { ${required}: [${terms.join(", ")}] } }`;
}

function away(...terms: readonly string[]): string {
  return `affinity: { podAntiAffinity: { ${required}: [${terms.join(", ")}] } }`;
}

const lonely = "node(s) didn't match pod affinity rules";
const repelled = "node(s) didn't match pod anti-affinity rules";
const guarded = "node(s) didn't satisfy existing pods anti-affinity rules";
const db: Running = { on: "a1", labels: "app: db" };

describe("affinity to pods", () => {
  test("is met in the domain of a pod that the term means", () => {
    expect(answer({ spec: near(term("zone")), pods: [db] })).toBe("fits 2");
    expect(answer({ spec: near(term("host")), pods: [db] })).toBe("fits 1");
    expect(answer({ spec: near(term("zone")) })).toBe(`4 ${lonely}.`);
    expect(answer({ spec: near(term("rack")), pods: [db] })).toBe(`4 ${lonely}.`);
  });

  test.each([
    ["{ matchExpressions: [{ key: app, operator: In, values: [db, queue] }] }", "fits 2"],
    ["{ matchExpressions: [{ key: app, operator: NotIn, values: [db] }] }", `4 ${lonely}.`],
    ["{ matchExpressions: [{ key: app, operator: Exists }] }", "fits 2"],
    ["{ matchExpressions: [{ key: app, operator: DoesNotExist }] }", `4 ${lonely}.`],
    ["{}", "fits 2"],
  ])("the selector %s: %s", (selector, expected) => {
    expect(answer({ spec: near(term("zone", selector)), pods: [db], labels: "app: db" })).toBe(
      expected,
    );
  });

  test("counts a pod only when every term means it, and wants it in every domain", () => {
    const both = near(term("zone"), term("host", "{ matchLabels: { tier: data } }"));
    expect(answer({ spec: both, pods: [db, { on: "a2", labels: "tier: data" }] })).toBe(
      `4 ${lonely}.`,
    );
    expect(answer({ spec: both, pods: [{ on: "a1", labels: "app: db, tier: data" }] })).toBe(
      "fits 1",
    );
  });

  test("lets the first pod of a group in that wants itself, where the topology label is", () => {
    const self = near(term("zone", "{ matchLabels: { app: web } }"));
    expect(answer({ spec: self })).toBe("fits 4");
    expect(answer({ spec: self, on: { ...nodes, bare: "{ host: bare }" } })).toBe("fits 4");
    expect(answer({ spec: self, pods: onEach("b2") })).toBe("fits 2");
    // A pod of another namespace is not of the group.
    expect(answer({ spec: self, pods: [{ on: "b2", namespace: "other" }] })).toBe("fits 4");
  });

  test("looks into the namespaces that it names", () => {
    const other = { ...db, namespace: "data" };
    expect(answer({ spec: near(term("zone")), pods: [other] })).toBe(`4 ${lonely}.`);
    expect(
      answer({ spec: near(term("zone", undefined, "namespaces: [data]")), pods: [other] }),
    ).toBe("fits 2");
    expect(
      answer({ spec: near(term("zone", undefined, "namespaceSelector: {}")), pods: [other] }),
    ).toBe("fits 2");
  });

  test("selects namespaces by their labels, and says when it does not know them", () => {
    const other = { ...db, namespace: "data" };
    const bySelector = (selector: string): string =>
      near(term("zone", undefined, `namespaceSelector: { matchLabels: { ${selector} } }`));
    const known = `apiVersion: v1\nkind: Namespace\nmetadata: { name: data, labels: { team: red } }`;
    expect(answer({ spec: bySelector("team: red"), pods: [other], more: [known] })).toBe("fits 2");
    expect(answer({ spec: bySelector("team: blue"), pods: [other], more: [known] })).toBe(
      `4 ${lonely}.`,
    );
    expect(answer({ spec: bySelector("team: red"), pods: [other] })).toBe(
      "not known: the labels of namespace data",
    );
    expect(answer({ spec: bySelector("kubernetes.io/metadata.name: data"), pods: [other] })).toBe(
      "fits 2",
    );
  });

  test("matchLabelKeys and mismatchLabelKeys use the pod's own values", () => {
    const labels = "app: web, tenant: red";
    const pods = [
      { on: "a1", labels: "app: db, tenant: red" },
      { on: "b1", labels: "app: db, tenant: blue" },
    ];
    expect(
      answer({ spec: near(term("zone", undefined, "matchLabelKeys: [tenant]")), pods, labels }),
    ).toBe("fits 2");
    expect(
      answer({ spec: near(term("zone", undefined, "mismatchLabelKeys: [tenant]")), pods, labels }),
    ).toBe("fits 2");
    expect(answer({ spec: near(term("zone")), pods, labels })).toBe("fits 4");
  });

  test("company that manifests would make is not missing, it only has no place yet", () => {
    const planned = `apiVersion: apps/v1
kind: Deployment
metadata: { name: db }
spec: { template: { metadata: { labels: { app: db } }, spec: { containers: [] } } }`;
    expect(answer({ spec: near(term("zone")), more: [planned] })).toBe(
      "not known: where pods of default/db will run",
    );
  });

  test("pods on their way out still count", () => {
    expect(answer({ spec: near(term("zone")), pods: [{ ...db, deleted: true }] })).toBe("fits 2");
  });
});

describe("anti-affinity", () => {
  test("keeps the pod from the domains of those that it avoids", () => {
    expect(answer({ spec: away(term("zone")), pods: [db] })).toBe("fits 2");
    expect(answer({ spec: away(term("host")), pods: [db] })).toBe("fits 3");
    expect(answer({ spec: away(term("zone")), pods: [db, { ...db, on: "b1" }] })).toBe(
      `4 ${repelled}.`,
    );
    expect(answer({ spec: away(term("rack")), pods: [db] })).toBe("fits 4");
    expect(answer({ spec: away(term("zone")), pods: [{ ...db, namespace: "other" }] })).toBe(
      "fits 4",
    );
  });

  test("of pods that run keeps newcomers away", () => {
    const guard = (key: string, more = ""): Running => ({
      on: "a1",
      labels: "app: db",
      spec: away(term(key, "{ matchLabels: { app: web } }", more)),
    });
    expect(answer({ spec: "containers: []", pods: [guard("zone")] })).toBe("fits 2");
    expect(answer({ spec: "containers: []", pods: [guard("host")] })).toBe("fits 3");
    expect(answer({ spec: "containers: []", pods: [guard("zone")], labels: "app: db" })).toBe(
      "fits 4",
    );
    expect(
      answer({ spec: "containers: []", pods: [{ ...guard("zone"), namespace: "other" }] }),
    ).toBe("fits 4");
    expect(
      answer({
        spec: "containers: []",
        pods: [{ ...guard("zone", "namespaces: [default]"), namespace: "other" }],
      }),
    ).toBe("fits 2");
    const both = [guard("zone"), { ...guard("zone"), on: "b2" }];
    expect(answer({ spec: "containers: []", pods: both })).toBe(`4 ${guarded}.`);
  });

  test("one reason is counted for a node: affinity before anti-affinity before that of others", () => {
    const guard: Running = {
      on: "a1",
      labels: "app: db",
      spec: away(term("zone", "{ matchLabels: { app: web } }")),
    };
    const spec = `affinity: { podAffinity: { ${required}: [${term("zone", "{ matchLabels: { app: gone } }")}] }, podAntiAffinity: { ${required}: [${term("zone")}] } }`;
    expect(answer({ spec, pods: [guard] })).toBe(`4 ${lonely}.`);
    expect(answer({ spec: away(term("zone")), pods: [guard, { ...db, on: "b1" }] })).toBe(
      `4 ${repelled}.`,
    );
  });
});
