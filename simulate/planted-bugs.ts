/**
 * Shows that the simulation finds faults: each patch in `bugs/` plants one into a copy of the ledger, and seeds are run until
 * the auditor sees it.
 *
 *     node simulate/planted-bugs.ts              all of them
 *     node simulate/planted-bugs.ts lost-debt    those of these names
 */

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bugsFolder = join(root, "simulate", "bugs");
const seedCountMax = 2_000;
/** All that a simulation runs, and nothing else of the repository. */
const parts = [
  "simulate",
  "packages/server/package.json",
  "packages/server/src/kernel",
  "packages/server/src/ledger/regions",
  "packages/server/src/ledger/rules",
  "packages/server/src/ledger/worker",
  "packages/testkit/package.json",
  "packages/testkit/src",
];

const names = readdirSync(bugsFolder)
  .filter((file) => file.endsWith(".patch"))
  .map((file) => file.slice(0, -".patch".length))
  .filter((name) => process.argv.length <= 2 || process.argv.slice(2).includes(name));

let missedCount = 0;
for (const name of names) {
  const found = seedThatFinds(name);
  process.stdout.write(`${found.isFound ? "found" : "MISSED"}  ${name}: ${found.words}\n`);
  if (!found.isFound) missedCount += 1;
}
process.stdout.write(
  `${names.length - missedCount} of ${names.length} planted bugs are found within ${seedCountMax} seeds.\n`,
);
process.exitCode = missedCount === 0 && names.length > 0 ? 0 : 1;

function seedThatFinds(name: string): { isFound: boolean; words: string } {
  const folder = mkdtempSync(join(tmpdir(), "faultline-bug-"));
  try {
    for (const part of parts) cpSync(join(root, part), join(folder, part), { recursive: true });
    mkdirSync(join(folder, "node_modules", "@faultline"), { recursive: true });
    for (const sibling of ["server", "testkit"])
      symlinkSync(
        join(folder, "packages", sibling),
        join(folder, "node_modules", "@faultline", sibling),
      );
    const patch = join(bugsFolder, `${name}.patch`);
    const applied = spawnSync("git", ["apply", patch], { cwd: folder, encoding: "utf8" });
    if (applied.status !== 0)
      return { isFound: false, words: `the patch fails: ${applied.stderr}` };
    const words = ["--seeds", String(seedCountMax), "--first-fault", "--quiet"];
    if (name.startsWith("region-")) words.push("--regions");
    const run = spawnSync(process.execPath, [join(folder, "simulate", "main.ts"), ...words], {
      encoding: "utf8",
    });
    const [seedLine, sentence] = run.stdout.split("\n");
    // A patch that does not even run would be found by anything.
    const isFound = run.status === 1 && seedLine?.startsWith("seed ") === true;
    if (!isFound) return { isFound, words: run.stderr.slice(0, 400) };
    return { isFound, words: `${seedLine?.replace(" is broken:", "")}, ${sentence?.trim()}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
