import { expect, test } from "vitest";

import { isSlipOf, nearestName } from "./nearest-name.ts";

test.each([
  ["ns", ["namespace", "name", "limit"], "namespace"],
  ["namepsace", ["namespace", "name"], "namespace"],
  ["podName", ["pod_name", "pod"], "pod_name"],
  ["pod-name", ["podName"], "podName"],
  ["user_id", ["userId", "id"], "userId"],
  ["start", ["start_time", "end_time"], "start_time"],
  ["getPod", ["get_pods", "list_nodes"], "get_pods"],
  ["celcius", ["celsius", "fahrenheit"], "celsius"],
  ["verbose", ["namespace", "limit"], undefined],
  ["x", [], undefined],
  ["", ["name"], undefined],
])("%s among %j is %s", (given, valid, expected) => {
  expect(nearestName(given, valid)).toBe(expected);
});

test.each([
  ["public-gatway", "public-gateway", true],
  ["web_api", "web-api", true],
  ["wbe", "web", false],
  ["same-namespace", "same-namespace-with-https", false],
  ["a", "b", false],
])("%s for %s is a slip of the pen: %s", (given, name, expected) => {
  expect(isSlipOf(given, name)).toBe(expected);
});
