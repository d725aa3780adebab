import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import type { Span } from "../model/span.ts";
import { get, request, snapshotOfSpans, spansOf } from "../traces/trace-builder.ts";
import { callsTimeLimited } from "./calls-time-limited.ts";

function calls(count: number, seconds: number, message: string): Span[][] {
  return Array.from({ length: count }, (_item, index) =>
    spansOf(
      request("/pay", [
        get("http://bank/charge", {
          durationMicros: seconds * 1_000_000 + index * 90_000,
          status: "error",
          attributes: { "error.message": message },
        }),
      ]),
      index + 1,
    ),
  );
}

const check = (traces: readonly Span[][]): Finding[] =>
  callsTimeLimited.check(snapshotOfSpans(...traces));

describe("calls that the operating system ended", () => {
  it.each([
    [127.2, "dial tcp 10.0.0.9:443: connect: connection timed out"],
    [131, "java.net.ConnectException: Connection timed out (Connection timed out)"],
    [127, "connect ETIMEDOUT 10.0.0.9:443"],
    [944, "read tcp 10.0.0.1:5000->10.0.0.9:443: read: connection timed out"],
  ])("after %d s with %s show a client without a limit", (seconds, message) => {
    const [finding, ...others] = check(calls(3, seconds, message));
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "orders → bank" },
      evidence: [{ quote: message }, {}, {}],
    });
    expect(check(calls(1, seconds, message))).toMatchObject([{ verdict: "inconclusive" }]);
  });

  it.each([
    [30, "connect ETIMEDOUT 10.0.0.9:443"],
    [127, "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"],
    [300, "dial tcp 10.0.0.9:443: connect: connection timed out"],
    [127, "HTTP 503"],
  ])("are none after %d s with %s", (seconds, message) => {
    expect(check(calls(3, seconds, message))).toEqual([]);
  });

  it("do not change with what stands beside them", () => {
    const traces = calls(3, 127, "connect ETIMEDOUT");
    const verdicts = (list: readonly Span[][]): unknown =>
      check(list).map(({ verdict, measures }) => ({ verdict, measures }));
    const others = spansOf(request("/health", [get("http://bank/ok")]), 99);
    expect(verdicts([others, ...traces].toReversed())).toEqual(verdicts(traces));
  });
});
