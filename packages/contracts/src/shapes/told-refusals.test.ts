import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { readEvidence } from "../readers/read-evidence.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { operatorsFit } from "./operators-fit.ts";

interface Recorded {
  readonly name: string;
  readonly message: string;
}

const path = new URL("../../test/recorded/operators/refusals.jsonl", import.meta.url);
// The file is our own, and each of its lines has these two fields.
const recorded = readFileSync(path, "utf-8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

function check(text: string, name = "run.log") {
  const { evidence } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  return operatorsFit.check(createSnapshot(evidence));
}

function trace(message: string): string {
  return `Traceback (most recent call last):
  File "/srv/app/train.py", line 12, in <module>
    main()
  File "/srv/app/net.py", line 7, in forward
    x = self.fc1(x)
  File "/usr/lib/python3.12/site-packages/torch/nn/modules/linear.py", line 125, in forward
    return F.linear(input, self.weight, self.bias)
${message}
`;
}

describe("operators that refused their inputs", () => {
  // What a runtime logs by itself stands in no trace of Python.
  const raised = recorded.filter(({ message }) =>
    /^[\w.]+(?:Error|Exception|Fail|InvalidArgument|Warning): /.test(message),
  );
  it.each(raised)("$name is told from the trace of an exception", ({ message }) => {
    const findings = check(trace(message));
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({ verdict: "violated", subject: { kind: "operators" } });
    expect(findings[0]?.title).toContain("net.py:7 in forward: x = self.fc1(x)");
    expect(`${findings[0]?.expected}${findings[0]?.actual}`).not.toMatch(/\$\d/);
  });

  it.each(recorded)("$name is told by the message alone", ({ message }) => {
    expect(check(message, "pasted.txt")[0]).toMatchObject({ verdict: "violated" });
  });

  it("are not told where a program only informs of a text that it was given, or a log of a request", () => {
    const message = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x3 and 4x3)";
    const record = (level: string, msg: string): string =>
      JSON.stringify({ level, time: "2026-01-01T00:00:00Z", msg });
    const asked = record("info", `prompt: my training ends in ${message}, why?`);
    expect(check(`${asked}\n${asked}\n`, "chat.ndjson")).toEqual([]);
    const search = `10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /search?q=${message} Error HTTP/1.1" 200 12`;
    expect(check(`${search}\n${search}\n`, "access.log")).toEqual([]);
    const failed = record("error", `training ended: ${message}`);
    expect(check(`${asked}\n${failed}\n`, "chat.ndjson")).toMatchObject([{ verdict: "violated" }]);
    expect(
      check(`2026-01-01 00:00:00,123 INFO epoch 2\n${trace(message)}`, "train.log"),
    ).toMatchObject([{ verdict: "violated" }]);
  });

  it("are told with the shapes that came and those that are taken", () => {
    const message = "RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x784 and 512x10)";
    expect(check(trace(message))[0]).toMatchObject({
      expected: "matmul takes a second factor of 784 rows, as many as the first has columns.",
      actual: "the factors are [32, 784] and [512, 10].",
      measures: { refusalCount: 1 },
    });
  });

  it("are told once for each message, however often a log has it", () => {
    const line = (second: number, columns: number): string =>
      `2026-03-01T10:00:${String(second).padStart(2, "0")}Z ERROR RuntimeError: The size of tensor a (${columns}) must match the size of tensor b (4) at non-singleton dimension 1\n`;
    const findings = check(line(1, 3) + line(2, 3) + line(3, 5));
    expect(findings.map(({ measures }) => measures["refusalCount"])).toEqual([2, 1]);
  });
});

describe("logs without a refusal", () => {
  it.each([
    "2026-03-01T10:00:00Z INFO tensor shape is (32, 784), weight size (784, 10)\n2026-03-01T10:00:01Z INFO dimension 2 must match config\n",
    "2026-03-01T10:00:00Z ERROR disk size exceeded: Error writing dimension table\n2026-03-01T10:00:01Z ERROR request failed: shape of response is wrong\n",
    "2026-03-01T10:00:00Z WARN retry failed, batch size 32 channels 4\n2026-03-01T10:00:00Z INFO loaded checkpoint, size mismatch: none\n",
  ])("say nothing of operators", (text) => {
    expect(check(text)).toEqual([]);
  });

  it("a text that explains a message is no evidence", () => {
    const text =
      "# Common faults\n\n`RuntimeError: mat1 and mat2 shapes cannot be multiplied (32x784 and 512x10)` means …\n";
    expect(check(text, "faults.md")).toEqual([]);
  });
});
