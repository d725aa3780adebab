/** Builds the console into a folder of its own, as a release is built. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { build } from "vite";

export interface BuiltConsole extends AsyncDisposable {
  readonly folder: string;
}

export async function buildConsole(): Promise<BuiltConsole> {
  const folder = await mkdtemp(path.join(tmpdir(), "faultline-console-"));
  await build({
    configFile: path.join(import.meta.dirname, "..", "vite.config.ts"),
    logLevel: "error",
    build: { outDir: folder },
  });
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
