import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, test } from "vitest";

import type { Finding } from "../model/finding.ts";
import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import { checkTexts, findingOf, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { deployment, livePod, service } from "./fixtures/manifests.ts";
import { serviceSelectsPods } from "./service-selects-pods.ts";

const shared = fileURLToPath(
  new URL("../../../../../shared/data/kubernetes-pairs/", import.meta.url),
);

function judge(name: string, ...texts: readonly string[]) {
  return findingOf(checkTexts(serviceSelectsPods, ...texts), `shop/${name}`);
}

describe("a selector that fits", () => {
  test("holds for a ready pod and names it", () => {
    const finding = judge("web", service("web", "app: web"), livePod("web-1", "app: web, x: y"));
    expect(finding).toMatchObject({ verdict: "holds", measures: { readyPodCount: 1 } });
    expect(finding.title).toContain("shop/web-1 ready");
  });

  test("holds for the template of a manifest", () => {
    const finding = judge("web", service("web", "app: web"), deployment("web", "app: web"));
    expect(finding.verdict).toBe("holds");
  });

  test("holds for a label that the StatefulSet controller adds, and only for pods that there will be", () => {
    const set = deployment("db", "app: db").replace("Deployment", "StatefulSet");
    const own = (pod: string): string =>
      judge("own", service("own", `app: db, statefulset.kubernetes.io/pod-name: ${pod}`), set)
        .verdict;
    expect(own("db-0")).toBe("holds");
    expect(own("other-0")).toBe("violated");
  });

  test("is violated when no pod is ready, and tells why", () => {
    const waiting = `, containerStatuses: [{ name: main, ready: false, state: { waiting: { reason: CrashLoopBackOff } } }]`;
    const finding = judge(
      "web",
      service("web", "app: web"),
      livePod("web-1", "app: web", "False", waiting),
    );
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "dependency" });
    expect(finding.title).toContain("container main waits: CrashLoopBackOff");
  });

  test("holds for pods that are not ready when the service publishes them", () => {
    const finding = judge(
      "web",
      service("web", "app: web", "publishNotReadyAddresses: true, ports: [{ port: 80 }]"),
      livePod("web-1", "app: web", "False"),
    );
    expect(finding.verdict).toBe("holds");
  });

  test("is inconclusive for a workload that is scaled to nothing", () => {
    const off = deployment("web", "app: web").replace("replicas: 2", "replicas: 0");
    expect(judge("web", service("web", "app: web"), off).verdict).toBe("inconclusive");
  });

  test("is inconclusive when it fits two different programs, and holds for two releases of one", () => {
    const both = (image: string): string =>
      judge(
        "web",
        service("web", "app: shop"),
        deployment("web", "app: shop, part: a", 'containers: [{ name: a, image: "r/web:1" }]'),
        deployment("other", "app: shop, part: b", `containers: [{ name: a, image: "${image}" }]`),
      ).verdict;
    expect(both("r/database:9")).toBe("inconclusive");
    expect(both("r/web:2")).toBe("holds");
  });
});

describe("a selector that fits nothing", () => {
  test("names the pair that differs and the change that repairs it", () => {
    const finding = judge(
      "api",
      service("api", "app: api, version: v2"),
      deployment("api", "app: api, version: v1"),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
      measures: { missedKey: "version", wantedValue: "v2", actualValue: "v1", missedPairCount: 1 },
    });
    expect(finding.fixes[0]).toMatchObject({ verified: true });
    expect(finding.fixes[0]?.description).toContain("version from v2 to v1");
  });

  test("sees a slip of case, also where not all pods may be in the evidence", () => {
    const finding = judge("web", service("web", "app: Web"), livePod("web-1", "app: web"));
    expect(finding.fixes[0]?.description).toContain("app from Web to web");
  });

  test("sees the right value under another key", () => {
    const finding = judge(
      "web",
      service("web", "app: web"),
      deployment("web", "app.kubernetes.io/name: web"),
    );
    expect(finding.title).toContain("web stands under app.kubernetes.io/name, not app");
    expect(finding.fixes[0]).toMatchObject({ verified: true });
  });

  test("finds the pods in another namespace", () => {
    const elsewhere = deployment("web", "app: web").replace("namespace: shop", "namespace: store");
    const finding = judge("web", service("web", "app: web"), elsewhere);
    expect(finding).toMatchObject({ verdict: "violated", measures: { otherNamespace: "store" } });
    expect(finding.fixes[0]?.description).toContain("from shop to store");
  });

  test("is inconclusive when a manifest leaves open where it will be applied", () => {
    const elsewhere = deployment("web", "app: web").replace("namespace: shop", "namespace: store");
    const open = service("web", "app: web").replace(", namespace: shop", "");
    expect(findingOf(checkTexts(serviceSelectsPods, open, elsewhere), "web").verdict).toBe(
      "inconclusive",
    );
  });

  test("is inconclusive without any pod: that none is in the evidence says nothing", () => {
    const finding = judge("web", service("web", "app: web"));
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing[0]).toContain("namespace shop");
  });

  test("is inconclusive when most services select nothing, for then pods were left out", () => {
    const services = ["one", "two", "three"].map((name) => service(name, `app: ${name}-x-${name}`));
    const finding = judge("one", ...services, livePod("web-1", "zone: q"));
    expect(finding.verdict).toBe("inconclusive");
  });

  test("is inconclusive when an operator may make the pods", () => {
    const custom = `apiVersion: kafka.example.com/v1\nkind: Broker\nmetadata: { name: b, namespace: shop }`;
    const finding = judge(
      "broker",
      service("broker", "kind: broker"),
      deployment("web", "app: web"),
      custom,
    );
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing[0]).toContain("Broker/b");
  });

  test("is inconclusive in manifests where the nearest workload has a service, or only resembles what is wanted", () => {
    const adapter = [service("adapter", "app: adapter"), deployment("adapter", "app: adapter")];
    const exporter = service("exporter", "app: exporter");
    const finding = judge("exporter", exporter, ...adapter);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing[0]).toContain("than these manifests make");
    const tablet = deployment("tablet", "app: db, component: tablet");
    const gate = service("gate", "app: db, component: gate");
    const worker = deployment("worker", "app: worker");
    expect(judge("gate", gate, tablet, worker, ...adapter).verdict).toBe("inconclusive");
    expect(judge("exporter", exporter, ...adapter, livePod("web-1", "app: web")).verdict).toBe(
      "violated",
    );
  });

  test("is violated in manifests where one service without pods stands beside one workload without a service", () => {
    const pair = [service("entry", "app: nothing-here"), deployment("web", "app: web")];
    expect(judge("entry", ...pair).verdict).toBe("violated");
    const third = deployment("worker", "app: worker");
    expect(judge("entry", ...pair, third).verdict).toBe("inconclusive");
  });

  test("is inconclusive for a role that is given to pods while they run", () => {
    const database = deployment("db", "app: db").replace("Deployment", "StatefulSet");
    const finding = judge("db", service("db", "app: db, role: master"), database);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing[0]).toContain("role is often set while they run");
  });

  test("is violated when the endpoints are recorded as empty", () => {
    const empty = `apiVersion: v1\nkind: Endpoints\nmetadata: { name: web, namespace: shop }`;
    expect(judge("web", service("web", "app: web"), empty).verdict).toBe("violated");
  });

  test("is held against a table of pods that prints labels and readiness", () => {
    const table = (ready: string, status: string): string =>
      `NAMESPACE   NAME    READY   STATUS             RESTARTS   AGE   LABELS\nshop        web-1   ${ready}     ${status.padEnd(16)}   0          5m    app=web\n`;
    const web = service("web", "app: web");
    expect(judge("web", web, table("1/1", "Running")).verdict).toBe("holds");
    const down = judge("web", web, table("0/1", "CrashLoopBackOff"));
    expect(down).toMatchObject({ verdict: "violated", causeKind: "dependency" });
    expect(down.title).toContain("CrashLoopBackOff");
  });

  test("is inconclusive for a table that prints no labels", () => {
    const table = `NAME    READY   STATUS    RESTARTS   AGE\nweb-1   1/1     Running   0          5m\n`;
    const open = service("web", "app: web").replace(", namespace: shop", "");
    const finding = findingOf(checkTexts(serviceSelectsPods, open, table), "web");
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing[0]).toContain("labels");
  });
});

describe("services without pods of their own", () => {
  test("an ExternalName must be a DNS name", () => {
    const external = (name: string): string =>
      judge("db", service("db", "", `type: ExternalName, externalName: "${name}"`)).verdict;
    expect(external("db.example.com")).toBe("holds");
    expect(external("10.1.2.3")).toBe("violated");
    expect(external("https://db.example.com/x")).toBe("violated");
    expect(external("db.example.com:5432")).toBe("violated");
    expect(external("DB.example.com")).toBe("violated");
  });

  test("one without a selector needs endpoints", () => {
    const slice = (addresses: string): string =>
      `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: { name: db-1, namespace: shop, labels: { kubernetes.io/service-name: db } }\nendpoints: [${addresses}]`;
    expect(judge("db", service("db", "")).verdict).toBe("inconclusive");
    expect(judge("db", service("db", ""), slice("{ addresses: [10.1.1.1] }")).verdict).toBe(
      "holds",
    );
    expect(judge("db", service("db", ""), slice("")).verdict).toBe("violated");
  });

  test("the service of the API server and kinds of other groups are nobody's business", () => {
    const api = `apiVersion: v1\nkind: Service\nmetadata: { name: kubernetes, namespace: default }\nspec: { ports: [{ port: 443 }] }`;
    const knative = `apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: { name: fn }\nspec: {}`;
    expect(checkTexts(serviceSelectsPods, api, knative)).toEqual([]);
  });

  test("the own service of a StatefulSet must exist", () => {
    const set = deployment("db", "app: db", "", ", serviceName: dbb").replace(
      "Deployment",
      "StatefulSet",
    );
    const headless = service("db", "app: db", "clusterIP: None, ports: [{ port: 5432 }]");
    const own = (name: string): Finding =>
      judge("db", set, headless.replace("name: db,", `name: ${name},`));
    expect(own("dbb-svc")).toMatchObject({
      verdict: "violated",
      subject: { kind: "statefulset" },
    });
    // Popular charts name one that they never make: nobody calls the pods of such a set by name.
    expect(own("metrics").verdict).toBe("inconclusive");
  });
});

describe.skipIf(!existsSync(shared))("shared data (skipped where ../shared/data is absent)", () => {
  const read = (file: string): string => readFileSync(`${shared}${file}`, "utf8");

  test.each([
    ["issue", "violated"],
    ["fix", "holds"],
  ])("loadbalancer-service-misconfig %s is %s", (file, verdict) => {
    const [finding] = checkTexts(
      serviceSelectsPods,
      read("cluster.yaml"),
      read(`loadbalancer-service-misconfig/${file}.yaml`),
    );
    expect(finding?.verdict).toBe(verdict);
    if (verdict === "violated") {
      expect(finding?.fixes[0]?.description).toContain("app from non-existent-app to my-app");
    }
  });
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    service("alpha", "app: alphax, tier: front"),
    service("beta", "app: beta"),
    service("gamma", "app: gammaw"),
    deployment("alpha", "app: alphay, tier: front"),
    livePod("betapod", "app: beta"),
    deployment("gamma", "app: gammav"),
  );
  expectSameFindings(serviceSelectsPods, objects, ["alpha", "betapod"]);
});

describe("evidence that lacks what it speaks of", () => {
  test("a table of one namespace does not tell that its objects lie in another than a manifest's", () => {
    const table = [
      "NAME                  TYPE        CLUSTER-IP      EXTERNAL-IP   PORT(S)   AGE   SELECTOR",
      "service/web           ClusterIP   10.96.153.183   <none>        80/TCP    51m   app=web",
      "",
    ].join("\n");
    const findings = checkTexts(
      serviceSelectsPods,
      table,
      service("web", "app: web"),
      deployment("web", "app: web"),
    );
    expect(findingOf(findings, "shop/web").verdict).toBe("holds");
    expect(findingOf(findings, "default/web").verdict).toBe("inconclusive");
    const stated = service("web", "app: web").replace("namespace: shop", "namespace: other");
    const apart = checkTexts(serviceSelectsPods, stated, deployment("web", "app: web"));
    expect(findingOf(apart, "other/web").verdict).toBe("violated");
  });

  test("ready addresses of a live service say that its pods are not in the evidence", () => {
    const live = service("web", "app: web").replace("shop }", "shop, uid: u-web }");
    const other = livePod("db-1", "app: db");
    const endpoints = (addresses: string): string => `apiVersion: v1
kind: Endpoints
metadata: { name: web, namespace: shop }
subsets: [{ addresses: [${addresses}], ports: [{ port: 80 }] }]`;
    const finding = judge("web", live, other, endpoints("{ ip: 10.0.0.9 }"));
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing).toEqual(["the pods behind the recorded endpoints of the service"]);
    expect(judge("web", live, other, endpoints("")).verdict).toBe("violated");
  });
});
