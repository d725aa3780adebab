import { describe, expect, test } from "vitest";

import { serviceSelectsPods } from "../routing/service-selects-pods.ts";
import { autoscaler } from "../workload/autoscaler.ts";
import { disruptionBudget } from "../workload/disruption-budget.ts";
import { findingsIn } from "../workload/fixtures/check-texts.ts";
import { rollout } from "../workload/rollout.ts";
import { withoutEmptyStatus } from "./empty-status.ts";

const generated = `apiVersion: apps/v1
kind: Deployment
metadata: { creationTimestamp: null, name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { creationTimestamp: null, labels: { app: web } }
    spec: { containers: [{ name: web, image: "web:1", ports: [{ containerPort: 80 }], resources: { requests: { cpu: 100m } } }] }
status: {}
---
apiVersion: v1
kind: Service
metadata: { creationTimestamp: null, name: web }
spec: { ports: [{ port: 80, targetPort: 80 }], selector: { app: web } }
status: { loadBalancer: {} }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { creationTimestamp: null, name: web }
spec: { minAvailable: 1, selector: { matchLabels: { app: web } } }
status: { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
---
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: { creationTimestamp: null, name: web }
spec: { minReplicas: 2, maxReplicas: 3, scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: web } }
status: { currentReplicas: 0, desiredReplicas: 0 }
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template: { metadata: { labels: { app: agent } }, spec: { containers: [{ name: agent, image: "agent:1" }] } }
status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }
`;

describe("a status that a tool wrote before any cluster saw the object", () => {
  test.each([serviceSelectsPods, rollout, disruptionBudget, autoscaler])(
    "is no record of what does not run: $id",
    (contract) => {
      const verdicts = findingsIn(contract, generated).map(({ verdict }) => verdict);
      expect(verdicts).not.toContain("violated");
    },
  );

  test("counts where a cluster wrote the object, and where it tells anything", () => {
    const object = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web" },
      status: { replicas: 0 },
    };
    expect(withoutEmptyStatus(object)).not.toHaveProperty("status");
    const seen = { ...object, metadata: { name: "web", uid: "u-1" } };
    expect(withoutEmptyStatus(seen)).toBe(seen);
    const telling = { ...object, status: { replicas: 2, readyReplicas: 0 } };
    expect(withoutEmptyStatus(telling)).toBe(telling);
  });
});
