/** What `faultline check` can be asked for beside a plain report. */

import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OptionValues } from "../src/command.ts";
import { command as check } from "../src/commands/check.ts";
import { command as contract } from "../src/commands/contract.ts";
import { orderTrace } from "./order-trace.ts";
import { runIn } from "./run-command.ts";

let folder = "";
const run = runIn(() => folder);
const own = `
contracts:
  - id: shop/no-customers-by-id
    promise: Customers are not loaded one by one.
    boundary: resolver-database
    over: span
    where: '"db.query.text" in span.attributes'
    expect: '!span.attributes["db.query.text"].endsWith("WHERE id = $1")'
    message: loads {{ span.attributes["db.query.text"] }}
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "faultline-faces-"));
  await writeFile(join(folder, "slow.json"), orderTrace(12, "one-by-one"));
  await writeFile(join(folder, "fast.json"), orderTrace(12, "batched"));
  await writeFile(join(folder, "short.json"), orderTrace(2, "one-by-one"));
  await writeFile(join(folder, "own.yaml"), own);
  await writeFile(join(folder, "wrong.yaml"), own.replace("span.attributes[", "spam.attributes["));
});
afterAll(async () => await rm(folder, { recursive: true, force: true }));

const only = { contract: ["fan-out/repeated-query"] };

describe("faultline check", () => {
  it.each([
    ["junit", /^<\?xml[^]*<failure message="[^]*<\/testsuites>\n$/],
    ["markdown", /^# Faultline check: 1 contract violation\n[^]*## Violated/],
  ])("prints %s", async (format, shape) => {
    const { output, code } = await run(check, ["slow.json"], { options: { format, ...only } });
    expect(output).toMatch(shape);
    expect(code).toBe(1);
  });

  it("takes what an earlier report has as violated for known", async () => {
    const { output } = await run(check, ["slow.json"], { options: { format: "json", ...only } });
    await writeFile(join(folder, "baseline.json"), output);
    const options = { baseline: join(folder, "baseline.json"), ...only };
    const known = await run(check, ["slow.json"], { options });
    expect(known.code).toBe(0);
    expect(known.output).toContain("1 violation known from the baseline, 0 fixed since.");
    const fixed = await run(check, ["fast.json"], { options });
    expect(fixed.output).toContain("✓ fixed  shop query Orders orders.*.customer");
    await expect(
      run(check, ["slow.json"], { options: { baseline: join(folder, "slow.json") } }),
    ).rejects.toThrow("no report of an earlier check");
  });

  it("fails on what it is told to fail on", async () => {
    const codes = await Promise.all(
      ["violated", "inconclusive", "never"].map(
        async (verdict) =>
          (await run(check, ["short.json"], { options: { "fail-on": verdict, ...only } })).code,
      ),
    );
    expect(codes).toEqual([3, 1, 0]);
  });

  it("sets options of contracts, and says what an option takes", async () => {
    const setting = (text: string) =>
      run(check, ["slow.json"], { options: { ...only, set: [`fan-out/repeated-query.${text}`] } });
    expect((await setting("countMin=13")).code).not.toBe(1);
    await expect(setting("countMn=13")).rejects.toThrow("Did you mean countMin?");
    await expect(setting("countMin=many")).rejects.toThrow("takes a number");
    await expect(setting("countMin")).rejects.toThrow("ID.OPTION=VALUE");
    await expect(
      run(check, ["slow.json"], { options: { ...only, set: ["tool-call/schema.x=1"] } }),
    ).rejects.toThrow("this check does not run");
  });

  it("runs contracts of one's own beside the shipped ones", async () => {
    const options = {
      contracts: [join(folder, "own.yaml")],
      contract: ["shop/no-customers-by-id"],
    };
    const { output, code } = await run(check, ["slow.json"], { options });
    expect(code).toBe(1);
    expect(output).toContain("loads SELECT * FROM customers WHERE id = $1");
    await expect(
      run(check, ["slow.json"], { options: { contracts: [join(folder, "wrong.yaml")] } }),
    ).rejects.toThrow(/wrong\.yaml, line 8, column \d+: expect: There is no variable spam/);
  });

  it("checks again when a file is put in the place of the old one", async () => {
    const watched = join(folder, "watched.json");
    await writeFile(watched, orderTrace(12, "one-by-one"));
    const stop = new AbortController();
    const { output } = await run(check, ["watched.json"], {
      options: { watch: true, ...only },
      signal: stop.signal,
      onPrint: (text) => {
        if (text.includes("1 hold")) stop.abort();
      },
      onNote: (text) => {
        if (!text.startsWith("Watching")) return;
        writeFileSync(join(folder, "next.json"), orderTrace(12, "batched"));
        renameSync(join(folder, "next.json"), watched);
      },
    });
    expect(output).toMatch(/1 violated[^]*1 hold/);
    await expect(run(check, ["-"], { options: { watch: true } })).rejects.toThrow("--watch");
  });
});

/** Watches `paths`; `steps` are done one after another, each when the output of the one before has come. */
async function watchWith(
  paths: readonly string[],
  options: OptionValues,
  steps: readonly { readonly act: () => void; readonly until: RegExp }[],
): Promise<string> {
  const stop = new AbortController();
  const seen: string[] = [];
  let at = -1;
  const next = (): void => {
    seen.length = 0;
    at += 1;
    const step = steps[at];
    if (step === undefined) stop.abort();
    else step.act();
  };
  const look = (text: string): void => {
    seen.push(text);
    if (at >= 0 && steps[at]?.until.test(seen.join("\n")) === true) next();
    if (at < 0 && text.startsWith("Watching")) next();
  };
  const { output, notes } = await run(check, paths, {
    options: { watch: true, ...options },
    signal: stop.signal,
    onPrint: look,
    onNote: look,
  });
  return `${output}\n${notes}`;
}

describe("faultline check --watch", () => {
  it("sees a folder that is taken away and put back, and passes over hidden names", async () => {
    const dumps = join(folder, "dumps");
    mkdirSync(dumps);
    writeFileSync(join(dumps, "a.json"), orderTrace(12, "one-by-one"));
    await watchWith(["dumps"], only, [
      { act: () => rmSync(dumps, { recursive: true }), until: /0 violated/ },
      {
        act: () => {
          mkdirSync(join(folder, "made.tmp"));
          writeFileSync(join(folder, "made.tmp", "a.json"), orderTrace(12, "batched"));
          renameSync(join(folder, "made.tmp"), dumps);
        },
        until: /1 hold/,
      },
      {
        act: () => {
          writeFileSync(join(dumps, ".hidden.json"), orderTrace(12, "one-by-one"));
          writeFileSync(join(dumps, "a.json"), orderTrace(12, "one-by-one"));
        },
        until: /1 violated/,
      },
    ]);
    rmSync(dumps, { recursive: true });
  });

  it("reads contracts of one's own again when they change, and goes on when they are wrong", async () => {
    const path = join(folder, "edited.yaml");
    writeFileSync(path, own);
    const options = { contracts: [path], contract: ["shop/no-customers-by-id"] };
    await watchWith(["slow.json"], options, [
      {
        act: () => writeFileSync(path, own.replace("over: span", "over: spam")),
        until: /'spam' is none/,
      },
      { act: () => writeFileSync(path, own.replace("id = $1", "id = $9")), until: /1 hold/ },
    ]);
  });
});

describe("words of others in a terminal", () => {
  const escape = "\\e[31m";

  it("carry no control characters", async () => {
    const example = `    examples:
      - { name: "red${escape}", verdict: holds, evidence: [{ kind: Pod, apiVersion: v1, metadata: { name: a } }] }
`;
    await writeFile(join(folder, "red.yaml"), own + example);
    const { output } = await run(contract, ["test", "red.yaml"]);
    expect(output).toContain("red");
    expect(output).not.toContain("\u001b");
    await writeFile(join(folder, "bad.yaml"), `${own}    "x${escape}": 1\n`);
    const refused = await run(contract, ["test", "bad.yaml"]).catch((error: unknown) =>
      String(error),
    );
    expect(refused).toContain("there is no such field");
    expect(refused).not.toContain("\u001b");
  });
});

describe("faultline contract", () => {
  it("lists every contract by boundary, and as JSON", async () => {
    const { output } = await run(contract, ["list"]);
    expect(output).toMatch(/resolver-database\n[^]*fan-out\/repeated-query[^]*model-tool\n/);
    const list: unknown = JSON.parse(
      (await run(contract, ["list"], { options: { json: true } })).output,
    );
    expect(list).toContainEqual(
      expect.objectContaining({ id: "tool-call/schema", isControl: false }),
    );
  });

  it("explains a contract with its options and its page", async () => {
    const { output } = await run(contract, ["explain", "fan-out/repeated-query"]);
    expect(output).toMatch(/countMin +5 +Calls of one shape/);
    expect(output).toContain("## When it is inconclusive");
    await expect(run(contract, ["explain", "fan-out/repeated-querys"])).rejects.toThrow(
      "Did you mean fan-out/repeated-query?",
    );
  });

  it("runs the examples of own contracts", async () => {
    const example = `    examples:
      - { name: nothing to say, verdict: nothing, evidence: [{ kind: Pod, apiVersion: v1, metadata: { name: a } }] }
`;
    await writeFile(join(folder, "tested.yaml"), own + example);
    expect(await run(contract, ["test", "tested.yaml"])).toMatchObject({
      code: 0,
      output: expect.stringContaining("✓ shop/no-customers-by-id: nothing to say"),
    });
    await writeFile(
      join(folder, "failing.yaml"),
      own + example.replace("verdict: nothing", "verdict: holds"),
    );
    const failing = await run(contract, ["test", "failing.yaml"]);
    expect(failing.code).toBe(1);
    expect(failing.output).toContain("expected holds, got nothing");
    await expect(run(contract, ["test", "wrong.yaml"])).rejects.toThrow("cannot be used");
  });
});
