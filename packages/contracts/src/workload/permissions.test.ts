import { describe, expect, test } from "vitest";

import { denialIn } from "./denial.ts";
import { eventYaml, findingIn, findingsIn, podYaml } from "./fixtures/check-texts.ts";
import { permissions } from "./permissions.ts";

const denial =
  'pods is forbidden: User "system:serviceaccount:shop:reader" cannot list resource "pods" in API group "" in the namespace "shop"';
const log = `{"toolset_name":"kubernetes/logs","tool_name":"fetch_pod_logs","match_params":{"pod_name":"reader-0","namespace":"shop"}}\nE0101 reflector.go:138] failed to list *v1.Pod: ${denial}\n`;
const role = (rule: string, namespace = "shop"): string =>
  `---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: pod-reader, namespace: ${namespace} }\nrules: [{ ${rule} }]\n`;
const binding = ({ namespace = "shop", subject = "shop", name = "reader" } = {}): string =>
  `---\napiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: read-pods, namespace: ${namespace} }\nroleRef: { kind: Role, name: pod-reader }\nsubjects: [{ kind: ServiceAccount, name: ${name}, namespace: ${subject} }]\n`;
const allowed = 'apiGroups: [""], resources: [pods], verbs: [get, list]';

test("a refusal in a log names account, act, namespace and the smallest rule", () => {
  const finding = findingIn(permissions, log);
  expect(finding).toMatchObject({
    verdict: "violated",
    causeKind: "configuration",
    boundary: "code-host",
    subject: { kind: "serviceaccount", name: "shop/reader" },
  });
  expect(finding.title).toContain("may not list pods in namespace shop");
  expect(finding.fixes[0]?.description).toContain('resources: ["pods"], verbs: ["list"]');
  expect(finding.nextChecks).toEqual([
    "kubectl auth can-i list pods --as=system:serviceaccount:shop:reader -n shop",
  ]);
});

describe("the nearest miss among roles and bindings", () => {
  test.each([
    [
      "the API group",
      role("apiGroups: [apps], resources: [pods], verbs: [list]"),
      binding(),
      'of the API group "apps", not of ""',
    ],
    [
      "the resource",
      role('apiGroups: [""], resources: [pod], verbs: [list]'),
      binding(),
      "allows pod, not pods",
    ],
    [
      "the verb",
      role('apiGroups: [""], resources: [pods], verbs: [get]'),
      binding(),
      "allows get on pods, not list",
    ],
    [
      "names",
      role('apiGroups: [""], resources: [pods], verbs: [list], resourceNames: [a]'),
      binding(),
      "for a only",
    ],
    [
      "the subject's namespace",
      role(allowed),
      binding({ subject: "default" }),
      "to the service account default/reader, not to shop/reader",
    ],
    [
      "the binding's namespace",
      role(allowed, "other"),
      binding({ namespace: "other" }),
      "in namespace other only",
    ],
    [
      "the role itself",
      role(allowed).replace("pod-reader", "pods-reader"),
      binding(),
      "Role pod-reader, which does not exist (pods-reader does)",
    ],
    ["the binding", role(allowed), "", "nothing binds it"],
  ])("%s", (...[, roles, bindings, words]) => {
    const finding = findingIn(permissions, log, `${roles}${bindings}`);
    expect(finding.verdict).toBe("violated");
    expect(finding.title).toContain(words);
  });
});

test("roles that allow it now leave the refusal open", () => {
  expect(findingIn(permissions, log, `${role(allowed)}${binding()}`).verdict).toBe("inconclusive");
});

test("kubectl's own refusal counts, with its subresource", () => {
  const text =
    'Error from server (Forbidden): pods "web" is forbidden: User "jane" cannot patch resource "pods/ephemeralcontainers" in API group "" in the namespace "shop"\n';
  const finding = findingIn(permissions, text);
  expect(finding.subject).toEqual({ kind: "user", name: "jane" });
  expect(finding.title).toContain("patch pods/ephemeralcontainers in namespace shop");
  expect(finding.nextChecks[0]).toContain("--subresource=ephemeralcontainers");
});

test("Pod Security tells each field that must change", () => {
  const message =
    'Error creating: pods "web-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "web" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "web" must set securityContext.runAsNonRoot=true)';
  const finding = findingIn(
    permissions,
    eventYaml("ReplicaSet/web-5d4f8c7b9", "FailedCreate", message),
  );
  expect(finding.subject).toEqual({ kind: "deployment", name: "shop/web" });
  expect(finding.fixes.map(({ description }) => description)).toEqual([
    'Container "web" must set securityContext.allowPrivilegeEscalation=false.',
    'Pod or container "web" must set securityContext.runAsNonRoot=true.',
  ]);
});

test.each([
  [
    'Error creating: admission webhook "policy.example.com" denied the request: image must be signed',
    "image must be signed",
    "configuration",
  ],
  [
    'Error creating: Internal error occurred: failed calling webhook "inject.example.com": failed to call webhook: Post "https://inject.mesh.svc:443/": no endpoints available for service "inject"',
    "does not answer",
    "dependency",
  ],
])("%s", (message, words, causeKind) => {
  const finding = findingIn(permissions, eventYaml("Job/import", "FailedCreate", message));
  expect(finding).toMatchObject({ verdict: "violated", causeKind });
  expect(finding.title).toContain(words);
});

test("a token that is not mounted is traced to who forbids it", () => {
  const pod = podYaml({
    spec: "automountServiceAccountToken: false, containers: [{ name: main, image: a }]",
    status: "phase: Running, containerStatuses: [{ name: main, state: { running: {} } }]",
  });
  const missing = `{"toolset_name":"kubernetes/logs","tool_name":"fetch_pod_logs","match_params":{"pod_name":"web-5d4f8c7b9-abcde","namespace":"shop"}}\nopen /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory\n`;
  expect(findingIn(permissions, pod, missing).title).toContain(
    "automountServiceAccountToken: false",
  );
  expect(findingsIn(permissions, pod)).toEqual([]);
});

test.each([
  [
    denial,
    {
      user: "system:serviceaccount:shop:reader",
      verb: "list",
      resource: "pods",
      group: "",
      namespace: "shop",
    },
  ],
  [
    'nodes is forbidden: User \\"a\\" cannot list resource \\"nodes\\" in API group \\"\\" at the cluster scope',
    { user: "a", namespace: undefined },
  ],
  ['User "x" is forbidden', undefined],
  [
    'pods is forbidden: User "old" cannot list pods in the namespace "n"',
    { user: "old", resource: "pods", namespace: "n" },
  ],
])("%s is parsed", (text, parts) => {
  if (parts === undefined) expect(denialIn(text)).toBeUndefined();
  else expect(denialIn(text)).toMatchObject(parts);
});

test("a command of kubectl that no role of the account allows is told, and not where roles are missing", () => {
  const agent = (command: string): string =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: agent, namespace: shop }\nspec: { template: { spec: { serviceAccountName: watcher, containers: [{ name: main, command: [sh, -c, "${command}"] }] } } }\n---\n`;
  const role = (verbs: string): string =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: reader, namespace: shop }\nrules: [{ apiGroups: [""], resources: [pods], verbs: [${verbs}] }]\n---\n`;
  const binding = (name: string): string =>
    `apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: reader, namespace: shop }\nroleRef: { kind: Role, name: ${name} }\nsubjects: [{ kind: ServiceAccount, name: watcher, namespace: shop }]\n`;
  const list = agent("while true; do kubectl get pods -n shop; sleep 5; done");
  const finding = findingIn(permissions, list + role("get") + binding("reader"));
  expect(finding.verdict).toBe("inconclusive");
  expect(finding.title).toContain("needs list on pods");
  const one = agent("kubectl get pod web-1");
  expect(findingsIn(permissions, one + role("get") + binding("reader"))).toEqual([]);
  expect(findingsIn(permissions, list + role("get, list") + binding("reader"))).toEqual([]);
  // Of a role that is nowhere nothing is known but that the binding names it.
  expect(findingsIn(permissions, list + role("get") + binding("view"))).toMatchObject([
    { verdict: "inconclusive", subject: { kind: "rolebinding" } },
  ]);
});

describe("bindings", () => {
  const held = (name: string, kind = "Role", namespace = "shop"): string =>
    `---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: { name: ${name}${kind === "Role" ? `, namespace: ${namespace}` : ""}, uid: u-${name} }\nrules: [{ ${allowed} }]\n`;
  const ofCluster = (name: string): string =>
    `---\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata: { name: all-pods }\nroleRef: { kind: ClusterRole, name: ${name} }\nsubjects: [{ kind: ServiceAccount, name: reader, namespace: shop }]\n`;

  test.each([
    [
      "where the roles of all namespaces are",
      held("extension-apiserver-authentication-reader", "Role", "kube-system"),
    ],
    [
      "where a role that nothing binds has nearly its name",
      role(allowed).replace("pod-reader", "pod-raeder"),
    ],
  ])("to a role that does not exist grant nothing, %s", (_, roles) => {
    expect(findingIn(permissions, binding() + roles)).toMatchObject({
      verdict: "violated",
      subject: { kind: "rolebinding", name: "shop/read-pods" },
      title: expect.stringContaining(
        "binds Role pod-reader, which does not exist in namespace shop",
      ),
    });
  });

  test.each([
    ["alone", ""],
    [
      "beside roles of the cluster that may have been picked",
      held("log-reader") + held("deployer"),
    ],
    [
      "beside manifests of other roles",
      role(allowed).replace("pod-reader", "log-reader") +
        role(allowed).replace("pod-reader", "deployer"),
    ],
    [
      "beside listed roles of another namespace",
      held("a", "Role", "other") + held("b", "Role", "other"),
    ],
  ])("to a role that may stand elsewhere leave that open, %s", (_, roles) => {
    expect(findingIn(permissions, binding() + roles)).toMatchObject({
      verdict: "inconclusive",
      missing: ["all roles in namespace shop"],
    });
  });

  test("of the whole cluster are held against the list of its roles", () => {
    const all = held("cluster-admin", "ClusterRole") + held("view", "ClusterRole");
    expect(findingIn(permissions, ofCluster("pod-viewer") + all)).toMatchObject({
      verdict: "violated",
    });
    expect(findingIn(permissions, ofCluster("pod-viewer"))).toMatchObject({
      verdict: "inconclusive",
    });
    expect(findingsIn(permissions, ofCluster("view"))).toEqual([]);
  });

  test("to roles that every cluster has are well", () => {
    const reader = binding({ namespace: "kube-system" }).replace(
      "name: pod-reader }",
      "name: extension-apiserver-authentication-reader }",
    );
    expect(findingsIn(permissions, reader)).toEqual([]);
  });

  test("to a role that exists are well", () => {
    expect(findingsIn(permissions, binding() + role(allowed))).toEqual([]);
  });
});
