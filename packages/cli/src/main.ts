/** `faultline`: finds the command, reads its options, runs it, and turns errors into words and exit codes. */

import { parseArgs } from "node:util";
import { PlatformError } from "@faultline/protocol";
import { isAbort, systemClock } from "@faultline/server/kernel/index.ts";

import { type Command, type OptionValues, parseArgsOptions, UsageError } from "./command.ts";
import { commands, type CommandName } from "./commands/index.ts";
import { commandHelp, overviewHelp } from "./help.ts";
import { abortOnSignals } from "./interrupt.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

/** Exit codes beside those of a command itself, after sysexits.h. */
const exitUsage = 64;
const exitFailure = 70;
const exitInterrupted = 130;
const exitBrokenPipe = 141;

/** Runs one call of the CLI and gives its exit code. */
export async function main(words: readonly string[]): Promise<number> {
  const environment = process.env;
  // A reader that has seen enough, such as `head`, closes the pipe; nobody is left to be told.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? exitBrokenPipe : exitFailure);
  });
  // Words about the work that cannot be written, as on a full disk, are lost; the work goes on.
  process.stderr.on("error", () => {});
  const terminal = processTerminal(environment);
  const [name, ...rest] = words;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    return printHelp(terminal, rest[0]);
  }
  if (name === "--version" || name === "version") {
    terminal.print(version());
    return 0;
  }
  if (!isCommandName(name)) {
    // All contracts come with it, and only a mistyped name needs it.
    const { nearestName } = await import("@faultline/contracts");
    const near = nearestName(name, Object.keys(commands));
    terminal.note(
      `faultline: there is no command '${name}'.${near === undefined ? "" : ` Did you mean '${near}'?`}`,
    );
    terminal.note("Call 'faultline --help' for the list.");
    return exitUsage;
  }

  const { command } = await commands[name]();
  const interrupt =
    command.stopsAtOnce === true
      ? new AbortController()
      : abortOnSignals({
          signals: process,
          clock: systemClock,
          exit: () => process.exit(exitInterrupted),
        });
  try {
    const { values, positionals } = readOptions(command, rest);
    if (values.help === true) {
      terminal.print(commandHelp(name, command, terminal));
      return 0;
    }
    return await command.run({
      terminal,
      options: values,
      positionals,
      signal: interrupt.signal,
      clock: systemClock,
      environment,
    });
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.note(`faultline ${name}: ${error.message}`);
      const forms = usageOf(command, name, rest);
      terminal.note(`Usage: ${forms.map((form) => `faultline ${form}`).join("\n       ")}`);
      terminal.note(`Call 'faultline ${name} --help' for the options.`);
      return exitUsage;
    }
    if (interrupt.signal.aborted && isAbort(error)) return exitInterrupted;
    printError(terminal, error);
    return exitFailure;
  }
}

/** The forms of the call for what was asked of the command; all where nothing of it is known. */
function usageOf(command: Command, name: string, words: readonly string[]): readonly string[] {
  const action = words.find((word) => !word.startsWith("-"));
  const own = command.usage.filter((form) => `${form} `.startsWith(`${name} ${action} `));
  return own.length > 0 ? own : command.usage;
}

async function printHelp(terminal: Terminal, topic: string | undefined): Promise<number> {
  if (topic !== undefined && isCommandName(topic)) {
    const { command } = await commands[topic]();
    terminal.print(commandHelp(topic, command, terminal));
    return 0;
  }
  const loaded = await Promise.all(
    Object.entries(commands).map(async ([name, load]): Promise<[string, Command]> => [
      name,
      (await load()).command,
    ]),
  );
  terminal.print(overviewHelp(loaded, terminal));
  return 0;
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name);
}

function readOptions(
  command: Command,
  words: readonly string[],
): { values: OptionValues; positionals: readonly string[] } {
  try {
    return parseArgs({
      args: [...words],
      options: { ...parseArgsOptions(command), help: { type: "boolean", short: "h" } },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function printError(terminal: Terminal, error: unknown): void {
  if (error instanceof PlatformError) {
    terminal.note(`${terminal.style(["red", "bold"], "error")} ${error.code}: ${error.message}`);
    if (error.where !== undefined) terminal.note(`  where: ${error.where}`);
    if (error.hint !== undefined) terminal.note(`  hint:  ${error.hint}`);
    return;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  terminal.note(`${terminal.style(["red", "bold"], "error")} internal: ${text}`);
  terminal.note("  This is a fault of Faultline itself; please report it with the lines above.");
}
