import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { finished } from "node:stream/promises";

import { openTemporaryFolder } from "@faultline/testkit";
import { expect, test } from "vitest";

import { ServerLog, serverLogBytesMax } from "./server-log.ts";

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
