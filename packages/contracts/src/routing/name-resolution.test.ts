import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { EvidenceContent } from "../model/evidence.ts";
import type { Finding } from "../model/finding.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { request, spansOf } from "../traces/trace-builder.ts";
import { checkTexts, findingOf, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { deployment, service } from "./fixtures/manifests.ts";
import { lookupIn } from "./lookup-message.ts";
import { namesInCommand, namesInText, namesInVariable } from "./name-in-text.ts";
import { nameResolution } from "./name-resolution.ts";

const client = "shop/Deployment/web";

function withEnv(name: string, value: string): string {
  return deployment(
    "web",
    "app: web",
    `containers: [{ name: main, image: "web:1", env: [{ name: ${name}, value: "${value}" }] }]`,
  );
}

function judge(value: string, ...texts: readonly string[]): Finding {
  return findingOf(checkTexts(nameResolution, withEnv("API_URL", value), ...texts), client);
}

const api = service("api", "app: api", "ports: [{ name: http, port: 80, targetPort: 8080 }]");

describe("a name in the settings of a workload", () => {
  test("holds when it is a service with that port, in any of its forms", () => {
    for (const host of ["api", "api.shop", "api.shop.svc", "api.shop.svc.cluster.local"]) {
      expect(judge(`http://${host}:80/x`, api).verdict, host).toBe("holds");
    }
  });

  test("is violated when the service has another port, and proposes the right one", () => {
    const finding = judge("http://api:8080", api);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding.title).toContain("8080 is the targetPort behind its port 80");
    expect(finding.fixes[0]).toMatchObject({ verified: true });
    expect(finding.fixes[0]?.description).toContain("from api:8080 to api:80");
  });

  test("may name a port that another manifest of the service has", () => {
    const variant = service("api", "app: api", "ports: [{ name: http, port: 8080 }]");
    expect(judge("http://api:80", variant).verdict).toBe("violated");
    expect(judge("http://api:80", variant, api).verdict).toBe("holds");
    expect(judge("http://api:8080", variant, api).verdict).toBe("holds");
    const [before, now] = [api, variant].map((text, at) =>
      text.replace("namespace: shop", `namespace: shop, uid: u-1, resourceVersion: "${at + 1}"`),
    );
    expect(judge("http://api:80", before ?? "", now ?? "").verdict).toBe("violated");
  });

  test("may name any port of a headless service and of one that stands for a host outside", () => {
    const headless = api.replace("ports:", "clusterIP: None, ports:");
    expect(judge("http://api:9999", headless).verdict).toBe("holds");
  });

  test("is violated when the service lies in another namespace", () => {
    const other = api.replace("namespace: shop", "namespace: store");
    const finding = judge("http://api:80", other);
    expect(finding.verdict).toBe("violated");
    expect(finding.fixes[0]?.description).toContain("from api to api.store");
    expect(judge("http://api.shop.svc.cluster.local", other).fixes[0]?.description).toContain(
      "to api.store.svc.cluster.local",
    );
  });

  test("is violated when a service is called almost like it", () => {
    expect(judge("http://api-service:80", api).fixes[0]?.description).toContain("to api.");
  });

  test("is violated for a domain that is a slip of the cluster's, and left alone for another", () => {
    expect(judge("http://api.shop.svc.cluster.locl", api).verdict).toBe("violated");
    expect(judge("http://api.shop.svc.corp.example", api).verdict).toBe("holds");
    const own = nameResolution.with({ clusterDomain: "k8s.example" });
    const texts = [withEnv("API_URL", "http://api.shop.svc.k8s.exmple"), api];
    expect(findingOf(checkTexts(own, ...texts), client).verdict).toBe("violated");
  });

  test("is violated when no service of a cluster has it, and inconclusive among manifests, which others may join", () => {
    expect(judge("http://payments:80", api).verdict).toBe("inconclusive");
    const own = service("web", "app: web");
    expect(judge("http://payments:80", own).verdict).toBe("inconclusive");
    expect(judge("http://web-payments:80", own).verdict).toBe("inconclusive");
    const live = own.replace("namespace: shop", "namespace: shop, uid: u1");
    expect(judge("http://payments:80", live).verdict).toBe("violated");
  });

  test("is inconclusive when the services of the namespace are not in the evidence", () => {
    expect(judge("http://api:80").verdict).toBe("inconclusive");
  });

  test("is inconclusive in a bare variable, which may mean another host", () => {
    const texts = [withEnv("CACHE_HOST", "quux"), api];
    expect(findingOf(checkTexts(nameResolution, ...texts), client).verdict).toBe("inconclusive");
  });

  test("says nothing of hosts outside, of the pod itself and of aliases", () => {
    for (const host of ["api.example.com", "localhost", "10.1.1.1", "web", "$(API_HOST)"]) {
      expect(checkTexts(nameResolution, withEnv("API_URL", `http://${host}:80`), api)).toEqual([]);
    }
  });

  test("is read from the key of a config map that the pod takes, not from its other keys", () => {
    const map = `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: conf, namespace: shop }\ndata: { one: "api:81", two: "api:80" }`;
    const taking = (key: string): string =>
      deployment(
        "web",
        "app: web",
        `containers: [{ name: main, env: [{ name: API, valueFrom: { configMapKeyRef: { name: conf, key: ${key} } } }] }]`,
      );
    const verdict = (key: string): string =>
      findingOf(checkTexts(nameResolution, taking(key), map, api), client).verdict;
    expect(verdict("one")).toBe("violated");
    expect(verdict("two")).toBe("holds");
    const mounting = (key: string): string =>
      deployment(
        "web",
        "app: web",
        `containers: [{ name: main }], volumes: [{ name: v, configMap: { name: conf, items: [{ key: ${key}, path: f }] } }]`,
      );
    const mounted = (key: string): string =>
      findingOf(checkTexts(nameResolution, mounting(key), map, api), client).verdict;
    expect(mounted("one")).toBe("violated");
    expect(mounted("two")).toBe("holds");
  });

  test("is violated when the pod asks the resolver of its node", () => {
    const onHost = withEnv("API_URL", "http://api:80").replace(
      "containers:",
      "hostNetwork: true, containers:",
    );
    const finding = findingOf(checkTexts(nameResolution, onHost, api), client);
    expect(finding.fixes[0]?.description).toContain("from ClusterFirst to ClusterFirstWithHostNet");
  });
});

describe("names in texts", () => {
  test.each([
    ["mongodb://u:p@mongo:27017/db", "mongo:27017"],
    ["amqp://guest:guest@rabbit/", "rabbit:5672"],
    ["jdbc:postgresql://pg.data:5432/x", "pg.data:5432"],
    ["see https://api.shop.svc.cluster.local:8443/v1", "api.shop.svc.cluster.local:8443"],
  ])("%s names %s", (text, name) => {
    const [found] = namesInText(text);
    expect(`${found?.host ?? ""}:${found?.port ?? found?.usualPort ?? ""}`).toBe(name);
  });

  test.each(["*.svc.cluster.local", ".svc,.cluster.local", "s3://bucket/x", "file:///x", "a: b"])(
    "%s names nothing",
    (text) => {
      expect(namesInText(text)).toEqual([]);
    },
  );

  test.each([
    ["DB_HOST", "postgres", ["postgres"]],
    ["REDIS", "redis:6379", ["redis"]],
    ["KAFKA_BROKERS", "k-0:9092,k-1:9092", ["k-0", "k-1"]],
    ["APP_NAME", "shop", []],
    ["IMAGE", "nginx:1234", []],
    ["LISTEN_ADDRESS", "web:80", []],
  ])("the variable %s=%s names %j", (name, value, hosts) => {
    expect(namesInVariable(name, value).map(({ host }) => host)).toEqual(hosts);
  });

  test.each([
    ["until nslookup mydb; do sleep 2; done", ["mydb"]],
    ["until nc -z postgres 5432; do sleep 1; done", ["postgres"]],
    ["wget -O- http://api:80 -T 5", ["api"]],
    ["serve --redis-host=cache --port 80", ["cache"]],
    ["pg_isready -U app -h database", ["database"]],
    ["echo curl is a program", []],
  ])("the command %s names %j", (command, hosts) => {
    const named = namesInCommand(["sh", "-c", command]).map(({ host }) => host);
    expect(named.filter((host) => host !== "is")).toEqual(hosts);
  });
});

describe("a lookup that failed", () => {
  test.each([
    ["dial tcp: lookup db on 10.96.0.10:53: no such host", "db", "unknown"],
    [
      "lookup db.shop.svc.cluster.local on 10.96.0.10:53: read udp 10.0.0.1:5->10.96.0.10:53: i/o timeout",
      "db.shop.svc.cluster.local",
      "unanswered",
    ],
    ["curl: (6) Could not resolve host: api.example.com", "api.example.com", "unknown"],
    ["Error: getaddrinfo ENOTFOUND redis", "redis", "unknown"],
    ["Error: getaddrinfo EAI_AGAIN redis redis:6379", "redis", "unanswered"],
    ["java.net.UnknownHostException: orders: Name or service not known", "orders", "unknown"],
    ['could not translate host name "pg" to address: Name or service not known', "pg", "unknown"],
    ["wget: bad address 'api:80'", "api", "unknown"],
    ["** server can't find api.shop: NXDOMAIN", "api.shop", "unknown"],
    [
      'nginx: [emerg] host not found in upstream "app" in /etc/nginx/conf.d/default.conf:3',
      "app",
      "unknown",
    ],
    [
      "NameResolutionError(\"<urllib3>: Failed to resolve 'api' ([Errno -2] Name or service not known)\")",
      "api",
      "unknown",
    ],
    ["socket.gaierror: [Errno -3] Temporary failure in name resolution", "", "unanswered"],
    [";; connection timed out; no servers could be reached", "", "unanswered"],
  ])("%s", (text, host, outcome) => {
    expect(lookupIn(text)).toEqual({ host, outcome });
  });

  test.each([
    "resolved the issue",
    "the promise was resolved",
    "lookup table built",
    "no such file",
  ])("%s is none", (text) => {
    expect(lookupIn(text)).toBeUndefined();
  });

  const log = (text: string): EvidenceContent => ({
    kind: "logs",
    about: { namespace: "shop", pod: "web-1", isPrevious: false },
    lines: [{ text: "started" }, { text }, { text }],
  });
  const judgeLog = (text: string, ...texts: readonly string[]): Finding | undefined => {
    const source = { name: "x", format: "x", notes: [] };
    const objects: EvidenceContent = { kind: "kubernetes", objects: objectsOfTexts(...texts) };
    return nameResolution
      .check(
        createSnapshot([
          { source, content: log(text) },
          { source, content: objects },
        ]),
      )
      .find(({ subject }) => subject.kind === "host");
  };

  test("is counted, quoted and explained by a service elsewhere", () => {
    const other = api.replace("namespace: shop", "namespace: store");
    const finding = judgeLog("lookup api on 10.96.0.10:53: no such host", other);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "api" },
      measures: { failedLookupCount: 2 },
    });
    expect(finding?.title).toContain("namespace store");
    expect(finding?.evidence[0]?.locator).toBe("/lines/1");
  });

  test("is explained by a service that is called almost like it, or that exists after all", () => {
    expect(judgeLog("bad address 'apii'", api)?.fixes[0]?.description).toContain("Call api");
    expect(judgeLog("bad address 'api'", api)?.title).toContain("Service shop/api exists");
  });

  test("is found in spans, with the address that they called", () => {
    const span = request("GET /x", [{ name: "GET", kind: "client" }]);
    const spans = spansOf(span).map((item) => ({
      ...item,
      status: { code: "error" as const, message: "getaddrinfo ENOTFOUND orders" },
    }));
    const traceId = spans[0]?.traceId ?? "";
    const [finding] = nameResolution.check(
      createSnapshot([
        {
          source: { name: "x", format: "x", notes: [] },
          content: { kind: "trace", traceId, spans },
        },
      ]),
    );
    expect(finding).toMatchObject({ verdict: "violated", subject: { name: "orders" } });
  });

  test("is read from curl's exit code", () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: job, namespace: shop }\nspec: { containers: [{ name: c, image: "curlimages/curl", command: [curl, "http://nowhere.example/x"] }] }\nstatus: { phase: Failed, containerStatuses: [{ name: c, state: { terminated: { exitCode: 6, reason: Error } } }] }`;
    expect(checkTexts(nameResolution, pod)[0]?.subject).toEqual({
      kind: "host",
      name: "nowhere.example",
    });
  });
});

describe("the DNS of the cluster", () => {
  const dns = (ready: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: { name: coredns-1, namespace: kube-system, labels: { k8s-app: kube-dns } }\nspec: {}\nstatus: { phase: Running, conditions: [{ type: Ready, status: "${ready}" }] }`;

  test("is violated when none of its pods is ready", () => {
    expect(checkTexts(nameResolution, dns("True"))[0]?.verdict).toBe("holds");
    expect(checkTexts(nameResolution, dns("False"))[0]).toMatchObject({
      verdict: "violated",
      subject: { name: "kube-system/dns" },
    });
  });
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    withEnv("API_URL", "http://api:8080"),
    api,
    deployment("alpha", "app: alpha", "containers: [{ name: m, args: ['--db-host=postgrez'] }]"),
    service("postgres", "app: pg", "ports: [{ port: 5432 }]"),
  );
  expectSameFindings(nameResolution, objects, ["alpha"]);
});
