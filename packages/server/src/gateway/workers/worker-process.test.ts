import { afterEach, expect, it } from "vitest";

import { defaultWorkerEntry, WorkerProcess } from "./worker-process.ts";

const { execPath } = process;

afterEach(() => {
  process.execPath = execPath;
});

it("is dead at once when its process cannot be started", async () => {
  // As after an upgrade that replaced the Node which this process was started from.
  process.execPath = "/nowhere/node";
  const exited = Promise.withResolvers<string>();
  const worker = new WorkerProcess(defaultWorkerEntry(), {
    onMessage: () => undefined,
    onExit: exited.resolve,
  });
  expect(await exited.promise).toContain("ENOENT");
  expect(worker.hasExited).toBe(true);
  await worker.exited;
});
