import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import { endpointsReady } from "./endpoints-ready.ts";
import { checkTexts, findingOf, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { livePod, service } from "./fixtures/manifests.ts";

function slice(endpoints: string, ports = "{ name: '', port: 8080 }"): string {
  return `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: web-abc, namespace: shop, labels: { kubernetes.io/service-name: web } }
endpoints: [${endpoints}]
ports: [${ports}]`;
}

const web = service("web", "app: web", "ports: [{ port: 80, targetPort: 8080 }]");
const ready = "{ addresses: [10.0.0.5], targetRef: { kind: Pod, name: web-1 } }";

function judge(...texts: readonly string[]) {
  return findingOf(checkTexts(endpointsReady, ...texts), "shop/web");
}

describe("addresses", () => {
  test("hold when one is ready, and an unknown condition means ready", () => {
    expect(judge(web, slice(ready), livePod("web-1", "app: web"))).toMatchObject({
      verdict: "holds",
      measures: { readyAddressCount: 1 },
    });
  });

  test("are violated when there is none, with the ready pods that should be among them", () => {
    const finding = judge(web, slice(""), livePod("web-1", "app: web"));
    expect(finding.verdict).toBe("violated");
    expect(finding.title).toContain("although 1 ready pod");
  });

  test("that only hold the lock of an elected leader tell nothing", () => {
    const lock = `apiVersion: v1
kind: Endpoints
metadata: { name: web, namespace: shop, annotations: { control-plane.alpha.kubernetes.io/leader: "{}" } }`;
    expect(checkTexts(endpointsReady, web, lock)).toEqual([]);
    expect(judge(web, lock.replace("control-plane", "other")).verdict).toBe("violated");
  });

  test("are violated when none is ready, with the reason of the pod", () => {
    const down = "{ addresses: [10.0.0.5], conditions: { ready: false } }";
    const finding = judge(web, slice(down), livePod("web-1", "app: web", "False"));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "dependency" });
    expect(finding.title).toContain("Ready condition");
  });

  test("are violated when all belong to pods that are gone, and inconclusive when some do", () => {
    const gone = "{ addresses: [10.9.9.9], targetRef: { kind: Pod, name: web-0 } }";
    expect(judge(web, slice(gone), livePod("web-1", "app: web")).verdict).toBe("violated");
    expect(judge(web, slice(`${gone}, ${ready}`), livePod("web-1", "app: web")).verdict).toBe(
      "inconclusive",
    );
  });

  test("are read from Endpoints, and from the text that prints them", () => {
    const endpoints = `apiVersion: v1\nkind: Endpoints\nmetadata: { name: web, namespace: shop }\nsubsets: [{ notReadyAddresses: [{ ip: 10.0.0.5 }], ports: [{ port: 8080 }] }]`;
    expect(judge(web, endpoints).verdict).toBe("violated");
    const table = `NAMESPACE   NAME   ENDPOINTS   AGE\nshop        web    <none>      5m\n`;
    expect(judge(web, table).verdict).toBe("violated");
    const full = `NAMESPACE   NAME   ENDPOINTS         AGE\nshop        web    10.0.0.5:8080     5m\n`;
    expect(judge(web, full).verdict).toBe("holds");
  });
});

test("a port of the service that no endpoint has is violated", () => {
  const finding = judge(
    web,
    slice(ready, "{ name: '', port: 9090 }"),
    livePod("web-1", "app: web"),
  );
  expect(finding.verdict).toBe("violated");
  expect(finding.title).toContain("Port 80/TCP");
});

test("traffic that stays on its node is inconclusive where nodes have no pod", () => {
  const local = web.replace("ports:", "internalTrafficPolicy: Local, ports:");
  const node = (name: string): string => `apiVersion: v1\nkind: Node\nmetadata: { name: ${name} }`;
  const on = ready.replace("targetRef", "nodeName: one, targetRef");
  const pod = livePod("web-1", "app: web");
  expect(judge(local, slice(on), pod, node("one")).verdict).toBe("holds");
  expect(judge(local, slice(on), pod, node("one"), node("two")).title).toContain("two");
});

test("without endpoints in the evidence nothing is said", () => {
  expect(checkTexts(endpointsReady, web, livePod("web-1", "app: web"))).toEqual([]);
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(web, slice(""), livePod("podone", "app: web"));
  expectSameFindings(endpointsReady, objects, ["podone"]);
});
