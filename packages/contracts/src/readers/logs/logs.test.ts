import { describe, expect, it } from "vitest";

import type { LogLine, LogsContent } from "../../model/evidence.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { readEvidence } from "../read-evidence.ts";

const micros = 1_700_000_000_000_000;

function logsOf(
  text: string,
  name = "x",
): { logs: LogsContent[]; notes: readonly string[]; format: string } {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  const logs = evidence.flatMap(({ content }) => {
    expect(isEvidenceContent(content)).toBe(true);
    return content.kind === "logs" ? [content] : [];
  });
  expect(logs).toHaveLength(evidence.length);
  return { logs, notes: evidence[0]?.source.notes ?? [], format: evidence[0]?.source.format ?? "" };
}

function linesOf(text: string, name?: string): LogLine[] {
  return logsOf(text, name).logs.flatMap(({ lines }) => lines);
}

const json = (...values: unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join("\n");

describe("records of JSON", () => {
  it.each([
    [
      "pino",
      {
        level: 50,
        time: 1_700_000_000_000,
        pid: 1,
        hostname: "h",
        name: "api",
        msg: "boom",
        err: { stack: "Error: boom\n    at x" },
      },
      { service: "api", text: "boom\nError: boom\n    at x" },
    ],
    [
      "bunyan",
      {
        name: "api",
        hostname: "h",
        pid: 1,
        level: 50,
        msg: "boom",
        time: "2023-11-14T22:13:20.000Z",
        v: 0,
      },
      { service: "api" },
    ],
    [
      "zap",
      {
        level: "error",
        ts: 1_700_000_000,
        caller: "a.go:1",
        msg: "boom",
        stacktrace: "main.main\n\ta.go:1",
      },
      { text: "boom\nmain.main\n\ta.go:1" },
    ],
    ["logrus", { level: "error", msg: "boom", time: "2023-11-14T22:13:20Z" }, {}],
    [
      "Google",
      {
        severity: "ERROR",
        timestamp: "2023-11-14T22:13:20.000000Z",
        textPayload: "boom",
        "logging.googleapis.com/trace": "projects/p/traces/0af7651916cd43dd8448eb211c80319c",
      },
      { traceId: "0af7651916cd43dd8448eb211c80319c" },
    ],
    [
      "Elastic",
      {
        "@timestamp": "2023-11-14T22:13:20.000Z",
        "log.level": "ERROR",
        message: "boom",
        service: { name: "api" },
        trace: { id: "0af7651916cd43dd8448eb211c80319c" },
        span: { id: "b7ad6b7169203331" },
      },
      { service: "api", traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" },
    ],
    [
      "the journal",
      {
        MESSAGE: "boom",
        PRIORITY: "3",
        __REALTIME_TIMESTAMP: String(micros),
        SYSLOG_IDENTIFIER: "api",
        _PID: "1",
      },
      { service: "api" },
    ],
    ["Serilog", { "@t": "2023-11-14T22:13:20Z", "@l": "Error", "@m": "boom" }, {}],
    [
      "Log4j",
      { instant: { epochSecond: 1_700_000_000, nanoOfSecond: 0 }, level: "ERROR", message: "boom" },
      {},
    ],
    ["structlog", { event: "boom", level: "error", timestamp: "2023-11-14T22:13:20Z" }, {}],
    [
      "OpenTelemetry",
      {
        timestamp: "2023-11-14T22:13:20Z",
        severity_text: "ERROR",
        severity_number: 17,
        body: "boom",
        trace_id: "0AF7651916CD43DD8448EB211C80319C",
      },
      { traceId: "0af7651916cd43dd8448eb211c80319c" },
    ],
  ])("of %s are read", (_, record, expected) => {
    const [line] = linesOf(json(record));
    expect(line).toMatchObject({
      timeMicros: micros,
      severity: "error",
      text: "boom",
      ...expected,
    });
  });

  it("keep what is left as attributes, within bounds", () => {
    const deep = (depth: number): unknown => (depth === 0 ? 1 : { in: deep(depth - 1) });
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`k${index}`, "x".repeat(index === 0 ? 5_000 : 9)]),
    );
    const [line] = linesOf(
      `{"level":"info","msg":"m","big":1e999,"deep":${JSON.stringify(deep(50))},"__proto__":3,${JSON.stringify(many).slice(1)}`,
    );
    expect(Object.keys(line?.attributes ?? {}).length).toBe(64);
    expect(line?.attributes?.["big"]).toBe("Infinity");
    expect(JSON.stringify(line?.attributes?.["deep"])).toBe(
      '{"in":{"in":{"in":{"in":{"in":null}}}}}',
    );
    expect(line?.attributes?.["k0"]).toBe("x".repeat(2_048));
  });

  it("are read out of what docker, containerd and collectors put around them", () => {
    const inner = json({ level: "warn", msg: "inside" });
    const docker = json({ log: `${inner}\n`, stream: "stdout", time: "2023-11-14T22:13:20Z" });
    const containerd = `2023-11-14T22:13:20.000000000Z stderr F ${inner}`;
    const collector = json({
      log: inner,
      stream: "stdout",
      time: "2023-11-14T22:13:20Z",
      kubernetes: { pod_name: "web-1", namespace_name: "shop", container_name: "app" },
    });
    for (const text of [docker, containerd, collector]) {
      expect(linesOf(text)).toMatchObject([
        { timeMicros: micros, severity: "warn", text: "inside" },
      ]);
    }
    expect(logsOf(collector).logs[0]?.about).toEqual({
      pod: "web-1",
      namespace: "shop",
      container: "app",
      isPrevious: false,
    });
  });

  it("are joined where the runtime cut them", () => {
    const cut = ["P one ", "P two ", "F three", "F four"].map(
      (rest) => `2023-11-14T22:13:20.000000000Z stdout ${rest}`,
    );
    expect(linesOf(cut.join("\n")).map(({ text }) => text)).toEqual(["one two three", "four"]);
    const docker = ["one ", "two\n"].map((log) =>
      json({ log, stream: "stdout", time: "2023-11-14T22:13:20Z" }),
    );
    expect(linesOf(docker.join("\n")).map(({ text }) => text)).toEqual(["one two"]);
  });

  it.each([
    ["commits", [{ sha: "a", message: "fix", timestamp: "2023-11-14T22:13:20Z" }]],
    ["an alert", [{ service: "a", severity: "critical", fired_at: "2023-11-14T22:13:20Z" }]],
    [
      "training",
      [
        { step: 1, loss: 0.5, time: 1_700_000_000 },
        { step: 2, loss: 0.4, time: 1_700_000_001 },
      ],
    ],
    [
      "people",
      [
        { name: "ann", message: "hello" },
        { name: "bob", message: "hi" },
      ],
    ],
  ])("of %s are no log", (_, records) => {
    const { evidence } = readEvidence([
      { name: "x.json", bytes: new TextEncoder().encode(json(...records)) },
    ]);
    expect(evidence.filter(({ content }) => content.kind === "logs")).toEqual([]);
  });
});

describe("documents of log stores", () => {
  it.each([
    [
      "Loki",
      {
        status: "success",
        data: {
          resultType: "streams",
          result: [
            {
              stream: { app: "api", pod: "web-1", namespace: "shop" },
              values: [
                ["1700000001000000000", "level=info msg=second"],
                ["1700000000000000000", "first ERROR x"],
              ],
            },
          ],
        },
      },
      [
        { timeMicros: micros, text: "first ERROR x" },
        { severity: "info", text: "second", service: "api" },
      ],
    ],
    [
      "CloudWatch",
      {
        events: [
          {
            logStreamName: "s",
            timestamp: 1_700_000_000_000,
            message: "ERROR boom\n",
            ingestionTime: 1,
          },
        ],
      },
      [{ timeMicros: micros, severity: "error", text: "ERROR boom" }],
    ],
    [
      "Elasticsearch",
      {
        took: 1,
        hits: {
          total: { value: 1 },
          hits: [
            {
              _index: "l",
              _source: {
                "@timestamp": "2023-11-14T22:13:20Z",
                message: "boom",
                log: { level: "error" },
              },
            },
          ],
        },
      },
      [{ timeMicros: micros, severity: "error", text: "boom" }],
    ],
    [
      "Google",
      [
        {
          insertId: "1",
          severity: "ERROR",
          timestamp: "2023-11-14T22:13:20Z",
          jsonPayload: { message: "boom" },
          resource: { labels: { pod_name: "web-1", namespace_name: "shop" } },
        },
      ],
      [{ timeMicros: micros, severity: "error", text: "boom" }],
    ],
  ])("of %s are read", (_, document, expected) => {
    const { logs, format } = logsOf(JSON.stringify(document));
    expect(format).toBe("json-log-document");
    expect(logs[0]?.lines).toMatchObject(expected);
  });
});

describe("lines of text", () => {
  it.each([
    ["2023-11-14T22:13:20Z ERROR boom", micros, "error"],
    ["2023-11-14 22:13:20,000 [main] ERROR com.x.Y - boom", micros, "error"],
    ["2023-11-14 22:13:20.000 +0000 WARN boom", micros, "warn"],
    ["2023/11/14 22:13:20 [error] 7#7: *1 connect() failed", micros, "error"],
    ["[2023-11-14T22:13:20+01:00] app.CRITICAL: boom", micros - 3_600e6, undefined],
    ["[Tue Nov 14 22:13:20.000000 2023] [core:error] [pid 1] boom", micros, undefined],
    ['10.0.0.7 - - [14/Nov/2023:22:13:20 +0000] "GET / HTTP/1.1" 500 2', micros, undefined],
    ["2023-11-14 22:13:20.000 UTC [7] FATAL:  role does not exist", micros, "fatal"],
    ["2023-11-14 22:13:20.000 UTC [7] LOG:  ready", micros, "info"],
    ["1:M 14 Nov 2023 22:13:20.000 * Ready", micros, undefined],
    ["ERROR:root:boom", undefined, "error"],
    ["[WARN] boom", undefined, "warn"],
    ["INFO  boom", undefined, "info"],
    ["error: boom", undefined, "error"],
    ["E1114 22:13:20.000000       7 main.go:12] boom", undefined, "error"],
    ["<11>Nov 14 22:13:20 host app: boom", undefined, "error"],
    ["time=2023-11-14T22:13:20Z level=error msg=boom a=1", micros, "error"],
    ["\u001b[31m2023-11-14T22:13:20Z\u001b[0m \u001b[1mERROR\u001b[0m boom", micros, "error"],
  ])("are understood: %s", (text, timeMicros, severity) => {
    const [line] = linesOf(`${text}\n`);
    expect([line?.timeMicros, line?.severity]).toEqual([timeMicros, severity]);
  });

  it("do not take words of the message for its level, nor times in it for its own", () => {
    const [line] = linesOf(
      "hello there, no ERROR was found since 2023-11-14 22:13:20\n",
      "app.log",
    );
    expect(line).toEqual({ text: "hello there, no ERROR was found since 2023-11-14 22:13:20" });
  });

  it("say that times without a zone were taken as UTC", () => {
    expect(logsOf("2023-11-14 22:13:20 INFO x\n").notes).toEqual([
      "Times without a zone were taken as UTC.",
    ]);
  });

  it("keep a log that holds bytes which are no text", () => {
    const bytes = new Uint8Array([
      ...new TextEncoder().encode("2023-11-14T22:13:20Z INFO a "),
      0xff,
      0x0a,
    ]);
    const { evidence } = readEvidence([{ name: "x", bytes }]);
    expect(evidence[0]?.content).toMatchObject({
      lines: [{ text: "2023-11-14T22:13:20Z INFO a \uFFFD" }],
    });
    expect(evidence[0]?.source.notes).toEqual(["Bytes that are not UTF-8 stand as \uFFFD."]);
  });

  it.each([
    ["prose", "# A title\n\nSome words that tell a story.\nAnd more of them.\n"],
    ["prose with a date", "On 2023-11-14 22:13:20 it began.\nIt went on.\nIt ended.\n"],
    ["settings", "; settings\nname = value\n"],
    ["source code", "import x\n\ndef f():\n    return 1\n\nclass A:\n    pass\n"],
    ["a document", '{\n  "a": 1\n}\n'],
    ["one word", "hello"],
    ["a table of other things", "id,name\n1,a\n"],
  ])("are not %s", (_, text) => {
    const { unreadable } = readEvidence([
      { name: "notes.txt", bytes: new TextEncoder().encode(text) },
    ]);
    expect(unreadable).toMatchObject([{ message: "The file is in no known format." }]);
  });
});

describe("lines that belong together", () => {
  const java = [
    "2023-11-14T22:13:20Z ERROR request failed",
    "java.lang.IllegalStateException: closed",
    "\tat com.x.Pool.get(Pool.java:12)",
    "\t... 3 common frames omitted",
    "Caused by: java.io.IOException: reset",
    "\tat com.x.Net.read(Net.java:7)",
  ];
  const python = [
    "Traceback (most recent call last):",
    '  File "a.py", line 3, in f',
    "    g()",
    "KeyError: 'x'",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    "Traceback (most recent call last):",
    '  File "a.py", line 5, in <module>',
    "ValueError: bad",
  ];
  const go = [
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]",
    "",
    "goroutine 1 [running]:",
    "main.(*Server).Serve(0xc000010000, {0x1, 0x2})",
    "\t/app/main.go:12 +0x1d",
    "created by main.main in goroutine 7",
    "\t/app/main.go:5 +0x2",
    "exit status 2",
  ];
  const node = [
    "/app/index.js:3",
    "    throw new Error('boom');",
    "    ^",
    "",
    "Error: boom",
    "    at f (/app/index.js:3:9) {",
    "  code: 'E_BOOM'",
    "}",
    "",
    "Node.js v20.1.0",
  ];
  const after = "2023-11-14T22:13:21Z INFO going on";

  it.each([
    ["Java", java, "error"],
    ["Python", python, "error"],
    ["Go", go, "fatal"],
    ["Node", node, "error"],
  ])("are one entry: a stack trace of %s", (_, trace, severity) => {
    const lines = linesOf(`${[...trace, after].join("\n")}\n`, "app.log");
    expect(lines.map(({ text }) => text)).toEqual([trace.join("\n"), after]);
    expect(lines[0]?.severity).toBe(severity);
    expect(linesOf(`${trace.join("\r\n")}\r\n`, "crash.txt")).toHaveLength(1);
  });

  it("are one entry also where the runtime put a time before each", () => {
    const stamped = java.map((text) => `2023-11-14T22:13:20.000000001Z stderr F ${text}`);
    expect(linesOf(stamped.join("\n"))).toMatchObject([{ text: java.join("\n") }]);
  });

  it("are not a traceback and the line that ran before it", () => {
    const lines = linesOf(["2023-11-14T22:13:20Z INFO started", ...python].join("\n"));
    expect(lines.map(({ severity }) => severity)).toEqual(["info", "error"]);
  });

  it("are cut when they go on for too long, and it is said", () => {
    const text = `2023-11-14T22:13:20Z INFO x\n${"  more\n".repeat(5_000)}`;
    const { logs, notes } = logsOf(text);
    expect(logs[0]?.lines).toHaveLength(1);
    expect(logs[0]?.lines[0]?.text.length).toBeLessThanOrEqual(16_384);
    expect(notes.join()).toMatch(/lines of entries that were too long were dropped/);
  });
});
