import { expect, test } from "vitest";

import { nearestName } from "./nearest-name.ts";

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
