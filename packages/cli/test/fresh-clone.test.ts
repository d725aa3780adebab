import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type RunningPlatform, startPlatform, untilTraces, userEnvironment } from "./platform.ts";

const execute = promisify(execFile);
const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** Traces that a snapshot can choose from: more than it keeps. */
const tracesWanted = 40;

/** Nobody has installed anything: the files of the repository, the machine's Node and npm, and the README. */
describe("a fresh clone", () => {
  let folder: string;
  let platform: RunningPlatform;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "faultline-clone-"));
    const { stdout } = await execute(
      "git",
      ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
      { cwd: repository, maxBuffer: 64 * 1024 ** 2 },
    );
    for (const path of stdout.split("\0").filter((line) => line !== "")) {
      // A file that was removed and not committed yet is still listed.
      await cp(join(repository, path), join(folder, path)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
    platform = await startPlatform({ folder, command: ["npm", "start", "--"] });
  }, 300_000);
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("starts with npm start alone, and says what it installs", () => {
    expect(platform.output()).toMatch(/Installing the platform/);
    expect(platform.output()).toMatch(/Installed: \d+ MB in all/);
    expect(platform.output()).toContain(`Console      ${platform.url}`);
  });

  it(
    "leads from a symptom to a proof with the commands of the README",
    { timeout: 400_000 },
    async () => {
      const readme = await readFile(join(folder, "README.md"), "utf8");
      const section = readme.slice(
        readme.indexOf("## The first five minutes"),
        readme.indexOf("## Send your own traffic"),
      );
      const commands = section.split("\n").filter((line) => line.startsWith("npx faultline "));
      const actions = commands.map((line) => line.split(" ").slice(2, 4).join(" "));
      expect(actions).toEqual([
        "drill start",
        "case open",
        "drill repair",
        "case verify",
        "case report",
        "drill stop",
      ]);

      let repairedAt = "";
      const outputs = new Map<string, string>();
      for (const [index, command] of commands.entries()) {
        const action = actions[index] ?? "";
        if (action === "case open")
          await untilTraces(platform, { from: new Date(0).toISOString(), count: tracesWanted });
        if (action === "case verify")
          await untilTraces(platform, { from: repairedAt, count: tracesWanted });
        const { stdout } = await execute("sh", ["-c", command.replace("TIME", repairedAt)], {
          cwd: folder,
          env: userEnvironment({ FAULTLINE_URL: platform.url, FAULTLINE_KEY: platform.key }),
        });
        outputs.set(action, stdout);
        if (action === "drill repair") repairedAt = /--since (\S+Z)/.exec(stdout)?.[1] ?? "";
      }
      expect(outputs.get("case open")).toMatch(/supported\s+Resolver orders\.\*\.customer/);
      expect(outputs.get("case verify")).toMatch(/Verification\s+proved/);
      expect(outputs.get("case report")).toContain("**Proved");
      expect(outputs.get("drill stop")).toContain("Stopped");
    },
  );
});
