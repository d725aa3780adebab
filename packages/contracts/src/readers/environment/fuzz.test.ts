import { it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import { environmentFormats } from "./formats.ts";

const seeds = [
  "environment:\n  name: ci\n  facts:\n    node: 20\n    flags: { a: true }\n    list: [1, x]\n",
  '{"environments":[{"name":"a","facts":{"x":"1"}},{"name":"b","facts":{"x":{"y":2}}}]}',
  '{"node":"20.1.0","v8":"11.3","uv":"1.46"}',
  "{ node: '20.1.0', v8: '11.3', uv: '1.46' }",
  '{"header":{"nodejsVersion":"v20.1.0","osName":"Linux","componentVersions":{"uv":"1"}},"environmentVariables":{"A":"b"}}',
  '{"name":"a","dependencies":{"x":{"version":"1.0.0","resolved":"y","overridden":false}}}',
  "a==1.2\nb[c]>=2,<3\n-e git+x\nc @ file:///y\n# d\n",
  "Package Version\n------- -------\npip     23.0\n",
  "/bin/a: go1.22.1\n\tpath\tx\n\tmod\tx\tv1.0.0\n\tdep\ty\tv2.0.0\n\tbuild\tGOOS=linux\n",
  "Linux host 6.1.0 #1 SMP x86_64 GNU/Linux\n",
  "Local time: x\nTime zone: Europe/Berlin (CET, +0100)\n",
  "export A=b\nC='d e'\n# f\nG=\"h\ni\"\n",
  'LANG=C.UTF-8\nLC_ALL="C"\n',
  "ID=debian\nVERSION_ID=12\n",
];

it("ends in facts or in a named fault for any input", () => {
  survivesAnyInput(environmentFormats, seeds);
}, 60_000);

it.each([
  [
    "aliases that unfold",
    `environment:\n  name: a\n  facts:\n    a: &a [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, index) => `    ${"bcdefghij"[index]}: &${"bcdefghij"[index]} [${`*${"abcdefghi"[index]},`.repeat(9).slice(0, -1)}]`).join("\n")}\n`,
  ],
  ["deep nesting", `environment:\n  facts: ${"{a: ".repeat(2_000)}`],
  ["many variables", Array.from({ length: 30_000 }, (_, index) => `A${index}=b`).join("\n")],
  ["one open quote", `A="${"x\n".repeat(100_000)}`],
  ["many equal signs", "A=".repeat(200_000)],
  ["many pins", "a==1\n".repeat(100_000)],
])(
  "does not hang on %s",
  (_, text) => {
    readWithAll(environmentFormats, new TextEncoder().encode(text));
  },
  60_000,
);
