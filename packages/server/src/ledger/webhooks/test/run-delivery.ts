/** For tests: delivers in a process of its own, which can be killed. Prints a line when it has begun. */

import { createIds, systemClock, systemRandom } from "@faultline/server/kernel/index.ts";
import { embeddedConfigs, openStore } from "@faultline/server/storage/index.ts";
import { pino } from "pino";

import { SecretBox } from "../secret-box.ts";
import { WebhookDelivery } from "../webhook-delivery.ts";

const [socketFolder = "", superuser = "", database = "", times = "{}"] = process.argv.slice(2);
const { signal } = new AbortController();
const logger = pino({ level: "silent" });
const store = await openStore({
  postgres: {
    kind: "embedded",
    version: "18",
    description: database,
    lost: new Promise(() => {}),
    async [Symbol.asyncDispose]() {},
    ...embeddedConfigs({ socketFolder, superuser, database }),
  },
  clock: systemClock,
  logger,
  signal,
});
const delivery = WebhookDelivery.open({
  store,
  clock: systemClock,
  ids: createIds(systemClock, systemRandom),
  random: systemRandom,
  secretBox: new SecretBox([], systemRandom),
  logger,
  signal,
  allowsPrivate: () => true,
  times: JSON.parse(times),
});
process.stdout.write("delivers\n");
process.once("SIGTERM", () => void delivery[Symbol.asyncDispose]().then(() => process.exit(0)));
