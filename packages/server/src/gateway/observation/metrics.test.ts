/** What a scraper sees: values of all processes in both formats, with exemplars in the one that has them. */

import { once } from "node:events";

import { until } from "@faultline/testkit";
import { describe, expect, it } from "vitest";

import { exchange, openSocket } from "../test/raw-client.ts";
import {
  openTestGateway,
  openTestServer,
  providerAt,
  type TestGateway,
  testSecret,
} from "../test/test-gateway.ts";
import { addUp } from "./add-up.ts";
import { expositionFormat, writeExposition } from "./exposition.ts";
import { Histogram, histogram } from "./histogram.ts";
import { counter, gauge } from "./metric-data.ts";

const trace = (traceId: string, timeMs: number) => ({ traceId, timeMs });

describe("the exposition", () => {
  it("is OpenMetrics only for scrapers that say they read it", () => {
    expect(expositionFormat(undefined)).toBe("prometheus");
    expect(expositionFormat("text/plain;version=0.0.4")).toBe("prometheus");
    expect(
      expositionFormat("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"),
    ).toBe("openmetrics");
  });

  it("escapes what would break a line, and names counters as each format wants them", () => {
    const metrics = [counter("x_total", 'a "b"\n\\', [{ labels: { of: 'q"\n\\' }, value: 2 }])];
    expect(writeExposition(metrics, "prometheus")).toBe(
      '# HELP faultline_gateway_x_total a "b"\\n\\\\\n# TYPE faultline_gateway_x_total counter\nfaultline_gateway_x_total{of="q\\"\\n\\\\"} 2\n',
    );
    expect(writeExposition(metrics, "openmetrics")).toBe(
      '# HELP faultline_gateway_x a \\"b\\"\\n\\\\\n# TYPE faultline_gateway_x counter\nfaultline_gateway_x_total{of="q\\"\\n\\\\"} 2\n# EOF\n',
    );
  });

  it("adds up processes, and keeps the newer exemplar of a bucket", () => {
    const [left, right] = [new Histogram(), new Histogram()];
    left.observe(30, trace("older", 1_000));
    right.observe(40, trace("newer", 2_500));
    right.observe(700_000, trace("long", 2_000));
    const of = (observed: Histogram) => [
      histogram("h_seconds", "h", [{ labels: { model: "m" }, observed }]),
      gauge("oldest", "o", { value: observed === left ? 3 : 2, combine: "min" }),
    ];
    const text = writeExposition(addUp([of(left), of(right)]), "openmetrics");
    expect(text).toContain(
      'faultline_gateway_h_seconds_bucket{le="0.05",model="m"} 2 # {trace_id="newer"} 0.04 2.500',
    );
    expect(text).toContain('le="+Inf",model="m"} 3 # {trace_id="long"} 700 2.000');
    expect(text).toContain('h_seconds_count{model="m"} 3\n');
    expect(text).toContain("faultline_gateway_oldest 2\n");
    expect(writeExposition(of(left), "prometheus")).not.toContain("trace_id");
  });
});

function head(simulate: string): string[] {
  return [
    "POST /v1/chat/completions HTTP/1.1",
    `authorization: Bearer ${testSecret}`,
    `x-faultline-simulate: ${simulate}`,
  ];
}

const ask = (more: object) =>
  JSON.stringify({ model: "simulated", messages: [{ role: "user", content: "x" }], ...more });

/** The value of the first sample whose line starts so. */
async function sample(world: TestGateway, start: string): Promise<number> {
  const text = await world.gateway.metrics();
  const line = text.split("\n").find((each) => each.startsWith(`faultline_gateway_${start}`));
  return Number(line?.split(" ")[1]);
}

describe("a worker's metrics", () => {
  it("have queue, connect, first token, pace, tokens and truncation of a stream, with its trace", async () => {
    await using world = await openTestGateway();
    const text = ask({ stream: true, max_tokens: 5 });
    await exchange(world.gateway.port, head("pace=4ms, tokens=20, reasoning=2"), text);
    const span = await world.spanWhere(() => true);
    const shown = await world.gateway.metrics("openmetrics");
    const labels = 'provider="simulated",model="simulated/simulated"';
    for (const name of ["queue", "connect", "time_to_first_token", "inter_token"]) {
      expect(shown).toContain(`faultline_gateway_${name}_seconds_count{${labels}} 1\n`);
    }
    expect(shown).toContain(` # {trace_id="${span.traceId}"} `);
    expect(shown).toContain(`truncated_replies_total{${labels}} 1\n`);
    expect(shown).toContain(`cost_dollars_total{${labels}} 0\n`);
    expect(shown).toContain("faultline_gateway_open_streams 0\n");
    const pace = await sample(world, "inter_token_seconds_sum");
    expect(pace).toBeGreaterThan(0.002);
    // Spans have whole microseconds.
    expect(pace).toBeCloseTo(Number(span.attributes["faultline.inter_token.seconds"]), 5);
  });

  it("count work that goes on after its caller left, until the exchange has really ended", async () => {
    const gone = Promise.withResolvers<void>();
    await using upstream = await openTestServer((request, response) => {
      request.resume();
      response.on("close", () => gone.resolve());
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write('data: {"choices":[{"delta":{"content":"a"}}]}\n\n');
    });
    await using world = await openTestGateway({ providers: [providerAt(upstream.port)] });
    const socket = await openSocket(world.gateway.port);
    const text = ask({ model: "model-a", stream: true });
    socket.write(
      `${head("").join("\r\n")}\r\nhost: h\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    );
    await once(socket, "readable");
    expect(await sample(world, "open_streams")).toBe(1);
    socket.destroy();
    await gone.promise;
    await until(async () => (await sample(world, 'abandoned_calls_total{work="cancelled"}')) === 1);
    await until(async () => (await sample(world, "abandoned_calls_open")) === 0);
    expect(await sample(world, "open_streams")).toBe(0);
    expect(await sample(world, 'abandoned_seconds_total{work="cancelled"}')).toBeLessThan(5);
  });
});
