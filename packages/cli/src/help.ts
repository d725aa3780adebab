/** What `--help` prints. */

import type { Command } from "./command.ts";
import type { Terminal } from "./terminal.ts";

/** The list of all commands. */
export function overviewHelp(
  commands: readonly (readonly [string, Command])[],
  terminal: Terminal,
): string {
  const width = Math.max(...commands.map(([name]) => name.length));
  const rows = commands.map(
    ([name, command]) => `  ${terminal.style("bold", name.padEnd(width))}  ${command.summary}`,
  );
  return [
    "Faultline runs GenAI systems and proves why they broke.",
    "",
    "Usage: faultline COMMAND [OPTIONS]",
    "",
    ...rows,
    "",
    "  faultline COMMAND --help   the options of a command",
    "  faultline --version        the version",
  ].join("\n");
}

/** Usage, options and notes of one command. */
export function commandHelp(name: string, command: Command, terminal: Terminal): string {
  const forms = command.usage.map((form) => `  faultline ${form}`);
  const options = Object.entries(command.options).map(([option, { short, value, description }]) => {
    const head = `${short === undefined ? "    " : `-${short}, `}--${option}${value === undefined ? "" : ` ${value}`}`;
    return [head, description] as const;
  });
  const width = Math.max(0, ...options.map(([head]) => head.length));
  return [
    `${terminal.style("bold", `faultline ${name}`)}: ${command.summary}`,
    "",
    "Usage:",
    ...forms,
    ...(options.length === 0 ? [] : ["", "Options:"]),
    ...options.map(([head, description]) => `  ${head.padEnd(width)}  ${description}`),
    ...(command.notes === undefined ? [] : ["", ...command.notes]),
  ].join("\n");
}
