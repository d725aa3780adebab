/** Type-checks every project: the whole under Node's types, and the browser-safe packages without them. */

import { spawnSync } from "node:child_process";

const projects = [
  "tsconfig.json",
  "packages/contracts/tsconfig.json",
  "packages/protocol/tsconfig.json",
  "packages/console/tsconfig.json",
];

let failed = false;
for (const project of projects) {
  const { status } = spawnSync("node_modules/.bin/tsc", ["--project", project], {
    stdio: "inherit",
  });
  if (status !== 0) failed = true;
}
process.exit(failed ? 1 : 0);
