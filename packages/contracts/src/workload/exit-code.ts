/** What the exit code of a process says about its end. */

import type { CauseKind } from "../model/finding.ts";

export interface ExitMeaning {
  /** Completes "it ended with exit code N, …". */
  readonly words: string;
  readonly causeKind: CauseKind;
  readonly fix?: string;
}

/** The signal of a code above 128. */
const signals: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** Codes that curl documents, for containers whose process it is. */
const curlCodes: Readonly<Record<number, string>> = {
  3: "its URL is malformed",
  6: "the host name could not be resolved to an address",
  7: "it fails to connect to the host (connection refused)",
  22: "the server answered with an error status",
  28: "the request timed out",
  35: "the TLS handshake failed",
  52: "the server answered nothing",
  60: "the server's certificate is not accepted",
};

/** What a code means by the conventions of shells and container runtimes. */
export function meaningOfExit(code: number, command: readonly string[]): ExitMeaning {
  const url = command.find((word) => /^https?:\/\//.test(word));
  if (/(?:^|\/)curl$/.test(command[0] ?? "")) {
    const words = curlCodes[code];
    if (words !== undefined) {
      return {
        words: `by which curl says that ${words}${url === undefined ? "" : `: ${url}`}`,
        causeKind: "dependency",
        fix: "Correct the address that curl is given, or repair what answers there.",
      };
    }
  }
  switch (code) {
    case 126:
      return {
        words: "the command was found but may not be executed",
        causeKind: "configuration",
        fix: "Make the file executable in the image (chmod +x), or start it through its interpreter.",
      };
    case 127:
      return {
        words: "the command was not found in the image",
        causeKind: "configuration",
        fix: "Correct command and args, or use an image that has the command.",
      };
    case 128:
    case 255:
      return { words: "which says nothing about why", causeKind: "none" };
    case 0:
      return { words: "that is, without an error", causeKind: "none" };
    default:
      break;
  }
  if (code > 128 && code < 160) {
    const signal = code - 128;
    return {
      words: `that is, it was ended by signal ${signal} (${signals[signal] ?? "unnamed"})`,
      causeKind: "none",
    };
  }
  return {
    words:
      code === 2
        ? "a wrong use of a command or a fault of the program"
        : "a fault that the program itself reports",
    causeKind: "none",
  };
}
