/** The pages of the ledger and of compute in a browser, served by the real platform over real calls that cost something. */

import { readFile, writeFile } from "node:fs/promises";

import { type Client, createClient, type Role } from "@faultline/protocol";
import { loadConfig, type Platform, startPlatform } from "@faultline/server";
import { freePort, openTemporaryFolder } from "@faultline/testkit";
import { pino } from "pino";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { barriersOf } from "./barriers.ts";
import { browserMissing, launchBrowser, type OpenedPage, openPage, type View } from "./browser.ts";
import { buildConsole } from "./build-console.ts";
import { openPaidProvider } from "./paid-provider.ts";

const suite = browserMissing === undefined ? describe : describe.skip;
const options = { signal: new AbortController().signal };

suite(
  `the ledger's pages${browserMissing === undefined ? "" : ` (skipped: ${browserMissing})`}`,
  () => {
    const resources = new AsyncDisposableStack();
    let platform: Platform;
    let browser: Browser;
    let opened: OpenedPage;
    let page: Page;
    let client: Client;

    beforeAll(async () => {
      const built = resources.use(await buildConsole());
      const folder = resources.use(await openTemporaryFolder());
      const provider = resources.use(await openPaidProvider());
      await writeFile(`${folder.path}/faultline.yaml`, provider.settings);
      const config = loadConfig({
        flags: { data: `${folder.path}/data`, port: String(await freePort()) },
        environment: {},
        workingFolder: folder.path,
      });
      platform = resources.use(
        await startPlatform(config, {
          logger: pino({ level: "silent" }),
          signal: options.signal,
          consoleFolder: built.folder,
        }),
      );
      client = createClient({ baseUrl: platform.url, key: String(platform.adminKey), fetch });
      browser = await launchBrowser();
      resources.defer(() => browser.close());
      opened = await openPage(browser);
      page = opened.page;
      await signIn(page, String(platform.adminKey));
    });
    afterAll(() => resources.disposeAsync());

    async function signIn(on: Page, key: string): Promise<void> {
      await on.goto(platform.url);
      await on.getByLabel("API key").fill(key);
      await on.keyboard.press("Enter");
      await on.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
    }

    async function asRole(role: Role, view?: View): Promise<OpenedPage> {
      const { secret } = await client.createKey({ body: { name: role, role } }, options);
      const other = await openPage(browser, view);
      await signIn(other.page, secret);
      return other;
    }

    async function call(user: string, tags: string): Promise<number> {
      const response = await fetch(`${platform.url}/v1/chat/completions`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${platform.adminKey}`,
          "content-type": "application/json",
          "x-faultline-user": user,
          "x-faultline-tags": tags,
        },
        body: '{"model":"paid","max_tokens":5,"messages":[{"role":"user","content":"x"}]}',
      });
      await response.arrayBuffer();
      return response.status;
    }

    const visit = (path: string) => page.goto(platform.url + path);
    const rowsOf = (name: string): Locator => page.getByRole("table", { name }).getByRole("row");
    /** Asks again, as people do, until the page shows it. */
    const seen = (wanted: () => Locator, path: string) =>
      expect
        .poll(async () => {
          await visit(path);
          await page.getByRole("status").first().waitFor({ state: "detached" });
          return wanted().count();
        })
        .toBeGreaterThan(0);

    it("say that a tenant without an account does not pay, and open one with the first grant", async () => {
      await page.getByRole("link", { name: "Ledger", exact: true }).click();
      await page.getByText("This tenant does not pay for its calls yet").waitFor();
      await page.getByLabel("Amount").fill("5.1.2");
      await page.getByText("An amount has digits and up to six decimals").waitFor();
      await page.getByLabel("Amount").fill("5.000001");
      await page.getByRole("button", { name: "Grant $5.00" }).click();
      const available = page.locator("dl div", { hasText: "Can be spent now" }).first();
      await available.getByText("$5.00").waitFor();
      expect(await available.locator("data").getAttribute("title")).toBe("5,000,001 micros (USD)");
    });

    it("show what was spent by model, user and tag, in figures and to the keyboard", async () => {
      for (const tags of ["search", "search, beta", "beta"])
        expect(await call("ann", tags)).toBe(200);
      await seen(() => page.getByText("for 3 uses"), "/ledger/spend?by=tag");
      const rows = rowsOf("Spend by tag");
      await expect.poll(() => rows.count()).toBe(3);
      expect(await rows.nth(1).innerText()).toMatch(/beta[\s\S]*\$0\.10[\s\S]*66\.7 %[\s\S]*2/);
      await page.getByRole("link", { name: "user", exact: true }).click();
      await page.waitForURL(/by=user/);
      await rowsOf("Spend by user").filter({ hasText: "ann" }).getByText("$0.15").waitFor();
      await page.getByRole("link", { name: "24h" }).click();
      const chart = page.getByRole("img", { name: /^Spend by user\. ann: \$0\.15 in all/ });
      await chart.focus();
      await page.keyboard.press("End");
      await expect
        .poll(() => page.getByRole("region", { name: "By user", exact: true }).innerText())
        .toMatch(/ann\s*\$0\.\d+/);
    });

    it("explain a call line by line, and lead to its trace and back", async () => {
      await visit("/ledger/entries?account=usage:tokens/USD");
      await rowsOf("Entries").nth(1).getByRole("link").last().click();
      await page.getByRole("heading", { name: "What an operation cost" }).waitFor();
      const use = rowsOf("Uses").nth(1);
      await use.getByText("$0.05").waitFor();
      expect(await use.innerText()).toMatch(/input tokens\s*40[\s\S]*output tokens\s*5/);
      expect(await use.locator("data").getAttribute("title")).toBe("50,000 micros (USD)");
      await rowsOf("Entries of the operation").filter({ hasText: "charged" }).first().waitFor();
      const operationUrl = page.url();
      await expect
        .poll(async () => {
          await page.reload();
          await page.getByRole("heading", { name: "Uses" }).waitFor();
          return page.getByRole("link", { name: "Its trace" }).count();
        })
        .toBe(1);
      await page.getByRole("link", { name: "Its trace" }).click();
      await page.getByRole("link", { name: "What this cost" }).click();
      await page.waitForURL(operationUrl);
    });

    it("set a budget, shout when it is used up and refuses, and change and remove it", async () => {
      await visit("/ledger/budgets");
      await page.getByText("No budget is set").waitFor();
      await page.getByRole("link", { name: "Set a budget" }).click();
      await page.getByLabel("Name", { exact: true }).fill("bob");
      await page.getByLabel("Limit (USD)").fill("0.06");
      await page.getByLabel("For", { exact: true }).selectOption("user");
      await page.getByLabel("Name of the user").fill("bob");
      await page.getByLabel("Counted").selectOption("total");
      await page.getByRole("button", { name: "Set the budget" }).click();
      await rowsOf("Budgets").filter({ hasText: "user bob, in all" }).waitFor();
      await expect.poll(() => call("bob", "")).toBe(402);
      const loud = page.getByRole("region", { name: "What needs attention" });
      await seen(() => loud.getByText(/calls? refused in the last 24 hours/), "/ledger");
      expect(await loud.innerText()).toContain("credit_exhausted");
      // Where the calls have used all of it, nothing more is held.
      await client
        .placeHold(
          { body: { currency: "USD", amountMicros: "1", attribution: { userId: "bob" } } },
          options,
        )
        .catch((error: unknown) => expect(error).toMatchObject({ code: "credit_exhausted" }));
      await client.setBudget({ body: { ...(await bob()), limitMicros: "1" } }, options);
      await seen(() => loud.getByText("The budget “bob” is used up, and refuses"), "/ledger/lots");
      await loud.getByRole("link", { name: "Change the budget" }).click();
      await page.getByLabel("Limit (USD)").fill("2.5");
      await page.getByRole("button", { name: "Change the budget" }).click();
      await rowsOf("Budgets").filter({ hasText: "of $2.50" }).waitFor();
      await page.getByRole("link", { name: "bob", exact: true }).click();
      await page.getByRole("button", { name: "Remove it…" }).click();
      await page.getByRole("button", { name: "Remove the budget" }).click();
      await page.getByText("No budget is set").waitFor();
    });

    async function bob() {
      const { budgets } = await client.listBudgets({}, options);
      const [{ usedMicros: _used, leftMicros: _left, ...terms }] = budgets as [
        (typeof budgets)[number],
      ];
      return terms;
    }

    it("give entries and uses away as files", async () => {
      await visit("/ledger/spend");
      const waited = page.waitForEvent("download");
      await page.getByRole("link", { name: "Uses as CSV" }).click();
      const file = await waited;
      expect(file.suggestedFilename()).toMatch(/^ledger-usage-\d{4}-\d\d-\d\d\.csv$/);
      const lines = (await readFile(await file.path(), "utf8")).trimEnd().split("\r\n");
      expect(lines[0]).toMatch(/^at,usage_id,hold_id,amount_micros,currency,/);
      expect(lines.filter((line) => line.includes(",50000,USD,paid,"))).not.toHaveLength(0);
    });

    it("shout that a debt blocks, and say what a grant covered of it", async () => {
      await client.placeHold(
        { body: { id: "over", currency: "USD", amountMicros: "10" } },
        options,
      );
      const usage = { usageId: "over", usageKind: "tokens", amountMicros: "9000000" } as const;
      await client.settleHold({ params: { id: "over" }, body: usage }, options);
      const loud = page.getByRole("region", { name: "What needs attention" });
      await seen(
        () => loud.getByText(/The USD account owes .*, and every call is refused/),
        "/ledger",
      );
      await visit("/ledger/reconciliation");
      await page.getByRole("button", { name: "Compare now" }).click();
      const difference = page.getByRole("article", { name: /^debt beyond the credit line/ });
      await difference.getByRole("button", { name: "Open a case" }).click();
      await page.getByText("ledger/no-overspend").first().waitFor();
      await page.getByText("tenant-compute").first().waitFor();
      await page.getByRole("link", { name: "The ledger" }).click();
      await loud.getByRole("link", { name: "grant credit" }).click();
      await page.getByLabel("Amount").fill("20");
      await page.getByRole("button", { name: "Grant $20.00" }).click();
      await page.getByText(/\$20\.00 granted; .* of it covered debt/).waitFor();
      await loud.getByText(/owes/).waitFor({ state: "detached" });
      await visit("/ledger/reconciliation");
      await page.getByRole("button", { name: "Compare now" }).click();
      await page.getByText("Everything agrees").waitFor();
    });

    it("show what each comparison found, what that means, and what providers invoiced", async () => {
      const line = { provider: "paid", model: "unknown", currency: "USD", amountMicros: "250000" };
      const window = { from: "2026-11-01T00:00:00Z", until: "2026-12-01T00:00:00Z" };
      const body = { invoice: { ...window, lines: [line] }, book: true };
      await client.reconcileLedger({ body }, options);
      await visit("/ledger/reconciliation");
      const runs = page.getByRole("list", { name: "Comparisons" });
      const newest = runs.getByRole("listitem").filter({ hasText: "invoice differs" }).first();
      await newest.getByText("A provider asks for something else than was charged").waitFor();
      await newest.getByRole("link").first().click();
      await page.getByRole("heading", { name: "A comparison", level: 1 }).waitFor();
      const finding = page.getByRole("article", { name: "invoice differs: paid/unknown" });
      expect(await finding.innerText()).toContain("A provider asks for something else");
      await page.getByRole("link", { name: "All comparisons" }).click();
      await page.getByRole("link", { name: "Provider costs" }).click();
      const row = rowsOf("Invoices").filter({ hasText: "paid/unknown" });
      expect(await row.innerText()).toMatch(/2026-11-01 to 2026-12-01[\s\S]*\$0\.25[\s\S]*\$0\.00/);
      await page.getByRole("link", { name: "Regions" }).click();
      await page.getByText("No other region holds credit of this account").waitFor();
    });

    it("say why a job waits and what would let it start, and withdraw it", async () => {
      const job = { deviceKind: "h100", member: { deviceCount: 8 }, durationSeconds: 864_000 };
      await client.reserveCompute({ body: { id: "dear", ...job } }, options);
      await page.getByRole("link", { name: "Compute", exact: true }).click();
      await page.getByRole("link", { name: "Why does dear wait?" }).click();
      await page.getByText("Credit does not suffice").waitFor();
      expect(await page.getByRole("region", { name: "Why it waits" }).innerText()).toMatch(
        /It costs \$4,838\.40;[\s\S]*Grant \$4,8\d\d\.\d\d of credit/,
      );
      await page.getByRole("button", { name: "Withdraw it" }).click();
      await page.getByText("withdrawn").waitFor();
    });

    it("let a viewer look, and say why it may change nothing", async () => {
      await using other = await asRole("viewer");
      const view = other.page;
      await view.goto(`${platform.url}/ledger/lots`);
      await view.getByText("Your key's role, viewer, does not include ledger:write.").waitFor();
      const grant = view.getByRole("button", { name: "Grant credit" });
      expect(await grant.getAttribute("aria-disabled")).toBe("true");
      await view.goto(`${platform.url}/ledger/budgets?edit=new`);
      const set = view.getByRole("button", { name: "Set the budget" });
      expect(await set.getAttribute("aria-disabled")).toBe("true");
      await view.goto(`${platform.url}/ledger/spend`);
      await view.getByRole("table", { name: "Spend by model" }).waitFor();
      expect(other.complaints).toEqual([]);
    });

    /** Of a comparison that found something. */
    async function runPath(): Promise<string> {
      const { runs } = await client.listReconciliations({}, options);
      return `/ledger/reconciliation/${runs.find((run) => run.differenceCount > 0)?.id}`;
    }

    it.each([
      ["in light and wide", { width: 1_440, colorScheme: "light" }],
      ["in dark and narrow", { width: 390, colorScheme: "dark" }],
    ] as const)("are without barriers %s", async (_, view) => {
      await using other = await openPage(browser, view);
      await signIn(other.page, String(platform.adminKey));
      for (const path of [
        "/ledger",
        "/ledger/spend",
        "/ledger/budgets?edit=new",
        "/ledger/lots",
        "/ledger/holds",
        "/ledger/entries",
        "/ledger/reconciliation",
        await runPath(),
        "/ledger/provider-costs",
        "/ledger/regions",
        "/ledger/operations/over",
        "/compute",
        "/compute/dear",
      ]) {
        await other.page.goto(platform.url + path);
        await other.page.getByRole("heading", { level: 1 }).waitFor();
        await other.page.getByRole("status").first().waitFor({ state: "detached" });
        expect(await barriersOf(other.page), path).toEqual([]);
      }
      expect(other.complaints).toEqual([]);
    });

    it("break no rule of the server's content policy on the way", () => {
      expect(opened.complaints).toEqual([]);
    });
  },
);
