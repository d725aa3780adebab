/** Runs commands in the test's own process. */

import { join } from "node:path";
import { systemClock } from "@faultline/server/kernel/index.ts";

import type { Command, OptionValues } from "../src/command.ts";

export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly notes: string;
}

export interface RunOptions {
  readonly options?: OptionValues;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Called with every result, and with every word about the work. */
  readonly onPrint?: (text: string) => void;
  readonly onNote?: (text: string) => void;
}

/** A runner whose names of files are taken from a folder. */
export function runIn(folder: () => string) {
  return async (
    command: Command,
    words: readonly string[],
    more: RunOptions = {},
  ): Promise<Outcome> => {
    const output: string[] = [];
    const notes: string[] = [];
    const code = await command.run({
      terminal: {
        colour: false,
        columns: 100,
        program: "faultline",
        print: (text) => {
          output.push(text);
          more.onPrint?.(text);
        },
        write: (data) => void output.push(String(data)),
        note: (text) => {
          notes.push(text);
          more.onNote?.(text);
        },
        style: (_, text) => text,
        input: () => new Blob([more.input ?? ""]).stream(),
      },
      options: more.options ?? {},
      positionals: words.map((word) => (/\.|dumps/.test(word) ? join(folder(), word) : word)),
      signal: more.signal ?? new AbortController().signal,
      clock: systemClock,
      environment: {},
    });
    return { code, output: output.join("\n"), notes: notes.join("\n") };
  };
}
