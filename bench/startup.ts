/** How long `faultline up` takes until it is ready: at the first start, which makes a database, and later. */

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import type { BenchOptions, BenchResult } from "./bench.ts";

const entry = fileURLToPath(new URL("../packages/cli/bin/faultline.js", import.meta.url));
const laterStartsSmall = 2;
const laterStartsLarge = 7;

/** Measures from the start of the process to the first answer of `/readyz` that says ready. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), "faultline-bench-startup-"));
  try {
    const first = await measureStart(folder);
    const later: number[] = [];
    const count = small ? laterStartsSmall : laterStartsLarge;
    while (later.length < count) later.push(await measureStart(folder));
    later.sort((a, b) => a - b);
    return {
      name: "startup",
      figures: [
        { name: "first start until ready", value: Math.round(first), unit: "ms" },
        {
          name: `later start until ready, median of ${count}`,
          value: Math.round(later[Math.floor(later.length / 2)] ?? 0),
          unit: "ms",
          spread: [Math.round(later[0] ?? 0), Math.round(later.at(-1) ?? 0)],
        },
      ],
      resultHash: createHash("sha256")
        .update(`${later.length + 1} starts`)
        .digest("hex"),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measureStart(folder: string): Promise<number> {
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawn(process.execPath, [entry, "up", "--port", String(port)], {
    cwd: folder,
    stdio: "ignore",
  });
  await untilReady(port, child);
  const readyMs = performance.now() - startedMs;
  child.kill("SIGTERM");
  await once(child, "exit");
  return readyMs;
}

async function untilReady(port: number, child: ChildProcess): Promise<void> {
  while (child.exitCode === null) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`faultline up ended with ${child.exitCode}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
