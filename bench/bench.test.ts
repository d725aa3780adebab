import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

const entry = fileURLToPath(new URL("./main.ts", import.meta.url));

describe("npm run bench", () => {
  it("prints every table, small", { timeout: 900_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [entry, "--small"]);
    expect(stdout.match(/^[a-z-]+$/gm)).toEqual(
      expect.arrayContaining([
        "startup",
        "contracts",
        "scheduling",
        "otlp",
        "gateway",
        "gateway-forms",
        "gateway-credit",
        "gateway-slow-streams",
        "gateway-latency",
        "gateway-idle",
        "gateway-growth",
        "journal",
        "journal-store",
        "ledger",
      ]),
    );
    expect(stdout.match(/hash of the result\s+[0-9a-f]{16}/g)?.length).toBeGreaterThanOrEqual(13);
  });

  it("names the benchmarks when one is mistyped", async () => {
    const failure = await promisify(execFile)(process.execPath, [entry, "contract"]).then(
      () => undefined,
      (error: { code: number; stderr: string }) => error,
    );
    expect(failure?.code).toBe(64);
    expect(failure?.stderr).toContain("There are: startup, contracts, scheduling, ");
  });
});
