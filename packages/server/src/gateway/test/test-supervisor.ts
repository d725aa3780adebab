/**
 * For tests: a supervisor in a process of its own that prints its workers' ids and its port, and waits to be killed. Its
 * argument is JSON: further options of the gateway.
 */

import { openTestGateway, type TestGatewayOptions } from "./test-gateway.ts";

const [, , given = "{}"] = process.argv;
// The tests write what this reads.
const options = JSON.parse(given) as Pick<
  TestGatewayOptions,
  "count" | "journalFolder" | "drainMs"
>;
const world = await openTestGateway({ count: 2, ...options });
process.stdout.write(
  `${JSON.stringify({ workers: world.gateway.workerIds, port: world.gateway.port })}\n`,
);
