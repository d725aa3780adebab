/** What Linux says about a process in `/proc/PID/stat`: proc(5). Pure: whoever needs it reads the file. */

/** The identity of this start of the machine stands here. */
export const bootIdPath = "/proc/sys/kernel/random/boot_id";

interface ProcessStat {
  /** It has ended, and nobody has taken note of that yet. */
  readonly isZombie: boolean;
  /** When it began, in clock ticks since the start of the machine: tells it from others that had the same number. */
  readonly startTicks: string;
}

/** Counted behind the name of the process: the state is the first field, and the start the twentieth. */
const startField = 19;

/** Reads the text of a `stat` file. */
export function readProcessStat(text: string): ProcessStat {
  // The name in parentheses may itself hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  return { isZombie: state === "Z" || state === "X", startTicks: fields[startField] ?? "" };
}
