import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { Finding } from "../model/finding.ts";
import { checkTexts, findingOf, objectsOfTexts } from "../routing/fixtures/check-yaml.ts";
import { deployment } from "../routing/fixtures/manifests.ts";
import { autoscaler } from "./autoscaler.ts";

const cpu =
  "metrics: [{ type: Resource, resource: { name: cpu, target: { type: Utilization, averageUtilization: 50 } } }]";

function scaler(spec = "", more = "", name = "web"): string {
  return `apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: ${name}, namespace: shop }
spec: { scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web }, maxReplicas: 5, ${cpu} ${spec} }
${more}`;
}

const requesting = deployment(
  "web",
  "app: web",
  "containers: [{ name: main, resources: { requests: { cpu: 100m } } }]",
);

function judge(...texts: readonly string[]): Finding {
  return findingOf(checkTexts(autoscaler, ...texts), "shop/web");
}

describe("an autoscaler", () => {
  test("holds when its target exists and requests what is measured", () => {
    expect(judge(scaler(), requesting).verdict).toBe("holds");
    const limited = requesting.replace("requests", "limits");
    expect(judge(scaler(), limited).verdict).toBe("holds");
  });

  test("is violated when a container has no request for a share of it", () => {
    const finding = judge(scaler(), deployment("web", "app: web"));
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "configuration" });
    expect(finding.fixes[0]?.description).toBe(
      "Set resources.requests.cpu of container main in Deployment web.",
    );
  });

  test("needs no request for an amount, nor in a container that is not measured", () => {
    const amount = scaler().replace(
      "type: Utilization, averageUtilization: 50",
      "type: AverageValue, averageValue: 500m",
    );
    expect(judge(amount, deployment("web", "app: web")).verdict).toBe("holds");
    const own = scaler().replace(
      "type: Resource, resource: { ",
      "type: ContainerResource, containerResource: { container: other, ",
    );
    expect(judge(own, deployment("web", "app: web")).verdict).toBe("holds");
  });

  test("is violated when its target does not exist among those of the namespace", () => {
    const other = requesting.replace("name: web,", "name: webb,");
    expect(judge(scaler(), other).fixes[0]?.description).toContain("from web to webb");
    const set = requesting.replace("Deployment", "StatefulSet");
    expect(judge(scaler(), set).fixes[0]?.description).toContain("from Deployment to StatefulSet");
  });

  test("is inconclusive without its target in the evidence", () => {
    expect(judge(scaler())).toMatchObject({
      verdict: "inconclusive",
      missing: ["Deployment shop/web"],
    });
  });

  test("is violated when its least is above its most, and when another scales the same", () => {
    expect(judge(scaler(", minReplicas: 9"), requesting).title).toContain("minReplicas 9 is above");
    const seen = "status: { currentReplicas: 1 }";
    const rival = scaler("", seen, "rival");
    expect(judge(scaler("", seen), rival, requesting).title).toContain(
      "shop/rival scales Deployment web",
    );
    // Manifests may be alternatives.
    const planned = judge(scaler(), scaler("", "", "rival"), requesting);
    expect(planned.verdict).toBe("inconclusive");
    expect(planned.missing[0]).toContain("alternatives");
  });

  test("is violated by what it reports, and a warning that is over does not count", () => {
    const event = `apiVersion: v1\nkind: Event\nmetadata: { name: e, namespace: shop }\ninvolvedObject: { kind: HorizontalPodAutoscaler, name: web, namespace: shop }\nreason: FailedGetResourceMetric\nmessage: 'failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API'`;
    const finding = judge(scaler(), requesting, event);
    expect(finding).toMatchObject({ verdict: "violated", causeKind: "dependency" });
    expect(finding.fixes[0]?.description).toContain("metrics-server");
    const active = `status: { conditions: [{ type: ScalingActive, status: "True" }] }`;
    expect(judge(scaler("", active), requesting, event).verdict).toBe("holds");
    const failing = `status: { conditions: [{ type: ScalingActive, status: "False", reason: FailedGetResourceMetric, message: "missing request for cpu in container main of Pod web-1" }] }`;
    expect(judge(scaler("", failing), requesting).fixes[0]?.description).toContain(
      "resources.requests.cpu of container main",
    );
  });

  test("that is off because its target has no replicas is no fault", () => {
    const off = `status: { conditions: [{ type: ScalingActive, status: "False", reason: ScalingDisabled, message: "scaling is disabled" }] }`;
    expect(judge(scaler("", off), requesting).verdict).toBe("holds");
  });

  test("that shows <unknown> says nothing about the load", () => {
    const table = `NAMESPACE   NAME   REFERENCE        TARGETS              MINPODS   MAXPODS   REPLICAS   AGE\nshop        web    Deployment/web   cpu: <unknown>/50%   1         5         1          2m\n`;
    const finding = judge(table, requesting);
    expect(finding.verdict).toBe("inconclusive");
    expect(finding.missing.join(" ")).toContain("says nothing about it");
  });
});

test("order, repetition, strangers and names change no finding", () => {
  expectSameFindings(autoscaler, objectsOfTexts(scaler(), deployment("web", "app: web")), []);
  expectSameFindings(autoscaler, objectsOfTexts(scaler("", "", "alpha"), requesting), ["alpha"]);
});
