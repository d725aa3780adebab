import { existsSync, lstatSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { makeRuntimeFolder } from "./runtime-folder.ts";

/** A data folder that no other test names. */
function dataFolder(): string {
  return `/test/${process.pid}/${process.hrtime.bigint()}`;
}

describe("makeRuntimeFolder", () => {
  it("makes a short private folder and removes it when it is disposed", async () => {
    const stack = new AsyncDisposableStack();
    const folder = await makeRuntimeFolder(dataFolder(), stack);
    expect(lstatSync(folder).mode & 0o777).toBe(0o700);
    expect(path.join(folder, "control.sock").length).toBeLessThan(107);
    await stack.disposeAsync();
    expect(existsSync(path.dirname(folder))).toBe(false);
  });

  it("takes over what a killed predecessor on the same data folder left", async () => {
    const data = dataFolder();
    const killed = await makeRuntimeFolder(data, new AsyncDisposableStack());
    writeFileSync(path.join(killed, "control.sock"), "");
    await using stack = new AsyncDisposableStack();
    const folder = await makeRuntimeFolder(data, stack);
    expect(path.dirname(folder)).toBe(path.dirname(killed));
    expect(existsSync(killed)).toBe(false);
  });

  it("does not follow what somebody else put in its place", async () => {
    const data = dataFolder();
    const probe = new AsyncDisposableStack();
    const folder = path.dirname(await makeRuntimeFolder(data, probe));
    await probe.disposeAsync();
    symlinkSync(tmpdir(), folder);
    await using stack = new AsyncDisposableStack();
    expect(path.dirname(await makeRuntimeFolder(data, stack))).not.toBe(folder);
    rmSync(folder);
  });
});
