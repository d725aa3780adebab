/** Starts the one embedded PostgreSQL of a test run, with a migrated template from which each test file copies its database. */

import { pino } from "pino";
import type { TestProject } from "vitest/node";

import { EmbeddedPostgres, embeddedSuperuser, openStore } from "@faultline/server/storage/index.ts";
import { systemClock } from "@faultline/server/kernel/index.ts";

import { openTemporaryFolder } from "./temporary-folder.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server of this test run listens. */
    faultlinePostgres: { readonly socketFolder: string; readonly superuser: string };
  }
}

/** Vitest calls this once before all test files, and what it returns after them. */
export default async function startTestPostgres(
  project: TestProject,
): Promise<() => Promise<void>> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await openTemporaryFolder());
  const options = {
    dataFolder: folder.path,
    clock: systemClock,
    logger: pino({ level: "warn" }),
    signal: new AbortController().signal,
  };
  const postgres = stack.use(await EmbeddedPostgres.open(options));
  await (await openStore({ ...options, postgres }))[Symbol.asyncDispose]();

  project.provide("faultlinePostgres", {
    socketFolder: postgres.socketFolder,
    superuser: embeddedSuperuser,
  });
  const opened = stack.move();
  return async () => await opened.disposeAsync();
}
