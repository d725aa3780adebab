/** How long it takes to compare two recordings of a million goroutines, from their bytes to the findings. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";

import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";

const worker = fileURLToPath(new URL("./lifetimes-process.ts", import.meta.url));
const goroutinesLarge = 1_000_000;
const goroutinesSmall = 20_000;

/** Each form in a process of its own, so that its memory is its own. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const count = small ? goroutinesSmall : goroutinesLarge;
  const figures: BenchFigure[] = [];
  const hash = createHash("sha256");
  for (const form of ["dumps", "profiles"] as const) {
    const measured = await measure(form, count);
    const name = `two ${form} of ${count.toLocaleString("en-US")} goroutines`;
    figures.push(
      { name: `${name}, compared in`, value: measured.seconds, unit: "s" },
      { name: `${name}, size`, value: measured.bytes / 2 ** 20, unit: "MiB" },
      { name: `${name}, memory`, value: measured.memoryMiB, unit: "MiB" },
    );
    hash.update(measured.result);
  }
  return { name: "contracts-lifetimes", figures, resultHash: hash.digest("hex").slice(0, 16) };
}

interface Measured {
  readonly seconds: number;
  readonly bytes: number;
  readonly memoryMiB: number;
  readonly result: string;
}

async function measure(form: string, count: number): Promise<Measured> {
  const child = spawn(process.execPath, [worker, form, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  let text = "";
  for await (const piece of child.stdout) text += String(piece);
  const code = await closed;
  if (code !== 0) throw new Error(`the process of the ${form} ended with ${code}`);
  // Written by the process below, in this form.
  return JSON.parse(text) as Measured;
}
