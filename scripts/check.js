/**
 * Everything that must hold before a change lands: types, lint, format, unused code, tests. Prints the counts last.
 * `--whole` adds what takes minutes: the simulation of the ledger over many seeds, and the faults that it has to find.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "faultline-check-"));
const testReport = join(folder, "tests.json");

/** Steps beside the tests; each counts as one check. */
const steps = [
  { name: "types", command: "node", words: ["scripts/types.js"] },
  { name: "lint", command: "oxlint", words: ["--type-aware", "--deny-warnings"] },
  { name: "format", command: "oxfmt", words: ["--check"] },
  { name: "unused code and dependencies", command: "knip", words: ["--no-progress"] },
];
const longSteps = [
  { name: "simulation", command: "node", words: ["simulate/main.ts", "--seeds", "2000"] },
  { name: "planted bugs", command: "node", words: ["simulate/planted-bugs.ts"] },
];
if (process.argv.includes("--whole")) steps.push(...longSteps);

let passed = 0;
let failed = 0;
let skipped = 0;

for (const { name, command, words } of steps) {
  process.stdout.write(`\n── ${name}\n`);
  const { status } = spawnSync(join("node_modules", ".bin", command), words, { stdio: "inherit" });
  if (status === 0) passed += 1;
  else {
    failed += 1;
    process.stdout.write(`${name}: failed\n`);
  }
}

process.stdout.write("\n── tests\n");
const { status: testStatus } = spawnSync(
  join("node_modules", ".bin", "vitest"),
  ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${testReport}`],
  { stdio: "inherit" },
);
try {
  const report = JSON.parse(readFileSync(testReport, "utf8"));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded, or an error outside of a test, fails the run without a failed test.
  if (testStatus !== 0 && report.numFailedTests === 0)
    failed += Math.max(1, report.numFailedTestSuites);
} catch {
  process.stdout.write("The test runner left no report.\n");
  failed += 1;
}
rmSync(folder, { recursive: true, force: true });

if (skipped > 0) process.stdout.write(`\n${skipped} tests were skipped; each says why.\n`);
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
