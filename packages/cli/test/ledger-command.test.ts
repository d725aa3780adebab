import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { call, type RunningPlatform, startPlatform } from "./platform.ts";

const exitUsage = 64;
const exitFailure = 70;

describe("faultline ledger", () => {
  let platform: RunningPlatform;
  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
  });

  async function json(...words: string[]): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await platform.call("ledger", ...words, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return JSON.parse(stdout) as Record<string, unknown>;
  }

  it("lists edits of other regions that contradict one another, of which one region has none", async () => {
    const none = await platform.call("ledger", "conflicts");
    expect(none).toMatchObject({ code: 0, stdout: "No edits contradict one another.\n" });
    const words = ["conflicts", "resolve", "budget/all"];
    expect((await platform.call("ledger", ...words)).code).toBe(64);
    expect((await platform.call("ledger", ...words, "1")).code).not.toBe(0);
  });

  it("grants, holds, settles, and explains what an operation cost", async () => {
    expect((await platform.call("ledger", "balance")).stdout).toContain("There is no account yet");
    expect((await platform.call("ledger", "grant", "12.50", "--expires", "30d")).stdout).toMatch(
      /USD +12\.50 +12\.50 +0\.00/,
    );
    const placed = await platform.call("ledger", "hold", "place", "2", "--id", "op-1");
    expect(placed.stdout).toMatch(/op-1 +open +2\.00 of 2\.00 USD/);
    expect((await platform.call("ledger", "hold")).stdout).toContain("op-1");
    expect((await platform.call("ledger", "hold", "settle", "op-1", "0.5")).stdout).toContain(
      "Charged 0.50; 1.50 is free again.",
    );
    const { stdout } = await platform.call("ledger", "explain", "op-1");
    expect(stdout).toContain("op-1 was charged 0.50 USD.");
    expect(stdout).toMatch(/holds\/USD +usage:tokens\/USD +0\.50 +charged/);
    expect((await platform.call("ledger", "entries", "--count", "1")).stdout).toContain("released");
    expect(await json("usage", "--from", "1h")).toMatchObject({
      rows: [{ useCount: 1, chargedMicros: "500000" }],
    });
    expect(await json("balance")).toMatchObject({ accounts: [{ availableMicros: "12000000" }] });
  });

  it("keeps a budget, and says which one refused what and what is left of it", async () => {
    const words = ["budget", "set", "ann", "1", "--scope", "user:ann", "--window", "day"];
    expect(await json(...words, "--alert", "80")).toMatchObject({ limitMicros: "1000000" });
    const asked = ["ledger", "hold", "place", "1.000001", "--user", "ann"];
    const { code, stderr } = await platform.call(...asked);
    expect(code).toBe(exitFailure);
    expect(stderr).toContain("the budget 'ann' leaves 1000000");
    expect((await platform.call("ledger", "budget")).stdout).toMatch(/ann +user ann +day/);
    expect((await platform.call("ledger", "budget", "remove", "ann")).code).toBe(0);
  });

  it("reconciles, and says what an invoice has that was not charged", async () => {
    const agreed = await platform.call("ledger", "reconcile");
    expect(agreed).toMatchObject({ code: 0, stdout: "Everything agrees.\n" });
    await writeFile(
      join(platform.folder, "invoice.csv"),
      "provider,model,currency,amount\nopenai,gpt,USD,0.25\n",
    );
    const { code, stdout } = await platform.call("ledger", "reconcile", "--invoice", "invoice.csv");
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /invoice-differs: .*openai\/gpt.*\n {2}expected 0\.25 USD, found 0\.00 USD\n {2}would be settled .* take 0\.25 USD/,
    );
    const history = await platform.call("ledger", "reconcile", "--history");
    expect(history.stdout).toMatch(/1 invoice-differs +0\n/);
    const [, newest = ""] = history.stdout.split("\n");
    const run = newest.split(" ")[0] ?? "";
    const older = await platform.call("ledger", "reconcile", "--history", "--before", run);
    expect(older.stdout).not.toContain(run);
    expect(older.stdout).toMatch(/none +0\n/);
    expect((await platform.call("ledger", "invoices")).stdout).toContain("No invoice was entered");
    const booked = ["--invoice", "invoice.csv", "--book"];
    const timeless = await platform.call("ledger", "reconcile", ...booked);
    expect([timeless.code, timeless.stderr]).toEqual([
      64,
      expect.stringContaining("--from 2026-01-01 --until 2026-02-01"),
    ]);
    booked.push("--from", "2026-01-01", "--until", "2026-02-01");
    await platform.call("ledger", "reconcile", ...booked);
    await platform.call("ledger", "reconcile", ...booked);
    expect((await platform.call("ledger", "invoices")).stdout.match(/openai/g)).toHaveLength(1);
    expect((await platform.call("ledger", "invoices")).stdout).toMatch(
      /openai\/gpt +.*0\.25 USD +0\.00 /,
    );
    expect((await platform.call("ledger", "escrow")).stdout).toContain("No other region holds");
  });

  it("sets a price for models that have none, lists prices, and takes the default away", async () => {
    expect((await platform.call("ledger", "price", "default")).stdout).toContain(
      "there is no default",
    );
    const words = ["price", "default", "set", "--input", "2.50", "--output", "10"];
    expect(await json(...words)).toMatchObject({
      priceVersion: "default@1",
      inputMicros: "2500000",
      cachedInputMicros: "2500000",
      outputMicros: "10000000",
    });
    const { stdout } = await platform.call("ledger", "price", "--model", "simulated");
    expect(stdout).toMatch(/simulated\/simulated +the beginning +0\.00/);
    expect(stdout).toContain("costs 2.50 input, 2.50 cached, 10.00 output, 10.00 reasoning");
    const fine = [...words.slice(0, 3), "--input", "0.0000001", "--output", "1"];
    expect((await platform.call("ledger", ...fine)).stderr).toContain("amount_fractional");
    expect((await platform.call("ledger", "price", "default", "remove")).code).toBe(0);
    expect(await json("price", "default")).toEqual({});
  });

  it("adds a webhook, whose secret is shown once, and says that a test did not reach it", async () => {
    const refused = await platform.call("ledger", "webhook", "add", "http://127.0.0.1:9/x");
    expect(refused.stderr).toContain("request_invalid");
    const url = "https://localhost:9/x";
    const added = (await json("webhook", "add", url, "--budget", "ann")) as {
      readonly secret: string;
      readonly webhook: { readonly id: string };
    };
    expect(added.secret).toMatch(/^whsec_/);
    const { id } = added.webhook;
    const listed = await platform.call("ledger", "webhook");
    expect(listed.stdout).toMatch(new RegExp(`${id} +enabled +ann +0 +0 +https://localhost:9/x`));
    expect(listed.stdout).not.toContain("whsec_");
    const tested = await platform.call("ledger", "webhook", "test", id);
    expect(tested.code).toBe(1);
    expect(tested.stdout).toContain("leads to an address that is not of the internet");
    const waiting = await platform.call("ledger", "webhook", "deliveries", "--state", "waiting");
    expect(waiting.stdout).toMatch(/webhook\.test +waiting/);
    const rotated = await json("webhook", "rotate", id, "--grace", "1h");
    expect(rotated["secret"]).not.toBe(added.secret);
    expect((await platform.call("ledger", "webhook", "disable", id)).stdout).toContain("disabled");
    expect((await platform.call("ledger", "webhook", "remove", id)).code).toBe(0);
    expect((await platform.call("ledger", "webhook", "test", id)).stderr).toContain("not_found");
  });

  it("tells each bad amount apart", async () => {
    const place = async (...words: string[]): Promise<string> =>
      (await platform.call("ledger", "hold", "place", ...words)).stderr;
    expect(await place("0")).toContain("amount_zero");
    expect(await place("--", "-1")).toContain("amount_negative");
    expect(await place("0.0000001")).toContain("amount_fractional");
    expect(await place("9999999999999")).toContain("amount_too_large");
    expect(await place("ten")).toContain("amount_invalid");
    expect(await place("1", "EUR")).toContain("currency_mismatch");
  });
});

describe("the words of faultline ledger", () => {
  it.each([
    [["frobnicate"], "none of balance, entries"],
    [["grant"], "takes an AMOUNT"],
    [["hold", "keep"], "none of place, settle"],
    [["budget", "set", "b", "1", "--window", "week"], "--window takes"],
    [["budget", "set", "b", "1", "--scope", "ann"], "--scope takes"],
    [["usage", "--by", "colour"], "--by takes"],
    [["explain"], "takes one OPERATION"],
    [["grant", "5", "--currency", "EUR"], "takes no --currency. A currency is a word"],
    [["usage", "--apply"], "Usage: faultline ledger usage [--by WHAT]"],
    [["entries", "--count", "0"], "--count takes a whole number from 1 on"],
  ])("%j is refused with what it takes", async (words, message) => {
    const folder = await mkdtemp(join(tmpdir(), "faultline-ledger-"));
    const { code, stderr } = await call(["ledger", ...words, "--key", "x"], { folder });
    await rm(folder, { recursive: true });
    expect({ code, stderr }).toEqual({ code: exitUsage, stderr: expect.stringContaining(message) });
  });
});
