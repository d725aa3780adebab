import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { Finding } from "../model/finding.ts";
import { isInBlock } from "./cidr.ts";
import { checkTexts, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { deployment, service } from "./fixtures/manifests.ts";
import { networkPolicy } from "./network-policy.ts";

function policy(spec: string, name = "guard"): string {
  return `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec: { ${spec} }`;
}

const api = deployment(
  "api",
  "app: api",
  "containers: [{ name: main, image: 'api:1', ports: [{ name: http, containerPort: 8080 }] }]",
);
const apiService = service("api", "app: api", "ports: [{ port: 80, targetPort: 8080 }]");
const web = deployment(
  "web",
  "app: web",
  "containers: [{ name: main, image: 'web:1', env: [{ name: API_URL, value: 'http://api:80' }] }]",
);
const toApi = "podSelector: { matchLabels: { app: api } }";
const connection = "shop/Deployment/web -> shop/api:80";

function find(kind: string, ...texts: readonly string[]): Finding | undefined {
  return checkTexts(networkPolicy, ...texts).find((finding) => finding.subject.kind === kind);
}

function call(...policies: readonly string[]): Finding | undefined {
  const finding = find("connection", api, apiService, web, ...policies);
  expect(finding === undefined || finding.subject.name === connection).toBe(true);
  return finding;
}

describe("a call that is known by a name in a variable", () => {
  test("is nobody's business without a policy for either end", () => {
    expect(call(policy("podSelector: { matchLabels: { app: other } }"))).toBeUndefined();
  });

  test("is blocked by rules for other pods, with the rule that would let it through", () => {
    const finding = call(
      policy(`${toApi}, ingress: [{ from: [{ podSelector: { matchLabels: { tier: x } } }] }]`),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
      measures: { direction: "ingress", port: 8080 },
    });
    expect(finding?.title).toContain("let through pods with tier=x, not pods with app=web");
    expect(finding?.fixes[0]?.description).toContain("a rule from pods with app=web on port 8080");
  });

  test("holds when any policy lets it through: policies add up", () => {
    const closed = policy("podSelector: {}, policyTypes: [Ingress]", "deny");
    const open = policy(
      `${toApi}, ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: app, operator: In, values: [web, job] }] } }], ports: [{ port: http }] }]`,
    );
    expect(call(closed, open)?.verdict).toBe("holds");
    expect(call(closed)?.verdict).toBe("violated");
  });

  test("is blocked by a rule for the port of the service, which policies never see", () => {
    const finding = call(
      policy(`${toApi}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }]`),
    );
    expect(finding?.title).toContain("policies see the port of the pod, 8080");
    expect(finding?.fixes[0]?.description).toContain("from 80 to 8080");
  });

  test("passes a range of ports and is blocked by the other protocol", () => {
    const ports = (item: string): string | undefined =>
      call(policy(`${toApi}, ingress: [{ ports: [${item}] }]`))?.verdict;
    expect(ports("{ port: 8000, endPort: 8999 }")).toBe("holds");
    expect(ports("{ port: 8080, protocol: UDP }")).toBe("violated");
  });

  test("is blocked by egress of the client", () => {
    const finding = call(
      policy(
        "podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [{ to: [{ podSelector: { matchLabels: { app: db } } }] }]",
      ),
    );
    expect(finding).toMatchObject({ verdict: "violated", measures: { direction: "egress" } });
  });

  test("is inconclusive when a rule goes by addresses or labels that the evidence does not tell", () => {
    const byBlock = `${toApi}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }]`;
    expect(call(policy(byBlock))?.verdict).toBe("inconclusive");
    const byLabel = `${toApi}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: a } } }] }]`;
    expect(call(policy(byLabel))?.verdict).toBe("inconclusive");
    const named = (labels: string): string =>
      `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { ${labels} } }`;
    const judged = (labels: string): string | undefined =>
      find("connection", api, apiService, web, named(labels), policy(byLabel))?.verdict;
    expect(judged("team: a")).toBe("holds");
    expect(judged("team: b")).toBe("violated");
  });

  test("knows every namespace by its name", () => {
    const byName = (name: string): string =>
      `${toApi}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: ${name} } } }] }]`;
    expect(call(policy(byName("shop")))?.verdict).toBe("holds");
    expect(call(policy(byName("store")))?.verdict).toBe("violated");
  });
});

test("a service is shut when no rule names the port that it leads to", () => {
  const text = policy(`${toApi}, ingress: [{ ports: [{ port: 80 }] }]`);
  const finding = find("service", api, apiService, text);
  expect(finding).toMatchObject({ verdict: "violated", subject: { name: "shop/api" } });
  expect(finding?.fixes[0]?.description).toContain("from 80 to 8080");
  const deny = policy(`${toApi}, policyTypes: [Ingress]`);
  expect(find("service", api, apiService, deny)?.verdict).toBe("inconclusive");
});

describe("lookups of names", () => {
  const egress = (rules: string): string =>
    policy(`podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [${rules}]`);
  const toPods = "{ to: [{ podSelector: { matchLabels: { app: api } } }] }";
  const dns = (item: string): string => `{ to: [{ namespaceSelector: {} }], ports: [${item}] }`;

  test("are violated when egress is isolated without port 53 and the workload calls by name", () => {
    const finding = find("workload", api, apiService, web, egress(toPods));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding?.title).toContain("no egress rule allows port 53/UDP, and it calls api by name");
  });

  test("need UDP, and hold with any rule that reaches the cluster's DNS", () => {
    const judged = (...rules: readonly string[]): string | undefined =>
      find("workload", api, apiService, web, egress([toPods, ...rules].join(", ")))?.verdict;
    expect(judged(dns("{ port: 53 }"))).toBe("violated");
    expect(judged(dns("{ port: 53, protocol: UDP }"))).toBeUndefined();
    expect(judged("{ ports: [{ port: 53, protocol: UDP }] }")).toBeUndefined();
    expect(judged("{ to: [{ ipBlock: { cidr: 10.0.0.0/8 } }] }")).toBeUndefined();
    expect(
      judged(
        "{ to: [{ namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }, podSelector: { matchLabels: { k8s-app: kube-dns } } }], ports: [{ port: 53, protocol: UDP }] }",
      ),
    ).toBeUndefined();
    expect(
      judged(
        "{ to: [{ podSelector: { matchLabels: { k8s-app: kube-dns } } }], ports: [{ port: 53, protocol: UDP }] }",
      ),
    ).toBe("violated");
  });

  test("are inconclusive for a workload that is not known to call anything", () => {
    const silent = deployment("web", "app: web");
    expect(find("workload", silent, egress(""))?.verdict).toBe("inconclusive");
  });
});

describe("a policy for itself", () => {
  test("is violated when it selects no pod, with the nearest", () => {
    const finding = find(
      "networkpolicy",
      api,
      policy("podSelector: { matchLabels: { app: apl } }"),
    );
    expect(finding?.verdict).toBe("violated");
    expect(finding?.fixes[0]?.description).toContain("app from apl to api");
  });

  test("is inconclusive in manifests of several workloads, one of which it only resembles", () => {
    const commit = deployment("repo-commit-server", "app: repo-commit-server");
    const text = (app: string): string => policy(`podSelector: { matchLabels: { app: ${app} } }`);
    const verdict = (app: string): string | undefined =>
      find("networkpolicy", api, commit, text(app))?.verdict;
    expect(verdict("repo-server")).toBe("inconclusive");
    expect(verdict("repo-comit-server")).toBe("violated");
  });

  test("is inconclusive without pods in the evidence, and holds when it selects one", () => {
    expect(find("networkpolicy", policy(toApi))?.verdict).toBe("inconclusive");
    expect(find("networkpolicy", api, policy(toApi))?.verdict).toBe("holds");
  });

  test("is violated by a peer that is a slip away from a pod, not by one that may come", () => {
    const peer = (value: string): string | undefined =>
      find(
        "networkpolicy",
        api,
        web,
        policy(
          `${toApi}, ingress: [{ from: [{ podSelector: { matchLabels: { app: ${value} } } }] }]`,
        ),
      )?.verdict;
    expect(peer("Web")).toBe("violated");
    const long = deployment("frontend", "app: frontend");
    const slip = policy(
      `${toApi}, ingress: [{ from: [{ podSelector: { matchLabels: { app: frontned } } }] }]`,
    );
    expect(find("networkpolicy", api, long, slip)?.verdict).toBe("violated");
    expect(peer("client")).toBe("holds");
  });
});

test.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "0.0.0.0/0", true],
  ["fd00::1", "fd00::/8", true],
  ["fd00::1", "10.0.0.0/8", false],
  ["10.1.2.3", "10.0.0.0/x", undefined],
  ["nonsense", "10.0.0.0/8", undefined],
])("%s in %s is %s", (address, block, isIn) => {
  expect(isInBlock(address, block)).toBe(isIn);
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    api,
    apiService,
    web,
    policy(`${toApi}, ingress: [{ from: [{ podSelector: { matchLabels: { tier: x } } }] }]`),
    policy("podSelector: { matchLabels: { app: web } }, policyTypes: [Egress]", "closed"),
  );
  expectSameFindings(networkPolicy, objects, ["guard", "closed"]);
});
