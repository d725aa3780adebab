/** The console in a browser, served by the real platform: from a first model call to a proved cause. */

import { loadConfig, type Platform, startPlatform } from "@faultline/server";
import { freePort, openTemporaryFolder, type TemporaryFolder } from "@faultline/testkit";
import { pino } from "pino";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type BlogLoad, blogLoad } from "./blog-load.ts";
import { browserMissing, launchBrowser, type OpenedPage, openPage } from "./browser.ts";
import { buildConsole, type BuiltConsole } from "./build-console.ts";

const suite = browserMissing === undefined ? describe : describe.skip;

suite(
  `the platform's console${browserMissing === undefined ? "" : ` (skipped: ${browserMissing})`}`,
  () => {
    let built: BuiltConsole;
    let folder: TemporaryFolder;
    let platform: Platform;
    let browser: Browser;
    let opened: OpenedPage;
    let page: Page;

    beforeAll(async () => {
      built = await buildConsole();
      folder = await openTemporaryFolder();
      const config = loadConfig({
        flags: { data: `${folder.path}/data`, port: String(await freePort()) },
        environment: {},
        workingFolder: folder.path,
      });
      platform = await startPlatform(config, {
        logger: pino({ level: "silent" }),
        signal: new AbortController().signal,
        consoleFolder: built.folder,
      });
      browser = await launchBrowser();
      opened = await openPage(browser);
      page = opened.page;
    });
    afterAll(async () => {
      await browser?.close();
      await platform?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
      await built?.[Symbol.asyncDispose]();
    });

    async function post(path: string, body: object): Promise<void> {
      const response = await fetch(platform.url + path, {
        method: "POST",
        headers: {
          authorization: `Bearer ${platform.adminKey}`,
          "content-type": "application/json",
        },
        body: JSON.stringify(body),
      });
      expect(`${response.status} ${await response.text()}`).toMatch(/^200 /);
    }

    const send = (load: BlogLoad): Promise<void> => post("/v1/traces", blogLoad(load));

    it("signs in with the admin key, and says what to do while nothing has arrived", async () => {
      await page.goto(platform.url);
      await page.getByLabel("API key").fill(`${platform.adminKey?.slice(0, -1)}!`);
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("key_malformed · 401").waitFor();
      await page.getByLabel("API key").fill(String(platform.adminKey));
      await page.keyboard.press("Enter");
      await page.getByText("No traffic in this window yet").waitFor();
      const cookies = await page.context().cookies();
      expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Strict" }]);
    });

    it("draws the boundary map from what the gateway and a service send", async () => {
      const message = { role: "user", content: "hello" };
      await post("/v1/chat/completions", { model: "simulated", stream: true, messages: [message] });
      const nowMs = Date.now();
      await send({
        variant: "broken",
        requestCount: 40,
        fromMs: nowMs - 120_000,
        untilMs: nowMs - 60_000,
        seed: 1,
      });
      await expect
        .poll(async () => {
          await page.reload();
          await page.getByRole("heading", { name: "Boundary map" }).waitFor();
          return page.getByRole("group", { name: /^(posts|faultline-gateway) to / }).count();
        })
        .toBe(2);
      await page
        .getByRole("group", { name: "posts to postgresql/blog: 1,040 calls, no errors" })
        .waitFor();
      await page
        .getByRole("group", { name: "faultline-gateway to simulated: 1 call, no errors" })
        .waitFor();
      await page.getByText("1 operation", { exact: true }).waitFor();
    });

    it("leads through the filters to a trace whose repeated query is folded and marked", async () => {
      await page.getByRole("link", { name: "Traces", exact: true }).click();
      await page.getByLabel("Service").selectOption("posts");
      await page.waitForURL(/service=posts/);
      await page.getByLabel("At least (ms)").fill("20");
      await page.keyboard.press("Enter");
      await page.waitForURL(/minDurationMs=20/);
      const rows = page.getByRole("table", { name: "Traces" }).getByRole("row");
      await expect.poll(() => rows.count()).toBe(1 + 20);
      await rows.nth(1).getByRole("link", { name: "POST /graphql" }).click();
      const grid = page.getByRole("treegrid");
      const fold = grid.getByRole("row", {
        name: /SELECT blog.*violated\s*: fan-out\/repeated-query/,
      });
      await fold.waitFor();
      expect(await fold.innerText()).toMatch(/× (30|40)/);
      expect(
        await grid.getByRole("row", { name: /graphql\.resolve posts\.\*\.author/ }).count(),
      ).toBe(1);
      await fold.click();
      await page
        .getByRole("region", { name: "Folded spans" })
        .getByText("SELECT id, name FROM authors WHERE id = $1")
        .first()
        .waitFor();
    });

    it("opens a case from the trace, and shows its hypothesis with the evidence for it", async () => {
      await page.getByRole("link", { name: "Open a case on this" }).click();
      await page.getByRole("textbox", { name: "Symptom" }).fill("The list of posts is slow");
      await page.getByRole("button", { name: "Open the case" }).click();
      await page.getByRole("heading", { name: "The list of posts is slow", level: 1 }).waitFor();
      const leading = page.getByRole("table", { name: "Hypotheses" }).getByRole("row").nth(1);
      const text = await leading.innerText();
      expect(text).toContain("supported");
      expect(text).toContain("fan-out/repeated-query");
      expect(text).toMatch(/posts\.\*\.author/);
      await page.getByText("Nothing is proved yet").waitFor();
      const download = page.waitForEvent("download");
      await page.getByRole("link", { name: "Download the before snapshot" }).click();
      expect((await download).suggestedFilename()).toMatch(/\.faultline$/);
    });

    it("pins the case on the violated boundary of the map", async () => {
      await page.getByRole("link", { name: "Overview", exact: true }).click();
      await page.getByRole("group", { name: /^posts to postgresql\/blog: .* violated$/ }).waitFor();
      await page.getByRole("link", { name: "Case 1: The list of posts is slow" }).first().click();
      await page.getByRole("heading", { name: "The list of posts is slow", level: 1 }).waitFor();
    });

    it("does not prove what was not repaired", async () => {
      // After the load that opened the case, and over by now.
      const fromMs = Date.now() - 40_000;
      await send({ variant: "broken", requestCount: 40, fromMs, untilMs: fromMs + 500, seed: 2 });
      await verify(page, fromMs);
      const proof = page.getByRole("region", { name: "Proof" });
      await proof.getByText("not repaired").first().waitFor();
      await page
        .getByRole("list", { name: "Progress of the case" })
        .getByText("1 attempt")
        .waitFor();
    });

    it("shows the proof once the repair holds under the same load", async () => {
      const fromMs = Date.now() - 20_000;
      await send({ variant: "repaired", requestCount: 60, fromMs, untilMs: fromMs + 500, seed: 3 });
      await verify(page, fromMs);
      const table = page.getByRole("table", { name: "Before and after" });
      await table
        .getByRole("row", { name: /Contract of the hypothesis.*violated.*holds/ })
        .waitFor();
      await table.getByRole("row", { name: /Control.*holds.*holds/ }).waitFor();
      await page.getByText("The cause is proved already.").waitFor();
      const [report] = await Promise.all([
        page.waitForEvent("popup"),
        page.getByRole("link", { name: "Report", exact: true }).click(),
      ]);
      await report.getByRole("heading", { level: 1 }).first().waitFor();
      expect(await report.locator("body").innerText()).toContain("The list of posts is slow");
      await report.close();
    });

    it("breaks no rule of the server's content policy on the way, and signs out", async () => {
      expect(opened.complaints).toEqual([]);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in to Faultline" }).waitFor();
      await page.goto(`${platform.url}/cases/1`);
      await page.getByRole("heading", { name: "Sign in to Faultline" }).waitFor();
    });
  },
);

/** Verifies with a window that starts at the given time and ends a minute later. */
async function verify(page: Page, fromMs: number): Promise<void> {
  const fill = async (label: string, atMs: number): Promise<void> => {
    // The page knows its own zone; a field for a local time takes it in that zone.
    const text = await page.evaluate((ms) => {
      const at = new Date(ms);
      return new Date(ms - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
    }, atMs);
    await page.getByLabel(label).fill(text);
  };
  await fill("Repaired since (local time)", Math.floor(fromMs / 1_000) * 1_000);
  await fill("Until (optional)", fromMs + 2_000);
  await page.getByRole("button", { name: "Verify the repair" }).click();
  await page
    .getByRole("button", { name: "Comparing before and after…" })
    .waitFor({ state: "detached" });
}
