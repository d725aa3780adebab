import { expect, test } from "vitest";

import { createLogger } from "./create-logger.ts";
import { StderrLines } from "./stderr-lines.ts";

/** What was written in the end, by a file of which the calls that are named here fail with a code. */
function linesWith(failures: Readonly<Record<number, string>>): {
  lines: StderrLines;
  written: () => string;
} {
  let call = 0;
  let written = "";
  const lines = new StderrLines((bytes) => {
    call += 1;
    const code = failures[call];
    if (code !== undefined) throw Object.assign(new Error(code), { code });
    // As few bytes at once as a nearly full disk or pipe would take.
    const part = bytes.subarray(0, 16);
    written += Buffer.from(part).toString("latin1");
    return part.length;
  });
  return { lines, written: () => written };
}

test.each(["ENOSPC", "EPIPE", "EIO"])("a line that ends in %s is dropped and counted", (code) => {
  const { lines, written } = linesWith({ 1: code, 2: code });
  for (const line of ["one\n", "two\n", "three\n", "four\n"]) lines.write(line);
  expect(written()).toMatch(/^\n\{"level":40,"droppedLineCount":2,"msg":"[^"]+"\}\nthree\nfour\n$/);
});

test.each([1, 2, 3, 4, 5])("whichever write fails, later lines get through: the %ith", (call) => {
  const { lines, written } = linesWith({ [call]: "ENOSPC" });
  for (const line of ["one and some more of it\n", "two\n", "three\n", "four\n", "five\n"])
    lines.write(line);
  expect(written()).toMatch(/\n\{"level":40,"droppedLineCount":1,[^\n]*\n[a-z]+\n/);
  expect(written()).toMatch(/five\n$|droppedLineCount/);
});

test("a pipe that is full for a moment gets its line", () => {
  const { lines, written } = linesWith({ 1: "EAGAIN", 2: "EAGAIN" });
  lines.write("one\n");
  expect(written()).toBe("one\n");
});

test.each(["json", "pretty"] as const)(
  "the %s logger says of an error what it is, never what hangs on it",
  (format) => {
    const { lines, written } = linesWith({});
    const logger = createLogger({ level: "info", format }, lines);
    const error = Object.assign(new Error("broke", { cause: new Error("why") }), {
      code: "57P01",
      client: { connectionParameters: { password: "hidden" }, port: 4711 },
    });
    logger.warn({ err: error }, "a session broke");
    for (const told of ["a session broke", "broke", "57P01", "why", "stderr-lines.test.ts"])
      expect(written()).toContain(told);
    for (const kept of ["hidden", "4711", "connectionParameters"])
      expect(written()).not.toContain(kept);
  },
);
