/** The check in the browser: the findings of the command line, on files that stay in the browser. */

import { execFile } from "node:child_process";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { CheckReport, decodeSnapshotFile } from "@faultline/contracts";
import { openTemporaryFolder, type TemporaryFolder } from "@faultline/testkit";
import type { Browser, Page, Request } from "playwright-core";
import { Value } from "typebox/value";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { barriersOf } from "./barriers.ts";
import { browserMissing, launchBrowser, openPage, type View } from "./browser.ts";
import { buildConsole, type BuiltConsole } from "./build-console.ts";
import { type ConsoleServer, startConsoleServer } from "./console-server.ts";

const repository = path.join(import.meta.dirname, "..", "..", "..");
const recorded = path.join(repository, "packages/contracts/test/recorded/lifetimes");
const cluster = path.join(repository, "packages/contracts/src/scheduling/fixtures/cluster.yaml");
const suite = browserMissing === undefined ? describe : describe.skip;

suite(
  `the check page${browserMissing === undefined ? "" : ` (skipped: ${browserMissing})`}`,
  () => {
    let built: BuiltConsole;
    let browser: Browser;
    let server: ConsoleServer;
    let folder: TemporaryFolder;

    beforeAll(async () => {
      built = await buildConsole();
      browser = await launchBrowser();
      folder = await openTemporaryFolder();
      await layOut(folder.path);
    });
    afterAll(async () => {
      await browser?.close();
      await built?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      server = await startConsoleServer(built.folder);
      server.scene.signedIn = false;
      return () => server[Symbol.asyncDispose]();
    });

    async function visit(view?: View) {
      const opened = await openPage(browser, view);
      const sent: Request[] = [];
      opened.page.context().on("request", (request) => sent.push(request));
      await opened.page.goto(`${server.url}/check`);
      await opened.page.getByRole("heading", { name: "Check files", level: 1 }).waitFor();
      return { ...opened, sent };
    }

    it("finds in dropped files and folders what the command line finds, and sends nothing", async () => {
      await using opened = await visit();
      const { page, sent, complaints } = opened;
      await drop(
        page,
        ["dumps", "cluster.yaml", "notes.md"].map((name) => path.join(folder.path, name)),
      );
      const report = await reportOf(page);
      const expected = await commandLine(folder.path, ["dumps", "cluster.yaml", "notes.md"]);
      expect(report).toEqual(expected);
      expect(report.summary).toMatchObject({ violated: expect.toSatisfy((count) => count > 0) });
      expect(report.unreadable.map(({ name }) => name)).toEqual(["dumps/cut.json", "notes.md"]);
      expect(report.passedOver).toEqual(["dumps/README.txt"]);
      expect(
        sent.filter((request) => request.method() !== "GET" || request.postData() !== null),
      ).toEqual([]);
      expect(server.requests).toEqual(["GET /api/session"]);
      expect(sent.map((request) => request.url()).join(" ")).not.toMatch(/notes|dumps|cluster/);
      expect(complaints).toEqual([]);
    });

    it("takes chosen files and shows findings by boundary, quotes, and what to do", async () => {
      await using opened = await visit();
      const { page } = opened;
      const dumps = path.join(folder.path, "dumps", "unclosed-body");
      const names = ["counts-0.txt", "counts-1.txt", "counts-2.txt"];
      await page
        .getByLabel("Files", { exact: true })
        .setInputFiles(names.map((name) => path.join(dumps, name)));
      const report = await reportOf(page);
      expect(report).toEqual(await commandLine(dumps, names));
      const here = page.getByRole("region", { name: "process-resource" });
      const quote = here.getByRole("list", { name: "Evidence" }).getByRole("listitem").first();
      expect(await quote.innerText()).toContain("counts-0.txt");
      const last = page.getByRole("region", { name: "What to do" });
      await last.getByText("Close the body of every response").waitFor();
      expect(await here.getByText("candidate fix").count()).toBe(0);
    });

    it("takes a chosen folder", async () => {
      await using opened = await visit();
      await opened.page
        .getByLabel("Folder", { exact: true })
        .setInputFiles(path.join(folder.path, "dumps"));
      expect(await reportOf(opened.page)).toEqual(await commandLine(folder.path, ["dumps"]));
    });

    it("gives a snapshot that the command line checks with the same findings", async () => {
      await using opened = await visit();
      const { page } = opened;
      await page
        .getByLabel("Files", { exact: true })
        .setInputFiles(path.join(folder.path, "cluster.yaml"));
      const report = await reportOf(page);
      const bytes = await download(page, ".faultline snapshot");
      expect(decodeSnapshotFile(bytes).evidence).toHaveLength(report.evidenceCount);
      await writeFile(path.join(folder.path, "again.faultline"), bytes);
      const again = await commandLine(folder.path, ["again.faultline"]);
      expect(again.findings).toEqual(report.findings);
    });

    it("does not let silence look like health", async () => {
      await using opened = await visit();
      const { page } = opened;
      await page.getByLabel("Files", { exact: true }).setInputFiles({
        name: "empty.json",
        mimeType: "application/json",
        buffer: Buffer.from('{"resourceSpans":[]}'),
      });
      const report = await reportOf(page);
      expect(report.summary).toMatchObject({ violated: 0, holds: 0 });
      await page
        .getByText(/no contract had anything to judge|Could not be read/)
        .first()
        .waitFor();
    });

    it("stays alive while it reads, and forgets what it read when it is cancelled", async () => {
      await using opened = await visit();
      const { page } = opened;
      await writeFile(path.join(folder.path, "long.log"), longLog());
      await page
        .getByLabel("Files", { exact: true })
        .setInputFiles(path.join(folder.path, "long.log"));
      await page.getByRole("progressbar").waitFor();
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByText("The check was cancelled").waitFor();
      await expect.poll(() => page.workers().length).toBe(0);
    });

    it("stands among the other pages for who is signed in", async () => {
      server.scene.signedIn = true;
      await using opened = await visit();
      await opened.page.getByRole("link", { name: "Cases" }).waitFor();
    });

    it.each([
      [1_440, "light"],
      [1_440, "dark"],
      [390, "light"],
      [390, "dark"],
    ] as const)("has no barrier at a width of %i in %s", async (width, colorScheme) => {
      await using opened = await visit({ width, colorScheme });
      const { page } = opened;
      expect(await barriersOf(page)).toEqual([]);
      await drop(
        page,
        ["dumps", "cluster.yaml", "notes.md"].map((name) => path.join(folder.path, name)),
      );
      await page.getByRole("region", { name: "Verdict" }).waitFor();
      expect(await barriersOf(page)).toEqual([]);
      const shots = process.env["FAULTLINE_SCREENSHOTS"];
      if (shots !== undefined)
        await page.screenshot({
          path: path.join(shots, `check-${width}-${colorScheme}.png`),
          fullPage: true,
        });
    });
  },
);

/** Evidence of several kinds as it lies in folders: recorded profiles, objects, what is no evidence, and what is cut. */
async function layOut(root: string): Promise<void> {
  const dumps = path.join(root, "dumps");
  await mkdir(path.join(dumps, "node_modules"), { recursive: true });
  await mkdir(path.join(dumps, ".hidden"));
  await cp(path.join(recorded, "unclosed-body"), path.join(dumps, "unclosed-body"), {
    recursive: true,
  });
  await cp(cluster, path.join(root, "cluster.yaml"));
  await cp(cluster, path.join(dumps, "node_modules", "cluster.yaml"));
  await cp(cluster, path.join(dumps, ".hidden", "cluster.yaml"));
  await writeFile(path.join(dumps, "README.txt"), "What lies here.\n");
  await writeFile(path.join(dumps, "cut.json"), '{"resourceSpans": [');
  await writeFile(path.join(root, "notes.md"), "# Notes\n\nNo evidence.\n");
}

/** Lines enough to be read for a while. */
function longLog(): string {
  const line = "2024-05-01T00:00:00.000Z INFO web request of user 4711 took 12 ms\n";
  return line.repeat(2_000_000);
}

/** Drops files and folders as the system's own drag does. */
async function drop(page: Page, files: readonly string[]): Promise<void> {
  const target = await page.getByRole("group", { name: "Files to check" }).boundingBox();
  if (target === null) throw new Error("the page has a place to drop on");
  const at = { x: target.x + target.width / 2, y: target.y + 20 };
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await session.send("Input.dispatchDragEvent", { type, ...at, data });
  }
  await session.detach();
}

async function reportOf(page: Page): Promise<CheckReport> {
  const report: unknown = JSON.parse((await download(page, "JSON report")).toString("utf8"));
  if (!Value.Check(CheckReport, report)) throw new Error("the report fits its schema");
  return report;
}

async function download(page: Page, name: string): Promise<Buffer> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name }).click(),
  ]);
  return await readFile(await file.path());
}

/** What `faultline check --format json` prints of the same files. */
async function commandLine(cwd: string, words: readonly string[]): Promise<CheckReport> {
  const program = path.join(repository, "packages/cli/bin/faultline.js");
  const text = await new Promise<string>((resolve) => {
    const all = [program, "check", "--format", "json", ...words];
    // The exit code is part of the report, so that an exit other than 0 is no failure.
    execFile(process.execPath, all, { cwd, maxBuffer: 64_000_000 }, (_, output) => resolve(output));
  });
  const report: unknown = JSON.parse(text);
  if (!Value.Check(CheckReport, report)) throw new Error("the report fits its schema");
  return report;
}
