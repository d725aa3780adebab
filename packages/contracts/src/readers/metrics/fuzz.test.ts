import { expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { parseSample } from "./exposition-sample.ts";
import { metricFormats } from "./formats.ts";

const seeds = [
  '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","l":"x"},"values":[[1700000000,"1"],[1700000001.5,"NaN"]],"histograms":[[1700000000,{"count":"1","sum":"2"}]]}]}}',
  '{"status":"success","data":{"resultType":"scalar","result":[1700000000,"1"]}}',
  '# HELP a b\n# TYPE a counter\n# UNIT a seconds\na_total{l="x\\"y\\\\",m="n"} 1.5e3 1700000000 # {t="u"} 1\n{"q.r", s="t"} +Inf\n# EOF\n',
  'timestamp,service,metric,value\n2023-11-14T22:13:20Z,web,cpu,0.5\n2023-11-14T22:14:20Z,"we""b",cpu,1\n',
  "time;a;b\n1700000000;1;2\n1700000060;;3\n",
  "time\tcpu\n0\t1\n60\t2\n",
  "microservice,Site,__proto__,Site\nmetric,latency,latency,requests\nstatistic,Average,p90,Sum\nunix_timestamp,,,\n1681857120.0,0.5,,120\n1681857420.0,0.6,0.2,NaN\n",
  ";a;a;b\n;cpu;mem;cpu\n2023-11-14 22:13:20;1;2;3\n9999-12-31 23:59:59;1;2;3\n",
  '{"cart_cpu": [[1700000000, 0.25], [1700000001, NaN], ["2023-11-14T22:13:22Z", "1e3"], [1700000003, ""]], "__proto__": [[9999999999999999999, 1]], "m": []}',
];

it("ends in series or in a named fault for any input", () => {
  survivesAnyInput(metricFormats, seeds);
}, 60_000);

it("takes no longer for lines that nearly match", () => {
  for (const text of [
    `a{${'b="c",'.repeat(20_000)}`,
    `a{b="${"\\".repeat(50_000)}`,
    `${"a".repeat(100_000)} `,
    `a ${"1".repeat(100_000)}x`,
    `a{${" ".repeat(100_000)}`,
  ]) {
    expect(parseSample(text)).toBeUndefined();
  }
});

it("takes no longer for headers of many rows and columns, and for maps of many names", () => {
  const level = `x${",a".repeat(5_000)}\n`;
  const pairs = "[[1700000000,1],[1700000001,null]]";
  const map = Array.from({ length: 50_000 }, (_, at) => `"s${at}":${pairs}`).join(",");
  for (const text of [
    `${level.repeat(8)}1700000000${",1".repeat(5_000)}\n`,
    level.repeat(400),
    `{${map}}`,
    `{"a":${"[".repeat(1_000_000)}`,
    `{"a":[[1700000000,${"NaN,".repeat(300_000)}NaN]]}`,
    `{"a":[[1700000000,1],${" ".repeat(1_000_000)}NaN]}`,
  ]) {
    readWithAll(metricFormats, new TextEncoder().encode(text));
  }
}, 60_000);

it("reads a million short lines and a million quotes", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  readWithAll(metricFormats, bytes(`# TYPE a gauge\n${"a 1\n".repeat(300_000)}`));
  readWithAll(metricFormats, bytes(`time,a\n${'"\n'.repeat(300_000)}`));
  readWithAll(metricFormats, bytes(`time,a\n1700000000,1\n1700000001,2\n${'"\n'.repeat(300_001)}`));
  // Each quote takes in lines up to the longest row, and none of them may be counted from its beginning again.
  const openQuote = `"${"\n".repeat(65_536)}`;
  readWithAll(metricFormats, bytes(`time,a\n1700000000,1\n1700000001,2\n${openQuote.repeat(40)}`));
}, 60_000);
