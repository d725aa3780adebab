import { once } from "node:events";
import { closeSync, fstatSync, openSync, renameSync, writeSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";

import { openTemporaryFolder } from "@faultline/testkit";
import { expect, test } from "vitest";

import { type LogFiles, ServerLog, serverLogBytesMax } from "./server-log.ts";

test("keeps what is newest in two files of bounded size, and the last lines at hand", async () => {
  await using folder = await openTemporaryFolder();
  using log = ServerLog.open(join(folder.path, "server.log"));
  const stream = new PassThrough();
  log.follow(stream);
  const line = `${"x".repeat(65_535)}\n`;
  for (let written = 0; written < 3.5 * serverLogBytesMax; written += line.length) {
    if (!stream.write(line)) await new Promise((resolve) => stream.once("drain", resolve));
  }
  stream.end("the end\n");
  await finished(stream);

  expect((await readdir(folder.path)).sort()).toEqual(["server.log", "server.log.1"]);
  for (const name of ["server.log", "server.log.1"]) {
    expect((await stat(join(folder.path, name))).size).toBeLessThan(
      serverLogBytesMax + 2 * line.length,
    );
  }
  expect(await readFile(join(folder.path, "server.log"), "utf8")).toMatch(/the end\n$/);
  expect(log.tail().split("\n")).toHaveLength(30);
  expect(log.tail()).toMatch(/the end$/);
});

/** Files on the disk, of which the calls of one kind fail while `isFull` says so, as on a disk without space. */
function filesThatFail(failing: keyof LogFiles, isFull: () => boolean): LogFiles {
  const refuse = (kind: keyof LogFiles): void => {
    if (kind === failing && isFull())
      throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
  };
  return {
    open: (path) => (refuse("open"), openSync(path, "a")),
    sizeOf: (file) => fstatSync(file).size,
    write: (file, bytes) => (refuse("write"), writeSync(file, bytes)),
    rename: (from, to) => (refuse("rename"), renameSync(from, to)),
    close: closeSync,
  };
}

/** What is said through a pipe, piece by piece, with a full disk for the pieces from `fullFrom` until `fullTo`. */
async function logThrough(
  path: string,
  pieces: readonly string[],
  full: { readonly failing: keyof LogFiles; readonly from: number; readonly to: number },
): Promise<void> {
  let index = 0;
  const isFull = (): boolean => index >= full.from && index < full.to;
  using log = ServerLog.open(path, filesThatFail(full.failing, isFull));
  const stream = new PassThrough();
  log.follow(stream);
  for (const piece of pieces) {
    const taken = once(stream, "data");
    stream.write(piece);
    await taken;
    index += 1;
  }
  expect(log.tail().split("\n").at(-1)).toBe(pieces.at(-1)?.trim().slice(-65_536));
}

const pieces = ["one\n", "two\n", "three\nfour\n", "five\n", "six\n"];

test.each([0, 1, 2, 3])(
  "drops lines while the disk is full, from piece %i on, and says once how many",
  async (from) => {
    await using folder = await openTemporaryFolder();
    const path = join(folder.path, "server.log");
    await logThrough(path, pieces, { failing: "write", from, to: 4 });

    const written = await readFile(path, "utf8");
    const droppedCount = pieces.slice(from, 4).join("").trim().split("\n").length;
    expect(written.split("\n").filter((line) => line !== "")).toEqual([
      ...pieces
        .slice(0, from)
        .join("")
        .split("\n")
        .filter((line) => line !== ""),
      `faultline: ${droppedCount} lines of this log were dropped, because the disk did not take them.`,
      "six",
    ]);
  },
);

test.each(["open", "rename"] as const)(
  "outlives a turn of its file whose %s fails, and turns it later",
  async (failing) => {
    await using folder = await openTemporaryFolder();
    const path = join(folder.path, "server.log");
    // As large as it may be, so that the first piece is the last one before the turn.
    await writeFile(path, `${"x".repeat(serverLogBytesMax - 1)}\n`);
    await logThrough(path, ["before\n", "lost\n", "after\n"], { failing, from: 1, to: 2 });

    expect((await readFile(`${path}.1`, "utf8")).endsWith("before\n")).toBe(true);
    expect(await readFile(path, "utf8")).toMatch(/: 1 lines of this log were dropped.*\nafter\n$/s);
  },
);
