import { describe, expect, test } from "vitest";

import { expectSameFindings } from "../../test/metamorphic-kubernetes.ts";
import type { Finding } from "../model/finding.ts";
import { checkTexts, findingOf, objectsOfTexts } from "../routing/fixtures/check-yaml.ts";
import { deployment } from "../routing/fixtures/manifests.ts";
import { disruptionBudget } from "./disruption-budget.ts";

function budget(bound: string, status = "", name = "web"): string {
  return `apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: ${name}, namespace: shop }
spec: { ${bound} selector: { matchLabels: { app: web } } }
${status}`;
}

const web = deployment("web", "app: web");

function judge(...texts: readonly string[]): Finding {
  return findingOf(checkTexts(disruptionBudget, ...texts), "shop/web");
}

describe("a budget of a manifest", () => {
  test.each([
    ["minAvailable: 1,", "holds"],
    ["minAvailable: 2,", "violated"],
    ["minAvailable: 100%,", "violated"],
    ["minAvailable: 51%,", "violated"],
    ["minAvailable: 50%,", "holds"],
    ["maxUnavailable: 1,", "holds"],
    ["maxUnavailable: 1%,", "holds"],
    ["maxUnavailable: 0,", "violated"],
    ["maxUnavailable: 0%,", "violated"],
    ["minAvailable: 1, maxUnavailable: 1,", "violated"],
    ["", "violated"],
    ["minAvailable: many,", "violated"],
  ])("with %s for two pods is %s", (bound, verdict) => {
    expect(judge(budget(bound), web).verdict).toBe(verdict);
  });

  test("that leaves nothing to evict names the smallest changes", () => {
    const finding = judge(budget("minAvailable: 2,"), web);
    expect(finding.title).toContain("leaves none of 2 pods to evict");
    expect(finding.fixes.map(({ description }) => description)).toEqual([
      "Set spec.minAvailable of shop/web from 2 to 1.",
      "Raise spec.replicas of Deployment/web from 2 to 3.",
      "Or replace spec.minAvailable of shop/web by maxUnavailable: 1.",
    ]);
  });

  test("counts at least as many pods as an autoscaler keeps", () => {
    const scaler = `apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: { name: web, namespace: shop }\nspec: { scaleTargetRef: { kind: Deployment, name: web }, minReplicas: 3, maxReplicas: 5 }`;
    expect(judge(budget("minAvailable: 2,"), web, scaler).verdict).toBe("holds");
  });

  test("is violated when it selects nothing, and inconclusive when nothing is in the evidence", () => {
    const other = deployment("api", "app: api");
    expect(judge(budget("minAvailable: 1,"), other).title).toContain("fits none");
    expect(judge(budget("minAvailable: 1,")).verdict).toBe("inconclusive");
  });

  test("is violated when another one selects the same pods", () => {
    const rival = budget("maxUnavailable: 1,", "", "rival");
    expect(judge(budget("maxUnavailable: 1,"), rival, web).title).toContain("shop/rival selects");
  });

  test("is inconclusive for as many pods made by hand as it asks for", () => {
    const pod = `apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: shop, labels: { app: web } }\nspec: {}`;
    expect(judge(budget("minAvailable: 1,"), pod).verdict).toBe("inconclusive");
    expect(judge(budget("minAvailable: 2,"), pod).verdict).toBe("violated");
  });
});

describe("a budget of a cluster", () => {
  const status = (...[allowed, current, desired, expected]: readonly number[]): string =>
    `status: { disruptionsAllowed: ${allowed}, currentHealthy: ${current}, desiredHealthy: ${desired}, expectedPods: ${expected} }`;

  test("holds when its controller allows an eviction", () => {
    expect(judge(budget("minAvailable: 1,", status(1, 2, 1, 2)))).toMatchObject({
      verdict: "holds",
      measures: { allowedDisruptionCount: 1 },
    });
  });

  test("is violated by its configuration when it allows none although all are healthy", () => {
    expect(judge(budget("minAvailable: 2,", status(0, 2, 2, 2)))).toMatchObject({
      verdict: "violated",
      causeKind: "configuration",
    });
  });

  test("is violated by its pods when it allows none because some are not healthy", () => {
    expect(judge(budget("minAvailable: 2,", status(0, 1, 2, 3)))).toMatchObject({
      verdict: "violated",
      causeKind: "dependency",
    });
  });

  test("is inconclusive in a table that says no more than that it allows none", () => {
    const table = `NAMESPACE   NAME   MIN AVAILABLE   MAX UNAVAILABLE   ALLOWED DISRUPTIONS   AGE\nshop        web    1               N/A               0                     2m\n`;
    expect(judge(table).verdict).toBe("inconclusive");
  });
});

test("order, repetition, strangers and names change no finding", () => {
  const objects = objectsOfTexts(
    budget("minAvailable: 2,", "", "alpha"),
    budget("maxUnavailable: 1,", "", "beta").replace("app: web", "app: none"),
    web,
  );
  expectSameFindings(disruptionBudget, objects, ["alpha", "beta"]);
});
