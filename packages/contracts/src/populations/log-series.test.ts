import { describe, expect, it } from "vitest";

import type { LogLine } from "../model/evidence.ts";
import { firstDeviation } from "./first-deviation.ts";
import { incident, onsetMicros, seeded, stepSeries } from "./incident-maker.ts";

const second = 1e6;
const before = 1_200;
const after = 600;

interface Writer {
  readonly service: string;
  /** Lines of each second, of the usual work. */
  readonly pace: number;
  /** Errors of each second, before and after. */
  readonly errors?: readonly [number, number];
  readonly errorText?: string;
}

/** Lines of services over half an hour of which the last third comes after the onset. */
function logOf(writers: readonly Writer[], seed = 1, growth = 1): LogLine[] {
  const next = seeded(seed * 97 + 5);
  return writers.flatMap(({ service, pace, errors = [0, 0], errorText = "" }) =>
    Array.from({ length: before + after }, (_, at) => at).flatMap((at): LogLine[] => {
      const isLate = at >= before;
      const load = isLate ? growth : 1;
      const timeMicros = onsetMicros + (at - before) * second;
      const usual: LogLine[] =
        next() < pace * load
          ? [{ timeMicros, severity: "info", service, text: `served request ${at} in 5 ms` }]
          : [];
      const failed: LogLine[] =
        next() < errors[isLate ? 1 : 0] * load
          ? [{ timeMicros: timeMicros + 1, severity: "error", service, text: errorText }]
          : [];
      return [...usual, ...failed];
    }),
  );
}

const stack = `could not render mail 4711
Traceback (most recent call last):
  File "/usr/lib/python3/grpc/_server.py", line 88, in call
  File "/src/mail/email_server.py", line 41, in send
KeyError: 'city'`;

describe("logs alone", () => {
  it.each([onsetMicros, undefined])(
    "name the service whose code began to fail, with a line of it and its place (moment %s)",
    (beganMicros) => {
      const lines = logOf([
        { service: "checkout", pace: 0.3, errors: [0.01, 0.06], errorText: "order was not mailed" },
        { service: "email", pace: 0.2, errors: [0, 0.12], errorText: stack },
        { service: "cart", pace: 0.4, errors: [0.02, 0.02], errorText: "item 5 not found" },
      ]);
      const [finding] = firstDeviation.check(
        incident({ lines, ...(beganMicros === undefined ? {} : { beganMicros }) }),
      );
      expect(finding?.verdict).toBe("violated");
      expect(String(finding?.measures["rankedServices"])).toMatch(/^email/);
      expect(finding?.actual).toContain("/src/mail/email_server.py:41");
      expect(finding?.evidence.map(({ quote }) => quote)).toContain(stack);
      expect(finding?.evidence[0]?.locator).toMatch(/^\/lines\/\d+$/);
    },
  );

  it("are well where errors come as often as before", () => {
    const lines = logOf([
      { service: "cart", pace: 0.4, errors: [0.05, 0.05], errorText: "item 5 not found" },
      { service: "mail", pace: 0.2 },
    ]);
    expect(firstDeviation.check(incident({ lines }))[0]?.verdict).toBe("holds");
  });

  it("are well where there are fewer errors than before", () => {
    const lines = logOf([
      { service: "cart", pace: 0.4, errors: [0.2, 0], errorText: "item 5 not found" },
      { service: "mail", pace: 0.2 },
    ]);
    expect(firstDeviation.check(incident({ lines }))[0]?.verdict).toBe("holds");
  });

  it("say nothing where they are few", () => {
    const lines = logOf([{ service: "cart", pace: 0.4 }]).slice(0, 30);
    expect(firstDeviation.check(incident({ lines }))).toEqual([]);
  });

  it("rank the same in whatever order they come", () => {
    const lines = logOf([
      { service: "email", pace: 0.2, errors: [0, 0.12], errorText: stack },
      { service: "cart", pace: 0.4, errors: [0.02, 0.02], errorText: "item 5 not found" },
    ]);
    const ranked = (given: readonly LogLine[]): unknown =>
      firstDeviation.check(incident({ lines: given }))[0]?.measures["rankedServices"];
    expect(ranked(lines.toReversed())).toEqual(ranked(lines));
  });
});

it("tell which service fails where all metrics move alike", () => {
  const names = ["web", "cart", "mail", "stock", "price"];
  const series = names.map((name) => stepSeries(name, "latency_ms", [20, 60]));
  const lines = logOf(
    names.map((service) => ({
      service,
      pace: 0.2,
      ...(service === "mail" ? { errors: [0, 0.1] as const, errorText: stack } : {}),
    })),
  );
  const [finding] = firstDeviation.check(incident({ series, lines, beganMicros: onsetMicros }));
  expect(String(finding?.measures["rankedServices"])).toMatch(/^mail/);
});

describe("logs that say who could not be called", () => {
  const payment: Writer = { service: "payment-service", pace: 0.2 };
  const refused = "failed to call http://payment:8080/charge: connection refused";
  const told = (lines: readonly LogLine[]): ReturnType<typeof firstDeviation.check>[number] =>
    firstDeviation.check(incident({ lines, beganMicros: onsetMicros }))[0] ??
    expect.fail("nothing is said");
  /** Its logs end with it. */
  const gone = (lines: readonly LogLine[]): LogLine[] =>
    lines.filter(
      ({ service, timeMicros = 0 }) => service !== payment.service || timeMicros < onsetMicros,
    );

  it("name the called service and not who calls it, over others as well", () => {
    const finding = told(
      gone(
        logOf([
          payment,
          { service: "checkout", pace: 0.3, errors: [0.01, 0.12], errorText: refused },
          {
            service: "web",
            pace: 0.3,
            errors: [0.01, 0.12],
            errorText: "POST http://checkout.shop.svc:5050/orders: 503 Service Unavailable",
          },
          { service: "cart", pace: 0.4, errors: [0.02, 0.02], errorText: "item 5 not found" },
        ]),
      ),
    );
    expect(finding).toMatchObject({
      verdict: "violated",
      subject: { name: "payment-service" },
    });
    expect(String(finding.measures["rankedServices"])).toMatch(/^payment-service, checkout, web/);
    expect(finding.evidence.map(({ quote }) => quote)).toContain(refused);
  });

  it("leave it with the caller where no service of that name is known", () => {
    const errorText = "failed to call http://billing:8080/charge: connection refused";
    const finding = told(
      logOf([payment, { service: "checkout", pace: 0.3, errors: [0.01, 0.12], errorText }]),
    );
    expect(finding).toMatchObject({ verdict: "violated", subject: { name: "checkout" } });
  });

  it("leave it with a caller that can call none of several", () => {
    const hosts = ["payment", "cart", "mail"];
    const lines = logOf([
      payment,
      { service: "checkout", pace: 0.3, errors: [0.01, 0.2], errorText: "x" },
      { service: "cart", pace: 0.4 },
      { service: "mail", pace: 0.4 },
    ]).map((line, at) =>
      line.severity === "error"
        ? { ...line, text: `dial tcp ${hosts[at % 3]}:50051: i/o timeout` }
        : line,
    );
    expect(told(lines)).toMatchObject({ verdict: "violated", subject: { name: "checkout" } });
  });

  it("are well where calls fail as often as before", () => {
    const finding = told(
      logOf([payment, { service: "checkout", pace: 0.3, errors: [0.1, 0.1], errorText: refused }]),
    );
    expect(finding.verdict).toBe("holds");
  });
});

const nullCount = 1_000;
const calledCountMax = 10 + 3 * Math.sqrt(10);

it.each([1, 1.8])(
  "at most 1 in 100 of 1,000 logs without a fault is called deviating, with a load of %f times at the end",
  (growth) => {
    let called = 0;
    for (let seed = 0; seed < nullCount; seed += 1) {
      const lines = logOf(
        [
          { service: "cart", pace: 0.15, errors: [0.05, 0.05], errorText: "item 5 not found" },
          { service: "mail", pace: 0.1, errors: [0.01, 0.01], errorText: "mailbox is full" },
        ],
        seed,
        growth,
      );
      if (firstDeviation.check(incident({ lines }))[0]?.verdict === "violated") called += 1;
    }
    expect(called).toBeLessThanOrEqual(calledCountMax);
  },
);
