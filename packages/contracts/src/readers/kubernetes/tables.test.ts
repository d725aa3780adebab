import { describe, expect, test } from "vitest";

import { readEvidence } from "../read-evidence.ts";
import { kubectlTables } from "./fixtures/tables.ts";
import { readKubernetes } from "./read-kubernetes.ts";

test.each(kubectlTables)("a table of $what", ({ text, objects }) => {
  expect(readKubernetes(text).objects).toMatchObject(objects);
});

test("columns that people chose themselves are not taken for a table of kubectl", () => {
  expect(() => readKubernetes("NAME   OWNER   STATE\nweb    team    fine\n")).toThrow(
    "no Kubernetes object",
  );
});

test("exit code 0 in an old table is what later ones call Completed", () => {
  const table = (status: string): unknown =>
    readKubernetes(
      `NAME   READY   STATUS       RESTARTS   AGE\nweb    0/1     ${status}   0          1m\n`,
    ).objects[0]?.["status"];
  expect(table("ExitCode:0")).toMatchObject({ phase: "Succeeded", shown: { status: "Completed" } });
  expect(table("ExitCode:1")).toMatchObject({ shown: { status: "ExitCode:1" } });
});

describe("what kubectl answers in place of objects", () => {
  test.each([
    ["No resources found in shop namespace.", { meaning: "empty", askedNamespace: "shop" }],
    [
      'Error from server (NotFound): pods "web" not found',
      { meaning: "not-found", askedKind: "Pod", askedName: "web" },
    ],
    [
      'Error from server (Forbidden): pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "shop"',
      { meaning: "forbidden" },
    ],
    ["error: Metrics API not available", { meaning: "unavailable" }],
  ])("%s", (text, parts) => {
    expect(readKubernetes(`${text}\n`).objects).toMatchObject([
      { kind: "KubectlAnswer", ...parts },
    ]);
  });

  test("a rollout that hangs or ends is an event of its workload", () => {
    const text =
      'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...\nerror: deployment "web" exceeded its progress deadline\n';
    expect(readKubernetes(text).objects).toMatchObject([
      { kind: "Event", type: "Normal", involvedObject: { kind: "Deployment", name: "web" } },
      { kind: "Event", type: "Warning", reason: "RolloutStatus" },
    ]);
  });

  test("a failed call is read below stderr, a search without rows is told by its wrapper", () => {
    const failed =
      '{"tool_name":"kubectl_top_pods"}\n{"invocation": "kubectl top pods -A"}\nCommand `kubectl top pods -A` failed with return code 1\nstdout:\n\nstderr:\nerror: Metrics API not available\n';
    expect(readKubernetes(failed).objects).toMatchObject([{ meaning: "unavailable" }]);
    const searched =
      '{"tool_name":"kubectl_find_resource","match_params":{"kind":"pod","keyword":"web"}}\n{"status": "error", "error": "failed with return code 1", "invocation": "kubectl get -A pod | grep web"}\n';
    expect(readKubernetes(searched).objects).toMatchObject([
      { meaning: "empty", askedName: "web", isOfAllNamespaces: true },
    ]);
  });
});

describe("kubectl top", () => {
  const seriesOf = (text: string): unknown => {
    const { evidence } = readEvidence([{ name: "top.txt", bytes: new TextEncoder().encode(text) }]);
    return evidence.map(({ content }) =>
      content.kind === "metrics" ? content.series : content.kind,
    );
  };

  test("usage of pods is in cores and bytes", () => {
    expect(
      seriesOf(
        "NAMESPACE   NAME    CPU(cores)   MEMORY(bytes)\nshop        web-1   250m         64Mi\n",
      ),
    ).toEqual([
      [
        {
          name: "pod.cpu",
          labels: { namespace: "shop", pod: "web-1" },
          unit: "{core}",
          type: "gauge",
          timesMicros: [],
          values: [0.25],
        },
        {
          name: "pod.memory",
          labels: { namespace: "shop", pod: "web-1" },
          unit: "By",
          type: "gauge",
          timesMicros: [],
          values: [67_108_864],
        },
      ],
    ]);
  });

  test("usage of nodes and containers is told apart; what is unknown is left out", () => {
    const nodes =
      "NAME     CPU(cores)   CPU%        MEMORY(bytes)   MEMORY%\nnode-a   1000m        25%         2Gi             50%\nnode-b   <unknown>    <unknown>   <unknown>       <unknown>\n";
    expect(seriesOf(nodes)).toMatchObject([
      [{ name: "node.cpu", values: [1] }, { name: "node.memory" }],
    ]);
    const containers =
      "POD     NAME   CPU(cores)   MEMORY(bytes)\nweb-1   main   1m           1Ki\n";
    expect(seriesOf(containers)).toMatchObject([
      [{ name: "container.cpu", labels: { pod: "web-1", container: "main" } }, { values: [1_024] }],
    ]);
  });
});

test("a tree of kubectl lineage gives its pods and events", () => {
  const text = `{"tool_name":"kubectl_lineage_children"}
{"invocation": "kubectl lineage job import -n shop"}
NAME                                    READY   STATUS                                  AGE
Job/import                              -                                               28d
├── Event/import.18                     -       BackoffLimitExceeded: Job has failed    1d
└── Pod/import-abcde                    0/1     Error                                   28d
    └── Event/import-abcde.17           -       Started: Started container main         1d
`;
  expect(readKubernetes(text).objects).toMatchObject([
    { kind: "Event", involvedObject: { kind: "Job", name: "import" }, type: "Warning" },
    {
      kind: "Pod",
      metadata: { namespace: "shop", name: "import-abcde" },
      status: { shown: { status: "Error" } },
    },
    { kind: "Event", involvedObject: { kind: "Pod", name: "import-abcde" }, type: "Normal" },
  ]);
});
