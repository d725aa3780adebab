import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { call, type Call, type RunningPlatform, startPlatform } from "./platform.ts";

describe("faultline ledger export", () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
    await platform.call("ledger", "grant", "1");
    await platform.call("ledger", "hold", "place", "0.5", "--id", "op-1");
    await platform.call("ledger", "hold", "settle", "op-1", "0.2");
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
  });

  /** `faultline ledger export | faultline check - …` */
  async function piped(...words: string[]): Promise<Call> {
    const exported = await platform.call("ledger", "export");
    expect(exported).toMatchObject({ code: 0, stderr: "" });
    const { folder } = platform;
    return await call(["check", "-", ...words], { folder, input: exported.stdout });
  }

  it("gives all of the ledger to check, which finds that it agrees", async () => {
    const checked = await piped();
    expect(checked.stdout).toMatch(/0 violated · 5 hold · 0 inconclusive/);
    expect(checked.code).toBe(0);
    const saved = await platform.call("ledger", "export", "--since", "1h", "--out", "ledger.jsonl");
    expect(saved).toMatchObject({ code: 0, stdout: "", stderr: "Wrote ledger.jsonl.\n" });
    const text = await readFile(join(platform.folder, "ledger.jsonl"), "utf8");
    expect(text.split("\n")[0]).toMatch(/^\{"faultline":"ledger","version":1,/);
  });

  it("shows use that no provider invoiced, with the entry that settles it", async () => {
    const invoice =
      "provider,model,currency,amount,from,until\nopenai,gpt,USD,0.05,2020-01-01,2026-01-01\n";
    await writeFile(join(platform.folder, "invoice.csv"), invoice);
    const checked = await piped("invoice.csv");
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain("ledger/cost-matches-invoice");
    expect(checked.stdout).toContain(
      "For openai/gpt the provider invoices 50000 micros of USD, and 0 were charged",
    );
    expect(checked.stdout.replaceAll(/\s+/g, " ")).toMatch(
      /reconcile-invoice\/\d+-\d+\/[0-9a-f]{32}\/0, which takes 50000 micros of USD/,
    );
  });

  it("proves in a case with that invoice that the entry settles it", async () => {
    const invoice = ["--invoice", "invoice.csv"];
    const reconciled = await platform.call("ledger", "reconcile", ...invoice);
    expect(reconciled.stdout).toContain("--subject ledger:openai/gpt --invoice FILE");
    const about = ["case", "open", "The invoice differs", "--subject"];
    const misplaced = await platform.call(...about, "service:orders", ...invoice);
    expect(misplaced.stderr).toContain("beside a ledger only");
    const opened = await platform.call(...about, "ledger:openai/gpt", ...invoice, "--json");
    expect(opened.code).toBe(0);
    const { summary } = JSON.parse(opened.stdout) as { summary: { number: number } };
    const number = String(summary.number);
    const early = await platform.call("case", "verify", number, "--after");
    expect(early.code).toBe(1);
    await platform.call("ledger", "reconcile", ...invoice, "--apply");
    expect((await platform.call("ledger", "reconcile", ...invoice)).stdout).toBe(
      "Everything agrees.\n",
    );
    const verified = await platform.call("case", "verify", number, "--after");
    expect(verified.stdout).toContain("proved");
    expect(verified.code).toBe(0);
    const file = await platform.call("case", "show", number);
    expect(file.stdout).toContain("ledger/cost-matches-invoice");
  });

  it("shows a debt, and a case of the ledger shows it at the boundary of tenant and compute", async () => {
    await platform.call("ledger", "hold", "place", "0.1", "--id", "op-2");
    await platform.call("ledger", "hold", "settle", "op-2", "3");
    const checked = await piped();
    expect(checked.code).toBe(1);
    expect(checked.stdout).toContain("The account owes 2250000, and may owe 0");
    const reconciled = await platform.call("ledger", "reconcile");
    expect(reconciled.stdout).toContain("--subject ledger:debt/USD");
    const opened = await platform.call(
      "case",
      "open",
      "Calls are refused",
      "--subject",
      "ledger:debt/USD",
    );
    expect(opened.code).toBe(0);
    expect(opened.stdout).toContain("ledger:debt/USD");
    expect(opened.stdout).toContain("The account owes 2250000, and may owe 0");
    const shown = await platform.call("case", "show", "2", "--json");
    const { summary } = JSON.parse(shown.stdout) as { summary: { leadingHypothesis: object } };
    expect(summary.leadingHypothesis).toMatchObject({
      boundary: "tenant-compute",
      contract: "ledger/no-overspend",
    });
    await platform.call("ledger", "grant", "5");
    const verified = await platform.call("case", "verify", "2", "--after");
    expect(verified.stdout).toContain("proved");
    expect(verified.code).toBe(0);
  });

  it("takes options only, and moments that are some", async () => {
    expect((await platform.call("ledger", "export", "all")).code).toBe(64);
    expect((await platform.call("ledger", "export", "--since", "yesterday")).code).toBe(64);
    const refused = await platform.call("case", "open", "x", "--subject", "pod:x");
    expect(refused.stderr).toContain("service:NAME or ledger:NAME");
  });
});
