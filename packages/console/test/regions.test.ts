/** The page of regions in a browser: a platform that is the home of an account, and a region that borrows over real HTTP. */

import { writeFile } from "node:fs/promises";

import { createClient } from "@faultline/protocol";
import { loadConfig, startPlatform } from "@faultline/server";
import { seal } from "@faultline/server/ledger/regions/seal.ts";
import { freePort, openTemporaryFolder } from "@faultline/testkit";
import { pino } from "pino";
import { describe, expect, it } from "vitest";

import { barriersOf } from "./barriers.ts";
import { browserMissing, launchBrowser, openPage } from "./browser.ts";
import { buildConsole } from "./build-console.ts";

const suite = browserMissing === undefined ? describe : describe.skip;
const { signal } = new AbortController();
const key = "a key of two regions, of which nobody else knows";
const settings = `
regions:
  name: eu
  peers:
    - name: us
      keyEnvironment: FAULTLINE_REGION_KEY
  tenants:
    - { id: default, home: eu }
`;

suite(
  `the page of regions${browserMissing === undefined ? "" : ` (skipped: ${browserMissing})`}`,
  () => {
    it("shows what a region holds, recalls it, and lends again", async () => {
      await using resources = new AsyncDisposableStack();
      const built = resources.use(await buildConsole());
      const folder = resources.use(await openTemporaryFolder());
      await writeFile(`${folder.path}/faultline.yaml`, settings);
      const config = loadConfig({
        flags: { data: `${folder.path}/data`, port: String(await freePort()) },
        environment: { FAULTLINE_REGION_KEY: key },
        workingFolder: folder.path,
      });
      const logger = pino({ level: "silent" });
      const platform = resources.use(
        await startPlatform(config, { logger, signal, consoleFolder: built.folder }),
      );
      const client = createClient({ baseUrl: platform.url, key: String(platform.adminKey), fetch });
      const grant = { id: "gift", currency: "USD", amountMicros: "40000000" };
      await client.grantCredit({ body: grant }, { signal });
      const exchange = (steps: readonly object[]) => {
        const message = {
          tenantId: "default",
          steps,
          documents: [],
          heardRevision: 0,
          details: {},
        };
        const sealed = {
          from: "us",
          to: "eu",
          nonce: "0".repeat(32),
          text: JSON.stringify(message),
        };
        return client.exchangeRegions({ body: seal(key, "request", sealed) }, { signal });
      };
      const leaseId = "escrow/us/USD";
      const terms = { epoch: 1, amountMicros: "5000000", durationMs: 600_000, budgets: [] };
      const who = { workerId: "region/us", currency: "USD", minimumMicros: "1", isEscrow: true };
      await exchange([{ kind: "lease", id: leaseId, ...who, ...terms }]);

      const browser = await launchBrowser();
      resources.defer(() => browser.close());
      const { page } = resources.use(await openPage(browser));
      await page.goto(platform.url);
      await page.getByLabel("API key").fill(String(platform.adminKey));
      await page.keyboard.press("Enter");
      await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
      await page.goto(`${platform.url}/ledger/regions`);
      const row = page.getByRole("table", { name: "Escrows" }).getByRole("row").nth(1);
      await row.getByText("lent", { exact: true }).waitFor();
      expect(await row.innerText()).toMatch(/us[\s\S]*\$5\.00[\s\S]*\$0\.00/);
      await page.getByLabel("How long").selectOption("Recall for an hour");
      await page.getByRole("button", { name: "Recall from us" }).click();
      await row.getByText("recalled").waitFor();
      const { escrows } = await client.listEscrows({}, { signal });
      expect(Date.parse(escrows[0]?.recalledUntil ?? "") - Date.now()).toBeGreaterThan(3_000_000);
      expect(await barriersOf(page)).toEqual([]);
      // What the region asks for meanwhile it is not lent.
      await exchange([{ kind: "renew-lease", id: `${leaseId}/borrow1`, leaseId, ...terms }]);
      expect((await client.listEscrows({}, { signal })).escrows[0]?.heldMicros).toBe("5000000");
      await page.getByRole("button", { name: "Lend again to us" }).click();
      await row.getByText("lent", { exact: true }).waitFor();
    });
  },
);
