#!/usr/bin/env node
/** Starts the CLI under a Node that can run it: this one, or the one that was installed beside it. */

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";

const nodeMajorMin = 24;
const major = Number(process.versions.node.split(".")[0]);

if (major >= nodeMajorMin) {
  const source = new URL("../src/main.ts", import.meta.url);
  // A packed installation holds JavaScript only; the repository holds TypeScript only.
  const entry = existsSync(source) ? source : new URL("../src/main.js", import.meta.url);
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `faultline needs Node ${nodeMajorMin} or newer; this is ${process.version}, and no pinned Node was installed for ` +
        `${process.platform}-${process.arch}. Install Node ${nodeMajorMin}, then call this again.\n`,
    );
    process.exitCode = 69;
  } else {
    runUnder(node);
  }
}

function pinnedNode() {
  try {
    const require = createRequire(import.meta.url);
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const node = join(dirname(manifest), "bin", "node");
    return existsSync(node) ? node : undefined;
  } catch {
    // The package is not installed: there is no pinned Node for this platform.
    return undefined;
  }
}

function runUnder(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // A terminal sends its signals to the whole group; a supervisor sends them to this process alone.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
