import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { Log, logStart } from "../src/index.ts";
import { signal } from "./log-fixture.ts";
import { numberedRecord, numberOf } from "./numbered-record.ts";

const writer = fileURLToPath(new URL("./writer-process.ts", import.meta.url));

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "faultline-full-"));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

async function openLog(folder: string): Promise<Log> {
  return await Log.open({
    folder,
    limits: { batchBytesMax: 16_384, segmentBytesMax: 262_144, bytesMax: 64 * 1024 * 1024 },
    clock: { nowMs: () => 1 },
    random: { bytes: (length) => new Uint8Array(length) },
    signal,
  });
}

async function numbersIn(log: Log): Promise<number[]> {
  const entries = await Array.fromAsync(log.read(logStart, signal));
  return entries.map(({ record }) => numberOf(record));
}

/** Only root may mount, and not in every container. */
function mount(folder: string): boolean {
  const words = ["-t", "tmpfs", "-o", "size=1m", "none", folder];
  return process.platform === "linux" && spawnSync("mount", words).status === 0;
}

describe("a log on a full disk", () => {
  it("refuses as full, keeps what it has, and goes on once there is room", async ({ skip }) => {
    if (!mount(root)) skip("this process may not mount a small file system");
    try {
      const ballast = join(root, "ballast");
      await writeFile(ballast, new Uint8Array(100_000));
      const kept: number[] = [];
      {
        await using log = await openLog(join(root, "journal"));
        const appendUntilFull = async (): Promise<void> => {
          const outcomes = await Promise.allSettled(
            Array.from({ length: 20 }, async () => {
              const number = next;
              next += 1;
              await log.append(numberedRecord(number));
              kept.push(number);
            }),
          );
          const refused = outcomes.filter(({ status }) => status === "rejected");
          for (const outcome of refused) {
            expect(outcome).toMatchObject({ reason: { code: "journal_full" } });
          }
          if (refused.length === 0) await appendUntilFull();
        };
        let next = 0;
        await appendUntilFull();
        expect(kept.length).toBeGreaterThan(1_000);
        expect(await numbersIn(log)).toEqual(kept);
        expect(log.failure).toBeUndefined();
        const keptBefore = kept.length;
        await rm(ballast);
        await appendUntilFull();
        expect(kept.length).toBeGreaterThan(keptBefore);
      }
      await using log = await openLog(join(root, "journal"));
      expect(await numbersIn(log)).toEqual(kept);
    } finally {
      spawnSync("umount", [root]);
    }
  });

  it("refuses as full when a file may not grow, also by the limit of the process", async () => {
    const folder = join(root, "journal");
    const command = `ulimit -f 64 && exec "$0" "$@"`;
    const { stdout, stderr, status } = spawnSync(
      "sh",
      ["-c", command, process.execPath, writer, folder, "0", "2000"],
      { encoding: "utf8" },
    );
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
    const lines = stdout.trim().split("\n");
    const kept = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    expect(lines.filter((line) => line.startsWith("journal_full")).length).toBeGreaterThan(0);
    expect(kept.length).toBeGreaterThan(50);
    await using log = await openLog(folder);
    expect(await numbersIn(log)).toEqual(kept);
  });
});
