/** Entry of a gateway worker process, which the supervisor forks. */

import { holdTick } from "#kernel/index.ts";
import type { ToWorker } from "./messages.ts";
import { runWorker } from "./run-worker.ts";

// Ctrl-C reaches the whole group of processes; the supervisor alone decides when a worker drains.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
// That the configuration changed is for the supervisor to notice.
process.on("SIGHUP", () => {});

holdTick();
runWorker({
  send: (message) => process.connected && process.send?.(message, ignoreLoss) !== undefined,
  onMessage: (listener) => process.on("message", (message) => listener(message as ToWorker)),
  onDisconnect: (listener) => process.on("disconnect", listener),
  exit: (code) => process.exit(code),
});

/** A message to a supervisor that just died is lost with it; this process ends when it sees the channel closed. */
function ignoreLoss(): void {}
