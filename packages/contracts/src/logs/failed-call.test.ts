import { describe, expect, it } from "vitest";

import { failedHostOf } from "./failed-call.ts";

describe("the host of a failed call", () => {
  it.each([
    ["failed to call http://payment:8080/charge: 503 Service Unavailable", "payment"],
    [
      'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp: lookup payment-svc on 10.96.0.10:53: no such host"',
      "payment-svc",
    ],
    ["dial tcp payment-svc:50051: connect: connection refused", "payment-svc"],
    [
      "Error: getaddrinfo ENOTFOUND catalog.shop.svc.cluster.local",
      "catalog.shop.svc.cluster.local",
    ],
    ["connect ECONNREFUSED redis-cart:6379", "redis-cart"],
    ["java.net.UnknownHostException: ts-order-service", "ts-order-service"],
    [
      'I/O error on POST request for "http://ts-basic-service:15680/api/v1/basic": Connection refused (Connection refused)',
      "ts-basic-service",
    ],
    [
      "upstream connect error or disconnect/reset before headers, cluster outbound|8080||stock.shop.svc.cluster.local",
      "stock.shop.svc.cluster.local",
    ],
    ["could not translate host name: db: Name or service not known", "db"],
    ['msg="timed out" caller=worker.go:42 host=redis:6379', "redis"],
    ["curl: (6) Could not resolve host: mail", "mail"],
    [
      'connect() failed (111: Connection refused) while connecting to upstream, upstream: "http://orders:8000/list"',
      "orders",
    ],
    [
      "psycopg2.OperationalError: could not connect to server: postgresql://shop:secret@db/shop timed out",
      "db",
    ],
  ])("stands in %j", (text, host) => {
    expect(failedHostOf(text)).toBe(host);
  });

  it.each([
    "GET http://payment:8080/charge 200 in 12 ms",
    "listening on 0.0.0.0:8080",
    "dial tcp 10.2.3.4:50051: connect: connection refused",
    "item 5 not found in http://payment:8080/items",
    "ERROR timed out after 30 s at payment.py:88",
    "NullPointerException at Payment.java:42",
  ])("does not stand in %j", (text) => {
    expect(failedHostOf(text)).toBeUndefined();
  });

  it("is looked for at the beginning of a line alone, which may be of any length", () => {
    const rest = "a-".repeat(500_000);
    expect(failedHostOf(`lookup payment: no such host ${rest}`)).toBe("payment");
    expect(failedHostOf(`${rest} lookup payment: no such host`)).toBeUndefined();
  });
});
