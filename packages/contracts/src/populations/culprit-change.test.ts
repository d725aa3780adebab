import { describe, expect, it } from "vitest";

import type { ChangeEvent } from "../model/changes.ts";
import { checkSnapshot } from "../check.ts";
import { culpritChange } from "./culprit-change.ts";
import { firstDeviation } from "./first-deviation.ts";
import {
  deployed,
  failureLines,
  incident,
  type IncidentParts,
  onsetMicros,
  stepSeries,
} from "./incident-maker.ts";

/** Changes that people suspect because they came last, and that can do nothing. */
function decoys(service: string): ChangeEvent[] {
  return [
    ...deployed(
      {
        id: "dec0a",
        message: "refactor: rename a helper in the handler",
        path: `services/${service}/handler.py`,
        diff: "-    payload = parse(body)\n+    payload = parse_body(body)\n",
      },
      service,
      2,
    ),
    ...deployed(
      {
        id: "dec0b",
        message: "chore: log the route",
        path: `services/${service}/log.py`,
        diff: '+    logger.info("handled %s", route)\n',
      },
      service,
      4,
    ),
    ...deployed(
      {
        id: "dec0c",
        message: "chore: bump a library",
        path: "requirements.txt",
        diff: "-requests==2.31.0\n+requests==2.31.1\n",
      },
      service,
      5,
    ),
    {
      kind: "flag",
      name: "new_checkout_banner",
      service,
      before: "off",
      after: "on",
      timeMicros: onsetMicros - 60e6,
    },
  ];
}

interface Case {
  readonly name: string;
  readonly path: string;
  readonly diff: string;
  readonly text: string;
  readonly metric: readonly [name: string, before: number, after: number];
  readonly cause: "change" | "configuration";
}

const cases: readonly Case[] = [
  {
    name: "a query for every row",
    path: "services/orders/views.py",
    diff: "     orders = Order.objects.all()\n-    items = Item.objects.filter(order_id__in=ids).prefetch_related('product')\n+    for order in orders:\n+        order.items = list(Item.objects.filter(order_id=order.id))\n     return orders\n",
    text: "slow request: list_orders issued 180 queries per request",
    metric: ["db_queries_count_per_request", 4, 180],
    cause: "change",
  },
  {
    name: "a check of null that is gone",
    path: "services/orders/Address.java",
    diff: " String city(Customer customer) {\n-    if (customer.getAddress() == null) {\n-      return null;\n-    }\n+    Address address = customer.getAddress();\n     return customer.getAddress().city();\n }\n",
    text: 'java.lang.NullPointerException: Cannot invoke "Address.city()"',
    metric: ["http_5xx_per_sec", 0.2, 30],
    cause: "change",
  },
  {
    name: "a timeout that is too short",
    path: "deploy/orders/values.yaml",
    diff: " payments:\n-  timeout_ms: 5000\n+  timeout_ms: 50\n",
    text: "call to payments failed: deadline exceeded",
    metric: ["error_ratio", 0.002, 0.6],
    cause: "configuration",
  },
  {
    name: "less memory",
    path: "deploy/k8s/orders.yaml",
    diff: "   limits:\n-    memory: 1Gi\n+    memory: 256Mi\n",
    text: "OOMKilled: container exceeded memory limit",
    metric: ["container_restarts", 0.01, 3],
    cause: "configuration",
  },
  {
    name: "connections that are not given back",
    path: "services/orders/repository.go",
    diff: " func load(ctx context.Context, pool *Pool) error {\n   conn, err := pool.Acquire(ctx)\n   if err != nil {\n     return err\n   }\n-  defer conn.Release()\n   return query(conn)\n }\n",
    text: "pgx pool: timeout acquiring connection (pool exhausted)",
    metric: ["db_pool_wait_seconds", 0.01, 6],
    cause: "change",
  },
  {
    name: "a list that only grows",
    path: "services/orders/audit.ts",
    diff: "+const seenOrders = [];\n export function audit(order) {\n+  seenOrders.push({ ...order, at: clock() });\n   return order.id;\n }\n",
    text: "FATAL ERROR: heap out of memory, allocation failed",
    metric: ["heap_used_bytes", 2e8, 9e8],
    cause: "change",
  },
  {
    name: "a cache that is no longer asked",
    path: "services/orders/prices.rb",
    diff: " def price(sku)\n-  Rails.cache.fetch(sku) { catalog.price(sku) }\n+  catalog.price(sku)\n end\n",
    text: "catalog lookup slow: cache miss for every price",
    metric: ["cache_miss_ratio", 0.05, 0.99],
    cause: "change",
  },
  {
    name: "a column that is renamed",
    path: "services/orders/migrations/0042.sql",
    diff: "+ALTER TABLE orders RENAME COLUMN customer_ref TO customer_id;\n",
    text: 'column "customer_ref" does not exist',
    metric: ["http_5xx_per_sec", 0.2, 25],
    cause: "change",
  },
  {
    name: "a host that does not exist",
    path: "deploy/config/orders.yaml",
    diff: "-payments_url: http://payments.shop.svc.cluster.local:8080\n+payments_url: http://payment.shop.svc.cluster.local:8080\n",
    text: "dial tcp: lookup payment.shop.svc.cluster.local: no such host",
    metric: ["error_ratio", 0.002, 0.7],
    cause: "change",
  },
];

function partsOf({ name, path, diff, text, metric: [metric, before, after] }: Case): IncidentParts {
  return {
    series: [
      stepSeries("orders", metric, [before, after]),
      stepSeries("orders", "http_latency_p99_ms", [120, 900]),
      stepSeries("cart", "http_latency_p99_ms", [80, 80]),
      stepSeries("search", "error_ratio", [0.002, 0.002]),
    ],
    lines: failureLines("orders", text),
    events: [
      ...deployed({ id: "c01", message: name, path, diff }, "orders", 12),
      ...decoys("orders"),
    ],
  };
}

describe("the change that could have caused a failure", () => {
  it.each(cases.map((item) => [item.name, item] as const))("is found: %s", (_name, item) => {
    const [finding] = culpritChange.check(incident(partsOf(item)));
    expect(finding).toMatchObject({
      verdict: "violated",
      causeKind: item.cause,
      subject: { kind: "change", name: "c01".padEnd(40, "0") },
    });
    expect(finding?.actual).toContain("Not dec0");
  });

  it.each(cases.map((item) => [item.name, item] as const))(
    "is not called when it came after the failure: %s",
    (_name, item) => {
      const { events = [], ...rest } = partsOf(item);
      const late = events.map((event) =>
        (event.kind === "commit" && event.id.startsWith("c01")) ||
        (event.kind === "deploy" && event.commit?.startsWith("c01") === true)
          ? { ...event, timeMicros: onsetMicros + 20 * 60e6 }
          : event,
      );
      const [finding] = culpritChange.check(incident({ ...rest, events: late }));
      expect(finding?.verdict).not.toBe("violated");
    },
  );

  it.each(cases.map((item) => [item.name, item] as const))(
    "is the same whatever the order, with everything told twice and unrelated evidence: %s",
    (_name, item) => {
      const { series = [], lines = [], events = [] } = partsOf(item);
      const before = culpritChange.check(incident(partsOf(item)))[0];
      const after = culpritChange.check(
        incident({
          series: [stepSeries("unrelated", "cpu", [0.4, 0.4]), ...series.toReversed()],
          lines: lines.toReversed(),
          events: [...events.toReversed(), ...events],
        }),
      )[0];
      expect(after?.subject).toEqual(before?.subject);
      expect(after?.verdict).toBe(before?.verdict);
    },
  );

  it("is none when more is asked of every service", () => {
    const services = ["frontend", "orders", "cart"];
    const series = services.flatMap((service) => [
      stepSeries(service, "requests_per_sec", [900, 5_400]),
      stepSeries(service, "http_latency_p99_ms", [120, 2_100]),
    ]);
    const lines = failureLines("frontend", "server overloaded, shedding load");
    const [finding] = culpritChange.check(incident({ series, lines, events: decoys("frontend") }));
    expect(finding).toMatchObject({ verdict: "holds", measures: { likelyCauseKind: "capacity" } });
  });

  it.each([
    ["tls: failed to verify certificate: x509: certificate has expired", "certificate"],
    ["getaddrinfo EAI_AGAIN api.partner.com", "names"],
    ["upstream provider is down: service disruption in region eu-1", "outage"],
  ])("is none when the failure lies outside: %s", (text, mechanism) => {
    const series = ["orders", "mail"].map((service) =>
      stepSeries(service, "error_ratio", [0.002, 0.6]),
    );
    const lines = [...failureLines("orders", text), ...failureLines("mail", text)];
    const [finding] = culpritChange.check(incident({ series, lines, events: decoys("orders") }));
    expect(finding).toMatchObject({ verdict: "holds", measures: { mechanism } });
  });

  it("is not asked for when nothing fails", () => {
    const series = [stepSeries("orders", "error_ratio", [0.002, 0.002])];
    const events = [...decoys("orders"), ...(partsOf(cases[4]!).events ?? [])];
    expect(culpritChange.check(incident({ series, events }))).toMatchObject([{ verdict: "holds" }]);
    expect(culpritChange.check(incident({ events }))).toEqual([]);
  });

  it("is told apart from a change of a service that shows nothing", () => {
    const { series = [], lines = [] } = partsOf(cases[1]!);
    const { path, diff, name } = cases[1]!;
    const events = deployed(
      { id: "c01", message: name, path: path.replace("orders", "search"), diff },
      "search",
      3,
    );
    const [finding] = culpritChange.check(incident({ series, lines, events }));
    expect(finding?.verdict).not.toBe("violated");
  });

  it("names what is missing when two changes explain it alike", () => {
    const { series = [], lines = [] } = partsOf(cases[1]!);
    const { path, diff } = cases[1]!;
    const events = ["c01", "c02"].flatMap((id) =>
      deployed({ id, message: "a change", path, diff }, "orders", 5),
    );
    const [finding] = culpritChange.check(incident({ series, lines, events }));
    expect(finding?.verdict).toBe("inconclusive");
    expect(finding?.missing).not.toEqual([]);
  });
});

describe("the first deviation", () => {
  it("is of the service that departs, and of none when all are calm", () => {
    const moved = incident({ series: partsOf(cases[4]!).series ?? [] });
    expect(firstDeviation.check(moved)).toMatchObject([
      { verdict: "violated", subject: { name: "orders" } },
    ]);
    const calm = incident({
      series: ["a", "b", "c"].map((service) => stepSeries(service, "cpu", [0.5, 0.5])),
    });
    expect(firstDeviation.check(calm)).toMatchObject([{ verdict: "holds" }]);
  });

  it("is seen although the level takes several points to settle", () => {
    const series = stepSeries("dns", "latency_ms", [15, 4_800]);
    const values = series.values.map((value, at) =>
      at >= 60 && at < 67 ? 2_500 + (at - 60) * 330 : value,
    );
    expect(firstDeviation.check(incident({ series: [{ ...series, values }] }))).toMatchObject([
      { verdict: "violated", subject: { name: "dns" } },
    ]);
  });

  it("stands among the findings of a plain check", () => {
    const findings = checkSnapshot(incident(partsOf(cases[0]!)));
    expect(findings.map(({ contract }) => contract)).toContain("populations/culprit-change");
  });
});
