/** What keeps people from using a page, as axe finds it, and whether the page is wider than its window. */

import { readFile } from "node:fs/promises";

import type { Page } from "playwright-core";

interface AxeResults {
  violations: { id: string; impact: string; nodes: { html: string }[] }[];
}

const axeFile = new URL(import.meta.resolve("axe-core/axe.min.js"));

/** Every serious barrier of the page, in words; none where there is none. */
export async function barriersOf(page: Page): Promise<string[]> {
  await page.evaluate(await readFile(axeFile, "utf8"));
  const found = await page.evaluate(async () => {
    // The script above defines it.
    const { axe } = window as unknown as { axe: { run(): Promise<AxeResults> } };
    const results = await axe.run();
    return results.violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
  });
  const beyond = await page.evaluate(
    () => document.documentElement.scrollWidth - window.innerWidth,
  );
  return beyond > 0 ? [...found, `the page is ${beyond} pixels wider than its window`] : found;
}
