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

it("reads a million short lines and a million quotes", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  readWithAll(metricFormats, bytes(`# TYPE a gauge\n${"a 1\n".repeat(300_000)}`));
  readWithAll(metricFormats, bytes(`time,a\n${'"\n'.repeat(300_000)}`));
  readWithAll(metricFormats, bytes(`time,a\n1700000000,1\n1700000001,2\n${'"\n'.repeat(300_001)}`));
}, 60_000);
