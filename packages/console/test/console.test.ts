/** The console in a browser, over answers that the platform could give. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { barriersOf } from "./barriers.ts";
import { browserMissing, launchBrowser, type OpenedPage, openPage, type View } from "./browser.ts";
import { buildConsole, type BuiltConsole } from "./build-console.ts";
import { type ConsoleServer, startConsoleServer } from "./console-server.ts";
import { traceId } from "./fixtures.ts";

/** The background of every dark page, from `styles.css`. */
const darkCanvas = "oklch(0.165 0.012 268)";
const suite = browserMissing === undefined ? describe : describe.skip;

suite(`the console${browserMissing === undefined ? "" : ` (skipped: ${browserMissing})`}`, () => {
  let built: BuiltConsole;
  let browser: Browser;
  let server: ConsoleServer;

  beforeAll(async () => {
    built = await buildConsole();
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await built?.[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    server = await startConsoleServer(built.folder);
    return () => server[Symbol.asyncDispose]();
  });

  async function visit(path: string, view?: View): Promise<OpenedPage> {
    const opened = await openPage(browser, view);
    await opened.page.goto(server.url + path);
    return opened;
  }

  describe("signing in", () => {
    it("leads to the sign-in and back to the page that was asked for", async () => {
      server.scene.signedIn = false;
      await using opened = await visit("/traces?status=error");
      const { page } = opened;
      await page.getByRole("heading", { name: "Sign in to Faultline" }).waitFor();
      await page.getByLabel("API key").fill("fl_default_key");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "Traces", level: 1 }).waitFor();
      expect(new URL(page.url()).search).toBe("?status=error");
    });

    it("says what is wrong with a key, with its code and a hint", async () => {
      server.scene.signedIn = false;
      await using opened = await visit("/");
      const { page } = opened;
      await page.getByLabel("API key").fill("nonsense");
      await page.keyboard.press("Enter");
      const alert = page.getByRole("alert");
      await alert.getByText("The key is mistyped").waitFor();
      expect(await alert.innerText()).toContain("key_malformed · 401");
      expect(await alert.innerText()).toContain("Copy it again");
    });

    it("never returns to another site after signing in", async () => {
      server.scene.signedIn = false;
      await using opened = await visit("/sign-in?redirect=//example.com/");
      const { page } = opened;
      await page.getByLabel("API key").fill("fl_default_key");
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      expect(new URL(page.url()).origin).toBe(server.url);
    });

    it("leads to the sign-in when the session ends while a page is open", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      server.scene.signedIn = false;
      await page.getByRole("link", { name: "Cases" }).click();
      await page.getByRole("heading", { name: "Sign in to Faultline" }).waitFor();
    });

    it("signs out", async () => {
      await using opened = await visit("/");
      await opened.page.getByRole("button", { name: "Sign out" }).click();
      await opened.page.getByRole("heading", { name: "Sign in to Faultline" }).waitFor();
      expect(server.requests).toContain("DELETE /api/session");
    });
  });

  describe("the overview", () => {
    it("shows the boundary map first, its health in words, and open cases pinned where they belong", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      const panels = page.getByRole("region").getByRole("heading", { level: 2 });
      await panels.first().waitFor();
      expect(await panels.allInnerTexts()).toEqual([
        "Boundary map",
        "Traffic",
        "Errors",
        "Time to first token",
        "Open cases",
      ]);
      const map = page.getByRole("group", { name: "Boundary map: 7 parties, 6 boundaries" });
      await map
        .getByRole("group", { name: "posts-api to postgresql/blog: 16,892 calls, violated" })
        .waitFor();
      await map
        .getByRole("group", { name: "faultline-gateway to simulated: 1,904 calls, 1.42 % errors" })
        .waitFor();
      await map.getByRole("link", { name: /^Case 3: The list of posts/ }).click();
      await page.getByRole("heading", { name: /^The list of posts takes 300 ms/ }).waitFor();
    });

    it("keeps the window in the URL and asks for it", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      await page.getByRole("link", { name: "24h" }).click();
      await page.waitForURL("**/?window=24h");
      await expect.poll(() => server.requests).toContain("GET /api/overview?windowMinutes=1440");
      expect(await page.getByRole("link", { name: "24h" }).getAttribute("aria-current")).toBe(
        "page",
      );
    });

    it("drops what it cannot read from the URL", async () => {
      await using opened = await visit("/?window=forever&unknown=1");
      const { page } = opened;
      await page.getByRole("heading", { name: "Boundary map" }).waitFor();
      await page.waitForURL((url) => url.search === "");
      expect(server.requests).toContain("GET /api/overview?windowMinutes=60");
    });

    it("reads the values of a chart out to the keyboard", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      const chart = page.getByRole("img", {
        name: /^Operations over time\. operations: latest \d+/,
      });
      await chart.focus();
      await page.keyboard.press("ArrowLeft");
      const region = page.getByRole("region", { name: "Traffic" });
      await expect.poll(() => region.innerText()).toMatch(/operations\s*\d+\s*\d\d:\d\d/);
    });

    it("says what to type when nothing has arrived yet", async () => {
      server.scene.empty = true;
      await using opened = await visit("/");
      const { page } = opened;
      await page.getByText("No traffic in this window yet").waitFor();
      const text = await page.getByRole("main").innerText();
      expect(text).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${server.url}`);
      expect(text).toContain(`curl ${server.url}/v1/chat/completions`);
      expect(text).toContain("npx faultline drill start graphql-n-plus-one");
    });

    it("says what failed in the server's words and tries again when asked", async () => {
      server.scene.failing = "storage_full";
      await using opened = await visit("/");
      const { page } = opened;
      const alert = page.getByRole("alert");
      await alert.getByText("The database did not answer").waitFor();
      expect(await alert.innerText()).toContain("storage_full · 507");
      expect(await alert.innerText()).toContain("faultline doctor");
      server.scene.failing = undefined;
      await alert.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("heading", { name: "Boundary map" }).waitFor();
    });
  });

  describe("the list of traces", () => {
    it("keeps every filter in the URL, sends it, and follows the back button", async () => {
      await using opened = await visit("/traces");
      const { page } = opened;
      await page.getByLabel("Status").selectOption("error");
      await page.waitForURL("**/traces?status=error");
      await page.getByLabel("Service").selectOption("posts-api");
      await page.getByLabel("At least (ms)").fill("25");
      await page.getByLabel("Operation").fill("POST /graphql");
      await page.keyboard.press("Enter");
      await page.waitForURL(/minDurationMs=25/);
      const search = new URL(page.url()).searchParams;
      expect(Object.fromEntries(search)).toEqual({
        status: "error",
        service: "posts-api",
        operation: "POST /graphql",
        minDurationMs: "25",
      });
      await expect
        .poll(() => server.requests.at(-1))
        .toMatch(/^GET \/api\/traces\?.*service=posts-api.*operation=POST.*minDurationMs=25/);
      for (let steps = 0; steps < 3; steps += 1) await page.goBack();
      await page.waitForURL(/traces\?status=error$/);
      expect(await page.getByLabel("At least (ms)").inputValue()).toBe("");
    });

    it("resolves a window that counts back and a fixed one", async () => {
      await using opened = await visit("/traces?since=1h");
      const { page } = opened;
      await page.getByRole("table", { name: "Traces" }).waitFor();
      const asked = new URL(
        server.url +
          String(server.requests.find((call) => call.includes("from="))).replace("GET ", ""),
      );
      const ageMs = Date.now() - Date.parse(String(asked.searchParams.get("from")));
      expect(Math.abs(ageMs - 3_600_000)).toBeLessThan(60_000);
      await page.getByLabel("Time").selectOption("Between two times");
      await page.waitForURL(/from=/);
      await page.getByLabel("From (local time)").waitFor();
    });

    it("shows older traces page by page", async () => {
      await using opened = await visit("/traces");
      const { page } = opened;
      const rows = page.getByRole("table", { name: "Traces" }).getByRole("row");
      await rows.nth(20).waitFor();
      await page.getByRole("button", { name: "Show older traces" }).click();
      await rows.nth(40).waitFor();
      await page.getByRole("button", { name: "Show older traces" }).click();
      await rows.nth(60).waitFor();
      await page.getByRole("button", { name: "Show older traces" }).waitFor({ state: "detached" });
    });

    it("says so when no trace fits the filters, and clears them", async () => {
      server.scene.empty = true;
      await using opened = await visit("/traces?status=error");
      const { page } = opened;
      await page.getByText("No trace fits these filters").waitFor();
      await page.getByRole("link", { name: "Clear all filters" }).click();
      await page.getByText("No trace has arrived yet").waitFor();
    });
  });

  describe("the waterfall", () => {
    it("folds 40 repeated queries into one row that can be unfolded, and marks the finding on it", async () => {
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      const grid = page.getByRole("treegrid", { name: "Spans of GET /" });
      const fold = grid.getByRole("row", {
        name: /pg\.query:SELECT blog.*violated\s*: fan-out\/repeated-query/,
      });
      await fold.waitFor();
      expect(await fold.innerText()).toContain("× 40");
      expect(await grid.getByRole("row", { name: /posts\.\*\.author/ }).count()).toBe(1);
      expect(await grid.getByRole("row").count()).toBe(8);
      await fold.getByRole("button", { name: "Unfold 40 equal spans" }).click();
      expect(await grid.getAttribute("aria-rowcount")).toBe("48");
      await fold.getByRole("button", { name: "Fold 40 equal spans" }).click();
      expect(await grid.getAttribute("aria-rowcount")).toBe("8");
    });

    it("shows what folded spans share and in what they differ", async () => {
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      await page.getByRole("row", { name: /pg\.query:SELECT blog.*violated/ }).click();
      const panel = page.getByRole("region", { name: "Folded spans" });
      await panel.getByRole("heading", { name: "40 × pg.query:SELECT blog" }).waitFor();
      const text = await panel.innerText();
      expect(text).toContain("one after another");
      expect(text).toContain("1, 2, 3 and 37 more");
      expect(text).toContain('FROM "authors" WHERE "id" = $1');
      expect(page.url()).toContain("span=x-");
    });

    it("is walked with the keyboard alone", async () => {
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      const grid = page.getByRole("treegrid");
      await grid.focus();
      const active = () =>
        grid.evaluate(
          (element) =>
            document.getElementById(String(element.getAttribute("aria-activedescendant")))
              ?.innerText ?? "",
        );
      await page.keyboard.press("End");
      expect(await active()).toContain("chat simulated");
      await page.keyboard.press("Enter");
      await page
        .getByRole("region", { name: "Span", exact: true })
        .getByRole("heading", { name: "chat simulated" })
        .waitFor();
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowLeft");
      expect(await grid.getAttribute("aria-rowcount")).toBe("1");
      await page.keyboard.press("ArrowRight");
      expect(await grid.getAttribute("aria-rowcount")).toBe("8");
      for (let presses = 0; presses < 5; presses += 1) await page.keyboard.press("ArrowDown");
      expect(await active()).toContain("posts.*.author");
      await page.keyboard.press("ArrowRight");
      expect(await grid.getAttribute("aria-rowcount")).toBe("87");
      await page.keyboard.press("ArrowLeft");
      expect(await grid.getAttribute("aria-rowcount")).toBe("8");
      await page.keyboard.press("ArrowLeft");
      expect(await grid.getAttribute("aria-rowcount")).toBe("7");
      await page.keyboard.press("ArrowLeft");
      expect(await active()).toContain("query posts");
    });

    it("keeps the mark of a finding in sight when the row that hides it is collapsed", async () => {
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      const root = page.getByRole("row", { name: /GET \// });
      await root.getByRole("button", { name: "Collapse" }).click();
      expect(await root.innerText()).toContain("violated");
    });

    it("lands on the span that a link names, unfolded and in sight", async () => {
      await using opened = await visit(`/traces/${traceId}?span=0000000000000097`);
      const { page } = opened;
      const row = page.getByRole("row", { selected: true });
      await row.waitFor();
      expect(await row.isVisible()).toBe(true);
      await page
        .getByRole("region", { name: "Span", exact: true })
        .getByText("db.operation.parameter.0")
        .waitFor();
    });

    it("brings the details into sight where they stand below the waterfall", async () => {
      await using opened = await visit(`/traces/${traceId}`, { width: 390 });
      const { page } = opened;
      await page.getByRole("row", { name: /chat simulated/ }).click();
      const heading = page.getByRole("heading", { name: "chat simulated" });
      await heading.waitFor();
      await expect
        .poll(() => heading.evaluate((element) => element.getBoundingClientRect().top))
        .toBeLessThan(900);
    });

    it("leads from a finding to the first span that it cites", async () => {
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      await page.getByRole("button", { name: "Show the first span it cites" }).click();
      await page.waitForURL(/span=0000000000000065/);
      await page.getByRole("row", { selected: true }).waitFor();
    });

    it("draws only the rows in sight of a trace with ten thousand spans", async () => {
      server.scene.listLength = 5_000;
      await using opened = await visit(`/traces/${traceId}`);
      const { page } = opened;
      const grid = page.getByRole("treegrid");
      await grid.getByRole("button", { name: "Unfold 5000 equal spans" }).first().click();
      await expect.poll(() => grid.getAttribute("aria-rowcount")).toBe("10007");
      expect(await grid.getByRole("row").count()).toBeLessThan(80);
      await grid.focus();
      await page.keyboard.press("End");
      await grid.getByRole("row", { name: /chat simulated/ }).waitFor();
      expect(await grid.getByRole("row").count()).toBeLessThan(80);
    });
  });

  describe("a case", () => {
    it("shows symptom, hypotheses with evidence for and against, findings and the events", async () => {
      await using opened = await visit("/cases/3");
      const { page } = opened;
      await page
        .getByRole("heading", { name: /^The list of posts takes 300 ms/, level: 1 })
        .waitFor();
      const rows = page.getByRole("table", { name: "Hypotheses" }).getByRole("row");
      const leading = await rows.nth(1).innerText();
      expect(leading).toContain("supported");
      expect(leading).toContain("Load the authors in one batch");
      expect(await rows.nth(2).innerText()).toContain("0 of 412 requests failed");
      await page.getByText("Nothing is proved yet").waitFor();
      await page.getByRole("link", { name: "Download the before snapshot" }).waitFor();
      await page.getByRole("region", { name: "Events" }).getByText("case-opened").waitFor();
    });

    it("becomes proved through the form, and shows the proof as before, after and control", async () => {
      await using opened = await visit("/cases/3");
      const { page } = opened;
      await page.getByRole("button", { name: "Verify the repair" }).click();
      const proof = page.getByRole("table", { name: "Before and after" });
      await proof.waitFor();
      expect(await proof.getByRole("row", { name: /fan-out\/repeated-query/ }).innerText()).toMatch(
        /violated[\s\S]*holds[\s\S]*40 queries per request before/,
      );
      expect(await proof.getByRole("row", { name: /Control/ }).innerText()).toMatch(
        /holds[\s\S]*holds/,
      );
      expect(await page.getByRole("table", { name: /Coverage/ }).innerText()).toContain(
        "list length",
      );
      await page.getByText("The cause is proved already.").waitFor();
    });

    it("disables what a viewer may not do, and says why", async () => {
      server.scene.role = "viewer";
      await using opened = await visit("/cases/3");
      const { page } = opened;
      const verify = page.getByRole("button", { name: "Verify the repair" });
      await verify.waitFor();
      expect(await verify.getAttribute("aria-disabled")).toBe("true");
      await page
        .getByRole("form", { name: "Verify the repair" })
        .getByText("Your key's role, viewer, does not include case:write.")
        .waitFor();
      await verify.click({ force: true });
      expect(server.requests.some((call) => call.startsWith("POST"))).toBe(false);
    });

    it("disables every step of a closed case, and says why", async () => {
      server.scene.caseStatus = "closed";
      await using opened = await visit("/cases/3");
      const { page } = opened;
      await page.getByText("The case is closed.").first().waitFor();
      expect(
        await page
          .getByRole("button", { name: "Note the mitigation" })
          .getAttribute("aria-disabled"),
      ).toBe("true");
    });

    it("is opened with what the form says, and shown", async () => {
      await using opened = await visit("/cases/new?service=web&operation=GET+%2F");
      const { page } = opened;
      expect(await page.getByLabel("Service", { exact: true }).inputValue()).toBe("web");
      await page.getByRole("textbox", { name: "Symptom" }).fill("The start page is slow");
      await page.getByLabel("Expected (optional)").fill("40 ms");
      const sent = page.waitForRequest((request) => request.method() === "POST");
      await page.getByRole("button", { name: "Open the case" }).click();
      expect((await sent).postDataJSON()).toMatchObject({
        symptom: "The start page is slow",
        subject: { kind: "service", name: "web", operation: "GET /" },
        expected: "40 ms",
      });
      await page.waitForURL("**/cases/3");
    });
  });

  describe("for everybody", () => {
    it("has a skip link, and a focus that is seen", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      await page.getByRole("heading", { name: "Overview" }).waitFor();
      await page.keyboard.press("Tab");
      const skip = page.getByRole("link", { name: "Skip to content" });
      expect(await skip.evaluate((element) => element === document.activeElement)).toBe(true);
      expect(await skip.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe(
        "solid",
      );
      await page.keyboard.press("Enter");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe("main");
    });

    it("names each page in the document, and starts anew at its content", async () => {
      await using opened = await visit("/");
      const { page } = opened;
      await expect.poll(() => page.title()).toBe("Overview · Faultline");
      await page.getByRole("link", { name: "Cases", exact: true }).click();
      await expect.poll(() => page.title()).toBe("Cases · Faultline");
      await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe("main");
    });

    it("says what to do when the server is away, and goes on when it is back", async () => {
      await using opened = await openPage(browser);
      const { page } = opened;
      await page.route("**/api/session", (route) => route.abort());
      await page.goto(server.url);
      const alert = page.getByRole("alert");
      await alert.getByText("control_unavailable · 503").waitFor();
      expect(await alert.innerText()).toContain("faultline up");
      await page.unroute("**/api/session");
      await alert.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("heading", { name: "Overview" }).waitFor();
    });

    it("says so when a link leads nowhere", async () => {
      await using opened = await visit("/nowhere");
      await opened.page.getByText("There is no page here").waitFor();
      await opened.page.getByRole("link", { name: "To the overview" }).click();
      await opened.page.getByRole("heading", { name: "Overview" }).waitFor();
    });

    it("remembers a chosen theme and has it before the first paint", async () => {
      await using opened = await visit("/", { colorScheme: "light" });
      const { page } = opened;
      await page.getByRole("button", { name: "Theme: system. Switch to light" }).click();
      await page.getByRole("button", { name: "Theme: light. Switch to dark" }).click();
      const background = () =>
        page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
      await expect.poll(background).toBe(darkCanvas);
      // Without its main script the page shows what stands before the first paint.
      await page.route("**/assets/*.js", (route) => route.abort());
      await page.reload();
      expect(await background()).toBe(darkCanvas);
    });

    it.each([
      ["the sign-in", "/sign-in"],
      ["the overview", "/"],
      ["the traces", "/traces"],
      ["a trace", `/traces/${traceId}?span=x-0000000000000065`],
      ["the cases", "/cases"],
      ["a proved case", "/cases/3"],
      ["the form for a case", "/cases/new"],
    ])("shows %s without barriers, in light and dark, wide and narrow", async (_, path) => {
      server.scene.caseStatus = "proved";
      server.scene.signedIn = path !== "/sign-in";
      for (const view of [
        { width: 1_440, colorScheme: "light" },
        { width: 390, colorScheme: "dark" },
      ] as const) {
        await using opened = await visit(path, view);
        const { page, complaints } = opened;
        await page.getByRole("heading", { level: 1 }).waitFor();
        await page.getByRole("status").first().waitFor({ state: "detached" });
        expect(await barriersOf(page)).toEqual([]);
        expect(complaints).toEqual([]);
      }
    });
  });
});
