/** For tests: a platform in a process of its own, which can be killed. Prints one JSON line when it is ready. */

import { createLogger, loadConfig, startPlatform } from "../src/index.ts";

const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
process.once("SIGUSR2", () => {
  throw new Error("A fault that nobody catches.");
});

const config = loadConfig();
const platform = await startPlatform(config, {
  logger: createLogger(config.log),
  signal: stop.signal,
  loadConfig: () => loadConfig(),
});
process.on("SIGHUP", () => void platform.reload());
process.stdout.write(`${JSON.stringify({ url: platform.url, adminKey: platform.adminKey })}\n`);
if (!stop.signal.aborted)
  await new Promise((resolve) => stop.signal.addEventListener("abort", resolve, { once: true }));
await platform[Symbol.asyncDispose]();
