import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { CaseDetail } from "@faultline/protocol";
import { Value } from "typebox/value";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type RunningPlatform, startPlatform, untilTraces } from "./platform.ts";

/** Traces of one variant that a snapshot can choose from: more than it keeps. */
const tracesWanted = 60;

describe("the first five minutes", () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    await platform.call("drill", "stop", "graphql-n-plus-one");
    await platform[Symbol.asyncDispose]();
  });

  it("lead from a symptom to a proof", { timeout: 400_000 }, async () => {
    const started = await platform.call("drill", "start", "graphql-n-plus-one", "--rate", "20");
    expect(started.stderr + started.stdout).toContain("case open");
    expect(started.code).toBe(0);
    await untilTraces(platform, { from: new Date(0).toISOString(), count: tracesWanted });

    const opened = await platform.call(
      "case",
      "open",
      "The order list is slow",
      "--subject",
      "service:orders",
      "--since",
      "5m",
      "--json",
    );
    expect(opened.stderr).toBe("");
    const before = readCase(opened.stdout);
    const leading = before.hypotheses[0]!;
    expect(leading.status).toBe("supported");
    expect(leading.contract).toBe("fan-out/repeated-query");
    const words = JSON.stringify([leading, before.findings]);
    expect(words).toMatch(/orders\.\*\.customer/);
    expect(words).toMatch(/select .* from \\*"?customers/i);
    expect(words).toMatch(/grows|per (element|item)/i);

    // Nothing was repaired: nothing is proved.
    const tooEarly = await platform.call(
      "case",
      "verify",
      "1",
      "--after",
      "--since",
      "5m",
      "--json",
    );
    expect(tooEarly.code).toBe(1);
    expect(readCase(tooEarly.stdout).summary.status).toBe("open");

    const repaired = await platform.call("drill", "repair", "graphql-n-plus-one", "--rate", "20");
    expect(repaired.code).toBe(0);
    const repairedAt = /--since (\S+Z)/.exec(repaired.stdout)?.[1] ?? "";
    await untilTraces(platform, { from: repairedAt, count: tracesWanted });

    const verified = await platform.call(
      "case",
      "verify",
      "1",
      "--after",
      "--since",
      repairedAt,
      "--json",
    );
    const after = readCase(verified.stdout);
    expect(after.verifications.at(-1)?.reasons).toEqual(expect.anything());
    expect(after.verifications.at(-1)?.outcome).toBe("proved");
    expect(after.summary.status).toBe("proved");
    expect(verified.code).toBe(0);

    const file = join(platform.folder, "report.html");
    const report = await platform.call("case", "report", "1", "--format", "html", "--output", file);
    expect(report.code).toBe(0);
    expect(await readFile(file, "utf8")).toContain("orders.*.customer");
    expect((await platform.call("case", "report", "1")).stdout).toMatch(/proved/);
  });
});

function readCase(text: string): CaseDetail {
  return Value.Parse(CaseDetail, JSON.parse(text));
}
