/** Where a command writes: results to standard output, words about the work to standard error. */

import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export interface Terminal {
  /** Whether standard output is a terminal that takes colour; `NO_COLOR` and pipes say no. */
  readonly colour: boolean;
  readonly columns: number;
  /** How this program was called, for lines that people copy: `faultline` or `npx faultline`. */
  readonly program: string;
  /** Writes a result, followed by a line break. */
  print(text: string): void;
  /** Writes raw bytes or text to standard output without a line break. */
  write(data: string | Uint8Array): void;
  /** Writes a word about the work: progress, warnings, errors. */
  note(text: string): void;
  style(style: Style, text: string): string;
  /** Puts words about long work in the place of those before, or takes them away; absent where nobody looks. */
  readonly showProgress?: (text: string | undefined) => void;
  /** The bytes of standard input as they come. */
  input(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** The terminal of this process. */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
): Terminal {
  const colour =
    process.stdout.isTTY && (environment.NO_COLOR ?? "") === "" && environment.TERM !== "dumb";
  return {
    colour,
    columns: process.stdout.columns ?? 80,
    // npm tells the processes that it starts, by `npx` or by a script, which of its commands did so.
    program: environment.npm_command === undefined ? "faultline" : "npx faultline",
    print: (text) => void process.stdout.write(`${text}\n`),
    write: (data) => void process.stdout.write(data),
    note: (text) => void process.stderr.write(`${text}\n`),
    style: (style, text) =>
      colour ? styleText(style, text, { validateStream: false }) : stripVTControlCharacters(text),
    input: readStandardInput,
    ...(process.stderr.isTTY && environment.TERM !== "dumb" ? { showProgress: overwriteLine } : {}),
  };
}

async function* readStandardInput(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = (): void =>
    void process.stdin.destroy(new Error("Reading standard input was stopped."));
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const chunk of process.stdin) {
      yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Overwrites the present line of standard error. */
function overwriteLine(text: string | undefined): void {
  process.stderr.write(`\r\u001b[2K${text ?? ""}`);
}
