/** Lines that say that a program broke, and little of why. */

import type { CauseRule } from "./cause.ts";

function crash(because: string): ReturnType<CauseRule["cause"]> {
  return { causeKind: "none", because };
}

/** Rules in which the first that fits a line wins. */
export const crashCauses: readonly CauseRule[] = [
  {
    weight: 1,
    pattern: /\bpanic: (.{1,300})/,
    cause: (match) => crash(`its program panics: ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /thread '[^']{0,80}' panicked at (.{1,300})/,
    cause: (match) => crash(`its program panics at ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /^\s*Caused by: (.{1,300})/,
    cause: (match) => crash(`of ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /Exception in thread "[^"]{0,80}" (.{1,300})/,
    cause: (match) => crash(`of an exception: ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /^((?:[a-zA-Z_]\w{0,60}\.){0,8}[A-Z]\w{0,60}(?:Error|Exception|Warning)): (.{1,300})/,
    cause: (match) => crash(`of ${match[1] ?? ""}: ${match[2]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /Segmentation fault|SIGSEGV|segfault/i,
    cause: () => crash("its program accesses memory that is not its own (segmentation fault)"),
  },
  {
    weight: 1,
    pattern: /\b(?:FATAL|CRITICAL|PANIC|EMERG|EMERGENCY)\b[\]:"\s,|-]{0,6}(.{3,300})/,
    cause: (match) => crash(`it ends with a fatal error: ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern:
      /"(?:level|severity)":\s*"(?:fatal|panic|critical|error)"[^\n]{0,400}"(?:msg|message|error)":\s*"([^"]{3,300})/i,
    cause: (match) => crash(`it reports: ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /\b(?:fatal|fatal error|unhandled|uncaught)\b[^\n:]{0,60}: (.{3,300})/i,
    cause: (match) => crash(`it ends with a fatal error: ${match[1]?.trim() ?? ""}`),
  },
  {
    weight: 1,
    pattern: /\b(?:ERROR|ERR|Error|error)\b[\]:"\s|-]{1,6}(.{3,300})/,
    cause: (match) => crash(`it reports: ${match[1]?.trim() ?? ""}`),
  },
];
