import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { takeWriterLock } from "./writer-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-lock-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const module = fileURLToPath(new URL("./writer-lock.ts", import.meta.url));

/** A process that takes the lock, says so, and holds it until it is ended. */
async function holder(): Promise<{ kill(): Promise<void> }> {
  const script = `import { takeWriterLock } from ${JSON.stringify(module)};
await takeWriterLock(${JSON.stringify(folder)});
process.stdout.write("held");
setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  expect(data.toString()).toBe("held");
  return {
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("the lock of the one writer", () => {
  it("is refused while another process holds it, and free once that one was killed", async () => {
    const other = await holder();
    await expect(takeWriterLock(folder)).rejects.toMatchObject({ code: "journal_locked" });
    await other.kill();
    await using lock = await takeWriterLock(folder);
    expect(lock).toBeDefined();
    // What the dead have left is gone.
    expect((await readdir(folder)).length).toBe(1);
  });

  it("is refused within the same process, free after disposal, and leaves nothing behind", async () => {
    {
      await using lock = await takeWriterLock(folder);
      expect(lock).toBeDefined();
      await expect(takeWriterLock(folder)).rejects.toMatchObject({ code: "journal_locked" });
    }
    expect(await readdir(folder)).toEqual([]);
    await using again = await takeWriterLock(folder);
    expect(again).toBeDefined();
  });

  it("has one holder at most, however many contend at once over what the dead have left", async () => {
    for (let round = 0; round < 10; round += 1) {
      await writeFile(join(folder, "writer-7.sock"), "");
      await writeFile(join(folder, "writer-9.sock"), "");
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, async () => await takeWriterLock(folder)),
      );
      const held = outcomes.filter((outcome) => outcome.status === "fulfilled");
      expect(held.length).toBeLessThanOrEqual(1);
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") {
          expect(outcome.reason).toMatchObject({ code: "journal_locked" });
        }
      }
      for (const { value } of held) await value[Symbol.asyncDispose]();
      // Nobody holds it now, so it can be taken.
      await using lock = await takeWriterLock(folder);
      expect(lock).toBeDefined();
    }
  });

  it.runIf(process.platform === "linux")("stands in folders of long names too", async () => {
    const deep = join(folder, "x".repeat(120), "y".repeat(120));
    await mkdir(deep, { recursive: true });
    {
      await using lock = await takeWriterLock(deep);
      expect(lock).toBeDefined();
      await expect(takeWriterLock(deep)).rejects.toMatchObject({ code: "journal_locked" });
    }
    expect(await readdir(deep)).toEqual([]);
  });

  it("says what is wrong with a folder that is not there", async () => {
    await expect(takeWriterLock(join(folder, "none"))).rejects.toMatchObject({ code: "ENOENT" });
  });
});
