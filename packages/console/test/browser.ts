/** The system's Chromium, driven headless. */

import { existsSync } from "node:fs";

import { type Browser, chromium, type Page } from "playwright-core";

const chromiumPath = "/usr/bin/chromium";

/** Why the browser tests cannot run here, or `undefined` when they can. */
export const browserMissing = existsSync(chromiumPath)
  ? undefined
  : `there is no Chromium at ${chromiumPath}; on Debian, apt-get install chromium brings it`;

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export interface View {
  readonly width?: number;
  readonly colorScheme?: "light" | "dark";
}

export interface OpenedPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page complained about: uncaught errors, and whatever its content policy refused. */
  readonly complaints: string[];
}

/** A page in a context of its own, with no cookie and nothing remembered. */
export async function openPage(browser: Browser, view: View = {}): Promise<OpenedPage> {
  const { width = 1_440, colorScheme = "light" } = view;
  const context = await browser.newContext({
    viewport: { width, height: 900 },
    colorScheme,
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) {
      complaints.push(message.text());
    }
  });
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
