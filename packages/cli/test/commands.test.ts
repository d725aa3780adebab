import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { commands } from "../src/commands/index.ts";
import { call, faultline } from "./platform.ts";

const exitUsage = 64;
const exitFailure = 70;

let folder: string;
const openPipes: FileHandle[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-commands-"));
});
afterAll(async () => {
  for (const pipe of openPipes) await pipe.close();
  await rm(folder, { recursive: true, force: true });
});

describe("every command", () => {
  it.each(Object.keys(commands))("%s explains its options", async (name) => {
    const { code, stdout, stderr } = await call([name, "--help"], { folder });
    expect(stderr).toBe("");
    expect(stdout).toContain(`faultline ${name}: `);
    expect(stdout).toContain("Usage:");
    expect(code).toBe(0);
  });

  it.each(Object.keys(commands))("%s refuses an option that it does not know", async (name) => {
    const { code, stdout, stderr } = await call([name, "--frobnicate"], { folder });
    expect(stdout).toBe("");
    expect(stderr).toContain("--frobnicate");
    expect(stderr).toContain("Usage: faultline");
    expect(code).toBe(exitUsage);
  });
});

describe("the command line", () => {
  it("lists the commands when called alone", async () => {
    const { code, stdout } = await call([], { folder });
    for (const name of Object.keys(commands))
      expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(code).toBe(0);
  });

  it("prints its version", async () => {
    expect((await call(["--version"], { folder })).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it("suggests the command that a mistyped one most likely means", async () => {
    const { code, stderr } = await call(["chekc"], { folder });
    expect(stderr).toContain("Did you mean 'check'?");
    expect(code).toBe(exitUsage);
  });

  it("says where a key comes from when there is none", async () => {
    const { code, stderr } = await call(["case", "list"], { folder });
    expect(stderr).toContain("key_missing");
    expect(stderr).toContain("FAULTLINE_KEY");
    expect(code).toBe(exitFailure);
  });

  it("says that nothing answers, and how to start it", async () => {
    const { code, stderr } = await call(
      ["case", "list", "--url", "http://127.0.0.1:1", "--key", "fl_x"],
      {
        folder,
      },
    );
    expect(stderr).toContain("control_unavailable");
    expect(stderr).toContain("faultline up");
    expect(code).toBe(exitFailure);
  });

  it("says so when something else listens at the address", async () => {
    const server = createServer((_request, response) => response.end("<h1>hello</h1>")).listen(
      0,
      "127.0.0.1",
    );
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await call(
      ["case", "list", "--url", `http://127.0.0.1:${port}`, "--key", "fl_x"],
      { folder },
    );
    server.close();
    expect(stderr).toMatch(/not its schema|none of Faultline's/);
    expect(code).toBe(exitFailure);
  });
});

describe("faultline check", () => {
  it("ends at once when it is told to stop while it waits for a file", async () => {
    const pipe = join(folder, "never-written.json");
    spawnSync("mkfifo", [pipe]);
    const child = spawn(process.execPath, [faultline, "check", pipe], { stdio: "ignore" });
    await untilOpened(child, pipe);
    child.kill("SIGTERM");
    const [, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    expect(signal).toBe("SIGTERM");
  });

  it("says nothing when the reader of its output has gone", async () => {
    const child = spawn(process.execPath, [faultline, "check", "--help"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    child.stdout.destroy();
    const noise: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => noise.push(chunk));
    await once(child, "close");
    expect(Buffer.concat(noise).toString()).toBe("");
  });
});

describe("faultline up and doctor", () => {
  it("refuse a setting that does not exist, with the line and the nearest name", async () => {
    await writeFile(join(folder, "wrong.yaml"), "host: 127.0.0.1\nprot: 4600\n");
    for (const name of ["up", "doctor"]) {
      const { code, stderr } = await call([name, "--config", "wrong.yaml"], { folder });
      expect(stderr).toContain("configuration_invalid");
      expect(stderr).toContain("wrong.yaml:2");
      expect(stderr).toContain("port");
      expect(code).toBe(exitFailure);
    }
  });

  it("say that the port is taken, and how to choose another", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    const up = await call(["up", "--port", String(port)], { folder });
    const doctor = await call(["doctor", "--port", String(port), "--json"], { folder });
    server.close();
    expect(up.stderr).toContain("port_taken");
    expect(up.stderr).toContain("--port");
    expect(up.code).toBe(exitFailure);
    expect(JSON.parse(doctor.stdout)).toContainEqual(
      expect.objectContaining({ name: "port", verdict: "fail" }),
    );
    expect(doctor.code).toBe(1);
  });

  it("explain every setting with its value and its origin", async () => {
    const { code, stdout } = await call(
      ["doctor", "--port", "4699", "--data", join(folder, "data")],
      {
        folder,
        environment: { FAULTLINE_STORE_RETENTION_DAYS: "3" },
      },
    );
    expect(stdout).toMatch(/port\s+4699\s+--port/);
    expect(stdout).toMatch(/store\.retentionDays\s+3\s+.*FAULTLINE_STORE_RETENTION_DAYS/);
    expect(stdout).toMatch(/host\s+127\.0\.0\.1\s+default/);
    expect(code).toBe(0);
  });
});

describe("faultline backup", () => {
  it("refuses what is not an archive, by name", async () => {
    await writeFile(join(folder, "garbage.tar"), "this is no archive");
    const { code, stderr } = await call(["backup", "verify", "garbage.tar"], { folder });
    expect(stderr).toContain("backup_corrupt");
    expect(code).toBe(exitFailure);
  });
});

/** A pipe can be opened for writing without waiting only once somebody reads it. */
async function untilOpened(child: ChildProcess, pipe: string): Promise<void> {
  while (child.exitCode === null) {
    const file = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined);
    if (file !== undefined) {
      // It stays open until the test ends: closing it would be the end of the file.
      openPipes.push(file);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("the terms of a key", () => {
  it.each([
    ["--rpm", "0", "a whole number from 1"],
    ["--tpm", "many", "a whole number from 1"],
    ["--priority", "urgent", "one of interactive, standard, batch"],
    ["--total-timeout", "soon", "a duration such as"],
  ])("%s does not take %s", async (option, value, words) => {
    const { code, stderr } = await call(["key", "set", "id", option, value, "--key", "fl_x"], {
      folder,
    });
    expect(stderr).toContain(words);
    expect(code).toBe(exitUsage);
  });
});
