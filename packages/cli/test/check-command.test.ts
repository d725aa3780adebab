/** `faultline check` and `faultline snapshot` on real files. */

import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CheckReport } from "@faultline/contracts";
import { Value } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OptionValues } from "../src/command.ts";
import { command as check } from "../src/commands/check.ts";
import { command as snapshot } from "../src/commands/snapshot.ts";
import { orderTrace as trace } from "./order-trace.ts";
import { runIn } from "./run-command.ts";

let folder = "";
const run = runIn(() => folder);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-check-"));
  await mkdir(join(folder, "dumps", "node_modules"), { recursive: true });
  await mkdir(join(folder, "dumps", ".hidden"));
  await writeFile(join(folder, "slow.json"), trace(12, "one-by-one"));
  await writeFile(join(folder, "fast.json"), trace(12, "batched"));
  await writeFile(join(folder, "short.json"), trace(2, "one-by-one"));
  await writeFile(join(folder, "other.json"), trace(0, "one-by-one"));
  await writeFile(join(folder, "bad.json"), '{"resourceSpans": [');
  await writeFile(join(folder, "dumps", "fast.json"), trace(12, "batched"));
  await writeFile(join(folder, "dumps", "node_modules", "slow.json"), trace(12, "one-by-one"));
  await writeFile(join(folder, "dumps", ".hidden", "slow.json"), trace(12, "one-by-one"));
  await symlink(folder, join(folder, "dumps", "loop"));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

describe("faultline check", () => {
  it.each([
    ["0 when the contracts hold", ["fast.json"], 0],
    ["1 when one is violated", ["slow.json"], 1],
    ["1 even when a file cannot be read", ["slow.json", "bad.json"], 1],
    ["2 when a file cannot be read", ["fast.json", "bad.json"], 2],
    ["2 when a file is not there", ["nothing.json"], 2],
    ["3 when nothing is firm", ["short.json"], 3],
    ["3 when nothing concerns a contract", ["other.json"], 3],
  ])("exits with %s", async (...row) => {
    const [, words, code] = row;
    expect((await run(check, words)).code).toBe(code);
  });

  it("does not let silence look like health", async () => {
    const { output } = await run(check, ["other.json"]);
    expect(output).toContain("1 trace with 4 spans: no contract had anything to judge.");
    expect(output).toContain("0 violated · 0 hold · 0 inconclusive · 0 unreadable");
    expect(check.notes?.join(" ")).toContain("3 inconclusive only, or nothing to judge");
  });

  it("walks folders, but not hidden ones, installed packages and links in circles", async () => {
    const { code, output } = await run(check, ["dumps"]);
    expect(code).toBe(0);
    expect(output).toContain("1 hold");
  });

  it("passes over what is no evidence in a folder and says so, and refuses it where it is named", async () => {
    await mkdir(join(folder, "mixed.d"));
    await writeFile(join(folder, "mixed.d", "README.md"), "# What stands here\n");
    await writeFile(join(folder, "mixed.d", "fast.json"), trace(12, "batched"));
    const { code, output } = await run(check, ["mixed.d"]);
    expect(code).toBe(0);
    expect(output).toMatch(/1 file in no known form passed over: .*README\.md/);
    expect((await run(check, ["mixed.d/README.md", "mixed.d"])).code).toBe(2);
    await writeFile(join(folder, "mixed.d", "cut.json"), '{"resourceSpans": [');
    expect((await run(check, ["mixed.d"])).code).toBe(2);
  });

  it("reads standard input", async () => {
    const { code, output } = await run(check, ["-"], { input: trace(12, "one-by-one") });
    expect(code).toBe(1);
    expect(output).toContain("violated  shop query Orders orders.*.customer");
  });

  it("prints a report that fits the published schema, and tells a person what was not read", async () => {
    const { output, notes } = await run(check, ["slow.json", "bad.json"], {
      options: { format: "json" },
    });
    const report: unknown = JSON.parse(output);
    expect([...Value.Errors(CheckReport, report)]).toEqual([]);
    expect(report).toMatchObject({ exitCode: 1, unreadable: [{ name: join(folder, "bad.json") }] });
    expect(notes).toContain("bad.json");
  });

  it("prints SARIF", async () => {
    const { output } = await run(check, ["slow.json"], { options: { format: "sarif" } });
    expect(JSON.parse(output)).toMatchObject({
      version: "2.1.0",
      runs: [{ results: [{ kind: "fail" }] }],
    });
  });

  it("runs only the contracts that it is asked for, and knows a near miss", async () => {
    const only = await run(check, ["slow.json"], {
      options: { contract: ["calls/requests-succeed"] },
    });
    expect(only.output).not.toContain("fan-out/repeated-query");
    await expect(
      run(check, ["slow.json"], { options: { contract: ["fan-out/repeated-querys"] } }),
    ).rejects.toThrow("Did you mean fan-out/repeated-query?");
  });

  it("refuses a format that it does not know, and a call without a path", async () => {
    await expect(run(check, ["slow.json"], { options: { format: "xml" } })).rejects.toThrow(
      "text, json, sarif",
    );
    await expect(run(check, [])).rejects.toThrow("needs a file");
  });
});

describe("faultline snapshot", () => {
  const into = (name: string): OptionValues => ({ out: join(folder, name) });

  it("freezes evidence into a file that is checked to the same verdict", async () => {
    expect(
      (await run(snapshot, ["create", "slow.json"], { options: into("a.faultline") })).code,
    ).toBe(0);
    const [fromFile, fromTrace] = [
      await run(check, ["a.faultline"]),
      await run(check, ["slow.json"]),
    ];
    expect(fromFile).toEqual(fromTrace);
  });

  it("writes the same bytes for the same evidence", async () => {
    await run(snapshot, ["create", "slow.json", "fast.json"], { options: into("b.faultline") });
    await run(snapshot, ["create", "fast.json", "slow.json"], { options: into("c.faultline") });
    expect(await readFile(join(folder, "b.faultline"))).toEqual(
      await readFile(join(folder, "c.faultline")),
    );
  });

  it("shows what a snapshot holds", async () => {
    await run(snapshot, ["create", "slow.json"], { options: into("d.faultline") });
    const { output } = await run(snapshot, ["show", "d.faultline"]);
    expect(output).toMatch(/sha256:[0-9a-f]{12}….*trace.*28 spans.*otlp-json/);
    const { output: json } = await run(snapshot, ["show", "d.faultline"], {
      options: { json: true },
    });
    expect(JSON.parse(json)).toMatchObject({ evidence: [{ kind: "trace" }] });
  });

  it("takes secrets out and keeps the verdict", async () => {
    await writeFile(
      join(folder, "secret.json"),
      trace(12, "one-by-one").replace("$1", "'ann@corp.org'"),
    );
    await run(snapshot, ["create", "secret.json"], { options: into("e.faultline") });
    const { output, code } = await run(snapshot, ["redact", "e.faultline"], {
      options: into("f.faultline"),
    });
    expect(code).toBe(0);
    expect(output).toContain("sql-literal");
    expect((await run(check, ["f.faultline"])).code).toBe(1);
    expect(
      (await run(check, ["f.faultline"], { options: { format: "json" } })).output,
    ).not.toContain("ann@corp");
  });

  it("says what is wrong with a file that is no snapshot, and exits with 2", async () => {
    for (const action of ["show", "redact"]) {
      const { code, notes } = await run(snapshot, [action, "slow.json"], {
        options: into("g.faultline"),
      });
      expect(code).toBe(2);
      expect(notes).toContain("zip archive");
    }
  });

  it("writes nothing when nothing can be read", async () => {
    const { code, notes } = await run(snapshot, ["create", "bad.json"], {
      options: into("h.faultline"),
    });
    expect(code).toBe(2);
    expect(notes).toContain("Nothing was written");
    await expect(readFile(join(folder, "h.faultline"))).rejects.toThrow("ENOENT");
  });
});
