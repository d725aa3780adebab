/** For tests: a supervisor in a process of its own that prints its workers' ids and its port, and waits to be killed. */

import { openTestGateway } from "./test-gateway.ts";

const world = await openTestGateway({ count: 2 });
process.stdout.write(
  `${JSON.stringify({ workers: world.gateway.workerIds, port: world.gateway.port })}\n`,
);
