/** What a command of the CLI is: a name, its options as data, and a function from arguments to an exit code. */

import type { ParseArgsOptionsConfig } from "node:util";

import type { Clock } from "@faultline/server/kernel/index.ts";

import type { Terminal } from "./terminal.ts";

export interface CommandOption {
  readonly type: "string" | "boolean";
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for the value in the help, for example `PORT`. */
  readonly value?: string;
  readonly description: string;
}

/** Options as `util.parseArgs` gives them. */
export type OptionValues = Readonly<Record<string, string | boolean | string[] | undefined>>;

export interface CommandContext {
  readonly terminal: Terminal;
  readonly options: OptionValues;
  readonly positionals: readonly string[];
  /** Aborts on the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  /** One line for `faultline --help`. */
  readonly summary: string;
  /** The forms of the call, without `faultline`. */
  readonly usage: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  /** Nothing has to be tidied up: a signal ends the process at once, also while it computes. */
  readonly stopsAtOnce?: true;
  /** Lines below the options: examples, exit codes. */
  readonly notes?: readonly string[];
  /** Gives the exit code. A thrown `PlatformError` or `UsageError` is printed by the frame. */
  run(context: CommandContext): Promise<number>;
}

/** The call's words are off: printed with the usage, exit code 64 (EX_USAGE of sysexits.h). */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The options of a command in the form that `util.parseArgs` takes. */
export function parseArgsOptions(command: Command): ParseArgsOptionsConfig {
  const options: ParseArgsOptionsConfig = {};
  for (const [name, option] of Object.entries(command.options)) {
    options[name] = {
      type: option.type,
      ...(option.short === undefined ? {} : { short: option.short }),
      ...(option.multiple === undefined ? {} : { multiple: option.multiple }),
    };
  }
  return options;
}
