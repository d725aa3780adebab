#!/usr/bin/env node
/** Starts the CLI under a Node that can run it: this one, or the one that was installed beside it. */

import { existsSync } from "node:fs";
import * as nodeModule from "node:module";
import { dirname, join } from "node:path";

const nodeMajorMin = 24;
const major = Number(process.versions.node.split(".")[0]);

if (major >= nodeMajorMin) {
  // From the second call on, what was compiled once is only read. An older Node does not have this function to import.
  nodeModule.enableCompileCache();
  const { main } = await import(entry().href);
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
    await runUnder(node);
  }
}

/** A packed installation holds JavaScript only, and `check` also as one bundle; the repository holds TypeScript only. */
function entry() {
  const bundle = new URL("../check/main.js", import.meta.url);
  if (process.argv[2] === "check" && existsSync(bundle)) return bundle;
  const source = new URL("../src/main.ts", import.meta.url);
  return existsSync(source) ? source : new URL("../src/main.js", import.meta.url);
}

function pinnedNode() {
  try {
    const require = nodeModule.createRequire(import.meta.url);
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const node = join(dirname(manifest), "bin", "node");
    return existsSync(node) ? node : undefined;
  } catch {
    // The package is not installed: there is no pinned Node for this platform.
    return undefined;
  }
}

async function runUnder(node) {
  const { spawn } = await import("node:child_process");
  const { constants } = await import("node:os");
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit" });
  // A terminal sends its signals to the whole group; a supervisor sends them to this process alone.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exit(code ?? 128 + (constants.signals[signal] ?? 0));
  });
}
