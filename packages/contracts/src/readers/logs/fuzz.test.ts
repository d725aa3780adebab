import { it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { logFormats } from "./formats.ts";

const seeds = [
  '{"toolset_name":"l","tool_name":"fetch_pod_logs","match_params":{"pod_name":"a","namespace":"b"}}\n{"schema_version":"1","invocation":"kubectl logs a -n b -c c -p"}\nstdout:\nhello\nstderr:\n',
  '$ kubectl logs a -n b\nDefaulted container "x" out of: x, y\n[pod/a/b] c\n',
  '{"level":50,"time":1700000000000,"msg":"boom","err":{"stack":"s"},"trace_id":"0af7651916cd43dd8448eb211c80319c"}\n{"severity":"ERROR","timestamp":{"seconds":1700000000,"nanos":1},"textPayload":"x"}\n',
  '{"log":"a\\n","stream":"stdout","time":"2023-11-14T22:13:20Z","kubernetes":{"pod_name":"p"}}\n',
  "2023-11-14T22:13:20.000000000Z stdout P one\n2023-11-14T22:13:20.000000000Z stdout F two\n",
  "2023-11-14 22:13:20,000 [main] ERROR x\njava.io.IOException: y\n\tat a.b(C.java:1)\nCaused by: z\n",
  'Traceback (most recent call last):\n  File "a", line 1\nValueError: x\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n',
  "panic: x\n\ngoroutine 1 [running]:\nmain.f(...)\n\t/a.go:1\nexit status 2\n",
  'time=2023-11-14T22:13:20Z level=info msg="a \\"b\\"" c=d\n',
  "I1114 22:13:20.000000       7 main.go:12] boom\n<11>Nov 14 22:13:20 host app: boom\n",
  '{"data":{"resultType":"streams","result":[{"stream":{"app":"a"},"values":[["1700000000000000000","x"]]}]}}',
  '{"events":[{"logStreamName":"s","timestamp":1700000000000,"message":"m","ingestionTime":1}]}',
  '{"hits":{"hits":[{"_source":{"@timestamp":"2023-11-14T22:13:20Z","message":"m"}}]}}',
  '[{"severity":"ERROR","timestamp":"2023-11-14T22:13:20Z","textPayload":"x"}]',
  "web-1  | \u001b[31m2023-11-14T22:13:20Z ERROR x\u001b[0m\n",
];

it("ends in lines or in a named fault for any input", () => {
  survivesAnyInput(logFormats, seeds);
}, 60_000);

it.each([
  ["millions of empty lines", "\n".repeat(4_000_000)],
  ["many short lines", "x\n".repeat(60_000)],
  ["many times", "2023-11-14T22:13:20Z \n".repeat(30_000)],
  ["one long line", "x ".repeat(2_000_000)],
  ["one long line of a document", `{"a":"${"x".repeat(2_000_000)}`],
  ["escapes", "\u001b[31m".repeat(200_000)],
  ["indented lines", `a\n${" b\n".repeat(60_000)}`],
  ["brackets", "[".repeat(500_000)],
  ["numbers", "1".repeat(500_000)],
  ["points", "a.".repeat(200_000)],
  ["pairs", "a=b ".repeat(200_000)],
  ["an open quote of a pair", `a="${"\\".repeat(200_000)}`],
  ["frames", `panic: x\n${"main.f(".repeat(100_000)}\n`],
  ["containers", Array.from({ length: 5_000 }, (_, index) => `[pod/p${index}/c] x`).join("\n")],
])(
  "takes a time that grows with the length alone for %s",
  (_, text) => {
    readWithAll(logFormats, new TextEncoder().encode(text));
  },
  60_000,
);
