import * as fc from "fast-check";
import { Value } from "typebox/value";
import { expect, test } from "vitest";

import { factsOf, snapshotOfObjects } from "../../test/metamorphic-kubernetes.ts";
import type { KubernetesObject } from "../model/evidence.ts";
import { Finding } from "../model/finding.ts";
import { autoscaler } from "../workload/autoscaler.ts";
import { disruptionBudget } from "../workload/disruption-budget.ts";
import { routingContracts } from "./contracts.ts";
import { lookupIn } from "./lookup-message.ts";
import { namesInCommand, namesInText, namesInVariable } from "./name-in-text.ts";

const kinds = [
  ["v1", "Service"],
  ["v1", "Pod"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["discovery.k8s.io/v1", "EndpointSlice"],
  ["v1", "Endpoints"],
  ["v1", "ConfigMap"],
  ["v1", "Event"],
  ["networking.k8s.io/v1", "Ingress"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["gateway.networking.k8s.io/v1", "Gateway"],
  ["gateway.networking.k8s.io/v1", "HTTPRoute"],
  ["policy/v1", "PodDisruptionBudget"],
  ["autoscaling/v2", "HorizontalPodAutoscaler"],
] as const;

/** Fields that the contracts read, with values of every type under them. */
const fields = fc.constantFrom(
  ..."spec status metadata labels selector matchLabels matchExpressions key operator values ports port targetPort protocol name endpoints addresses conditions type containers containerPort env value template rules http paths backend service number host path ingress egress from to podSelector namespaceSelector ipBlock cidr policyTypes minAvailable maxUnavailable scaleTargetRef kind metrics resource target replicas parentRefs backendRefs listeners data message reason involvedObject command args tls secretName".split(
    " ",
  ),
);
const leaf = fc.oneof(
  fc.constantFrom("web", "a", "80", "http://web:80", "10.0.0.0/8", "True", "TCP", "web.shop.svc"),
  fc.string({ maxLength: 12 }),
  fc.integer({ min: -2, max: 70_000 }),
  fc.boolean(),
  fc.constant(null),
);
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    leaf,
    fc.dictionary(fields, tie("tree"), { maxKeys: 6 }),
    fc.array(tie("tree"), { maxLength: 3 }),
  ),
}));
const object: fc.Arbitrary<KubernetesObject> = fc
  .tuple(
    fc.constantFrom(...kinds),
    fc.constantFrom("web", "api"),
    fc.constantFrom("shop", undefined),
    fc.dictionary(fields, tree, { maxKeys: 8 }),
    fc.dictionary(fields, tree, { maxKeys: 8 }),
  )
  .map(([[apiVersion, kind], name, namespace, spec, rest]) => ({
    ...rest,
    apiVersion,
    kind,
    spec,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), labels: { app: name } },
  }));

test("objects of any shape give findings that fit the schema, in one order, and never an error", () => {
  fc.assert(
    fc.property(fc.array(object, { maxLength: 8 }), (objects) => {
      for (const contract of [...routingContracts, autoscaler, disruptionBudget]) {
        const findings = contract.check(snapshotOfObjects(objects));
        for (const finding of findings) {
          expect(Value.Check(Finding, finding), JSON.stringify(finding)).toBe(true);
          if (finding.verdict === "inconclusive") expect(finding.missing).not.toEqual([]);
          expect(finding.causeKind === "none").toBe(finding.verdict !== "violated");
        }
        const again = contract.check(snapshotOfObjects(objects.toReversed()));
        expect(factsOf(again)).toEqual(factsOf(findings));
      }
    }),
    { numRuns: 300 },
  );
});

test("texts of any shape are searched without an error and in no time", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc
      .array(
        fc.constantFrom("a.b", ".svc", "://", "@", "http", ":80", "lookup ", "x".repeat(50), "-"),
        { maxLength: 200 },
      )
      .map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (given) => {
      for (const { host } of [
        ...namesInText(given),
        ...namesInCommand([given]),
        ...namesInVariable("DB_HOST", given),
      ]) {
        expect(host).not.toBe("");
      }
      lookupIn(`no such host ${given}`);
    }),
    { numRuns: 500 },
  );
  for (const long of [
    "a.".repeat(40_000),
    "http://".repeat(10_000),
    `lookup ${"a-".repeat(30_000)}`,
  ]) {
    const before = performance.now();
    namesInText(long);
    namesInCommand([long]);
    lookupIn(`no such host ${long}`);
    expect(performance.now() - before).toBeLessThan(1_500);
  }
});
