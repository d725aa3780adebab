import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import { checkTexts, findingOf, objectsOfTexts } from "./fixtures/check-yaml.ts";
import { deployment, service } from "./fixtures/manifests.ts";
import { servicePorts } from "./service-ports.ts";

function judge(ports: string, containers: string, more = "") {
  return findingOf(
    checkTexts(
      servicePorts,
      service("web", "app: web", `${more}ports: [${ports}]`),
      deployment("web", "app: web", `containers: [${containers}]`),
    ),
    "shop/web",
  );
}

const http = "{ name: main, ports: [{ name: http, containerPort: 8080 }] }";

describe("a targetPort by name", () => {
  test("holds when a container port has it", () => {
    expect(judge("{ port: 80, targetPort: http }", http).verdict).toBe("holds");
  });

  test("is violated when none has it, and proposes the nearest", () => {
    const finding = judge("{ port: 80, targetPort: htp }", http);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding.title).toContain("targetPort htp names no container port");
    expect(finding.fixes[0]).toMatchObject({ verified: true });
    expect(finding.fixes[0]?.description).toContain("from htp to http");
  });

  test("is looked up with its protocol", () => {
    const finding = judge("{ port: 80, targetPort: http, protocol: UDP }", http);
    expect(finding.verdict).toBe("violated");
    expect(finding.fixes[0]?.description).toContain("from UDP to TCP");
  });
});

describe("a targetPort by number", () => {
  test("is not known from an argument that tells of another port of the service", () => {
    const told = `{ name: main, args: ["--port=8080"], ports: [{ containerPort: 8080 }] }`;
    expect(judge("{ port: 80, targetPort: 9000 }", told).verdict).toBe("violated");
    const both = "{ name: a, port: 80, targetPort: 8080 }, { name: b, port: 81, targetPort: 9000 }";
    expect(judge(both, told).verdict).toBe("inconclusive");
  });

  test("holds when it is declared, and when nothing is declared", () => {
    expect(judge("{ port: 80, targetPort: 8080 }", http).verdict).toBe("holds");
    const silent = judge("{ port: 80, targetPort: 9000 }", "{ name: main }");
    expect(silent.verdict).toBe("holds");
    expect(silent.actual).toContain("declare no ports");
  });

  test("is inconclusive when other ports are declared: an undeclared one may work", () => {
    const finding = judge("{ port: 80, targetPort: 9000 }", http);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.fixes[0]?.description).toContain("from 9000 to 8080");
  });

  test("is violated when the process says that it listens on what is declared", () => {
    const listening =
      "{ name: main, ports: [{ containerPort: 3000 }], env: [{ name: PORT, value: '3000' }] }";
    const finding = judge("{ port: 80, targetPort: 8080 }", listening);
    expect(finding.verdict).toBe("violated");
    expect(finding.title).toContain("env PORT=3000");
    expect(finding.fixes[0]?.description).toContain("from 8080 to 3000");
    const also = listening.replace("env:", 'args: ["--grpc", "8080"], env:');
    expect(judge("{ port: 80, targetPort: 8080 }", also).verdict).toBe("inconclusive");
  });

  test("is violated when the container declares it for another protocol alone", () => {
    const udp = "{ name: main, ports: [{ containerPort: 53, protocol: UDP }] }";
    expect(judge("{ port: 53 }", udp).verdict).toBe("violated");
    const both = "{ name: a, port: 53 }, { name: b, port: 53, protocol: UDP }";
    expect(judge(both, udp).verdict).toBe("holds");
  });

  test("is violated when a probe of it was refused", () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: web-1, namespace: shop, labels: { app: web } }\nspec: { containers: [{ name: main }] }\nstatus: { phase: Running }`;
    const event = `apiVersion: v1\nkind: Event\nmetadata: { name: e, namespace: shop }\ninvolvedObject: { kind: Pod, name: web-1, namespace: shop }\nreason: Unhealthy\nmessage: 'Readiness probe failed: Get "http://10.0.0.1:8080/": dial tcp 10.0.0.1:8080: connect: connection refused'`;
    const text = service("web", "app: web", "ports: [{ port: 80, targetPort: 8080 }]");
    expect(findingOf(checkTexts(servicePorts, text, pod, event), "shop/web").verdict).toBe(
      "violated",
    );
  });

  test("is not translated by a headless service", () => {
    expect(judge("{ port: 80, targetPort: 9000 }", http, "clusterIP: None, ").verdict).toBe(
      "holds",
    );
  });
});

describe("the list of ports", () => {
  test.each([
    ["names are needed where there are several", "{ port: 80 }, { port: 81, name: b }"],
    ["a name stands for one port", "{ port: 80, name: a }, { port: 81, name: a }"],
    ["a port stands once", "{ port: 80, name: a }, { port: 80, name: b }"],
    ["a name has small letters", "{ port: 80, name: HTTP }"],
    ["a port is at most 65535", "{ port: 70000 }"],
    ["the protocol is one of three", "{ port: 80, protocol: HTTP }"],
    ["a node port needs a type that has them", "{ port: 80, nodePort: 30080 }"],
  ])("%s", (_name, ports) => {
    expect(judge(ports, "{ name: main }").verdict).toBe("violated");
  });

  test("a node port lies in the range and belongs to one service", () => {
    const one = service("web", "app: web", "type: NodePort, ports: [{ port: 80, nodePort: 8080 }]");
    expect(findingOf(checkTexts(servicePorts, one), "shop/web").verdict).toBe("violated");
    const range = servicePorts.with({ nodePortMin: 8_000 });
    expect(checkTexts(range, one)).toEqual([]);
    const other = one.replace("name: web", "name: api");
    expect(findingOf(checkTexts(range, one, other), "shop/api").title).toContain("shop/web");
  });
});

test("two containers of a pod that declare one port are told, unless they are ready", () => {
  const text = deployment(
    "web",
    "app: web",
    "containers: [{ name: a, ports: [{ containerPort: 80 }] }, { name: b, ports: [{ containerPort: 80 }] }]",
  );
  const finding = findingOf(checkTexts(servicePorts, text), "shop/web");
  expect(finding).toMatchObject({ verdict: "violated", subject: { kind: "deployment" } });
  const live = text.replace(/$/, "\nstatus: { replicas: 2, readyReplicas: 2 }");
  expect(checkTexts(servicePorts, live)).toEqual([]);
});

test("the name of a container port has a form", () => {
  const text = deployment(
    "web",
    "app: web",
    "containers: [{ name: a, ports: [{ containerPort: 80, name: much-too-long-a-name }] }]",
  );
  expect(findingOf(checkTexts(servicePorts, text), "shop/web").verdict).toBe("violated");
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    service("alpha", "app: alpha", "ports: [{ port: 80, targetPort: htp }]"),
    deployment("alpha", "app: alpha", `containers: [${http}]`),
    service("beta", "app: beta", "ports: [{ port: 80, targetPort: 9 }]"),
    deployment("beta", "app: beta", `containers: [${http}]`),
  );
  expectSameFindings(servicePorts, objects, ["alpha", "beta"]);
});
