import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { call, type RunningPlatform, startPlatform } from "./platform.ts";

const exitUsage = 64;
const exitFailure = 70;

describe("faultline bundle put", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "faultline-bundle-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function put(text: string): Promise<string> {
    await writeFile(join(folder, "support.yaml"), text);
    const { code, stderr } = await call(["bundle", "put", "support", "support.yaml"], { folder });
    expect(code).toBe(exitUsage);
    return stderr;
  }

  it("names every fault with its place in the file", async () => {
    const stderr = await put(
      [
        "targets:",
        "  - model: simulated",
        "    wieght: 3",
        "parameters:",
        "  defaults: { temperature: 9 }",
      ].join("\n"),
    );
    expect(stderr).toContain(
      "support.yaml, line 3, column 13: /targets/0/wieght: there is no such",
    );
    expect(stderr).toContain("did you mean weight?");
    expect(stderr).toContain("line 5, column 28: /parameters/defaults/temperature: ");
  });

  it("names the place within a condition, a prompt and a pattern", async () => {
    const stderr = await put(
      [
        "targets:",
        "  - model: simulated",
        "    when: request.stream && request.modle == 'x'",
        "systemPrompt:",
        "  text: |",
        "    You help customers.",
        "    Their name is {{ customer }}.",
        "safety:",
        "  output: [{ id: a, action: refuse, match: { kind: pattern, pattern: '(?=x)' } }]",
      ].join("\n"),
    );
    expect(stderr).toMatch(
      /line 3, column \d+: \/targets\/0\/when: The condition cannot be used: /,
    );
    expect(stderr).toContain("line 7, column 19: /systemPrompt/text: The variable {{ customer }}");
    expect(stderr).toMatch(/line 9, column 71: \/safety\/output\/0\/match\/pattern: .*RE2/);
  });

  it("says what YAML cannot be read", async () => {
    expect(await put("targets: [")).toMatch(/support\.yaml, line 1, column \d+: /);
    expect(await put("")).toContain("targets");
  });
});

describe("faultline bundle", () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
  });

  async function bundle(...words: string[]): Promise<string> {
    const { code, stdout, stderr } = await platform.call("bundle", ...words);
    expect(stderr).toBe("");
    expect(code).toBe(0);
    return stdout;
  }
  const write = (text: string) =>
    writeFile(
      join(platform.folder, "b.yaml"),
      `targets: [{ model: simulated }]\nsystemPrompt: { text: "${text}" }\n`,
    );

  it("takes a behaviour from a file to every caller, and back", async () => {
    await write("Be brief.");
    expect(await bundle("put", "chat", "b.yaml")).toMatch(/^chat@1 is new: sha256:[0-9a-f]{64}\n$/);
    expect(await bundle("put", "chat", "b.yaml")).toContain("is there already");
    await write("Be kind.");
    expect(await bundle("put", "chat", "b.yaml")).toContain("chat@2 is new");

    expect(await bundle("diff", "chat")).toBe(
      'chat@1 → chat@2\n/systemPrompt/text\n  - "Be brief."\n  + "Be kind."\n',
    );
    expect(await bundle("show", "chat@1")).toContain("text: Be brief.");

    const set = await bundle("alias", "support", "chat@1", "--sticky", "X-User-Id");
    expect(set).toBe("support points at chat@1 (by x-user-id).\n");
    expect(await bundle("rollout", "support", "chat")).toContain("chat@1, 1 % chat@2");
    expect(await bundle("rollout", "support")).toContain("10 % chat@2");
    expect(await bundle("rollback", "support")).toContain("points at chat@1 (by x-user-id) again");
    expect(await bundle("rollout", "support", "chat@2", "--percent", "100")).toContain("at chat@2");
    expect(await bundle("alias", "support")).toMatch(/^5 .*rollout.*chat@2/m);
    expect(await bundle("list")).toMatch(/support +chat@2 \(by x-user-id\)/);
  });

  it("kills and revives", async () => {
    const killed = await bundle("kill", "provider", "simulated", "--reason", "it lies");
    expect(killed).toContain("no gateway process admits it any more");
    expect(await bundle("kill")).toMatch(/provider simulated +killed .*it lies/);
    expect(await bundle("revive", "provider", "simulated")).toContain("Revived provider simulated");
  });

  it("shows the place in the file of what only the server knows", async () => {
    await writeFile(
      join(platform.folder, "b.yaml"),
      "# a comment\ntargets: [{ model: simulatde }]\n",
    );
    const { code, stderr } = await platform.call("bundle", "put", "chat", "b.yaml");
    expect(stderr).toContain("Did you mean simulated");
    expect(stderr).toContain("where: b.yaml, line 2, column 20");
    expect(code).toBe(exitFailure);
  });

  it("explains a call that it cannot read", async () => {
    for (const [form, ...words] of [
      ["put NAME FILE"],
      ["put NAME FILE", "pot"],
      ["put NAME FILE", "put", "x"],
      ["rollout ALIAS", "rollout", "x", "y", "z"],
      ["kill", "kill", "cat", "tom"],
    ]) {
      const { code, stderr } = await platform.call("bundle", ...words);
      expect(stderr).toContain(`Usage: faultline bundle ${form}`);
      expect(code).toBe(exitUsage);
    }
  });
});
