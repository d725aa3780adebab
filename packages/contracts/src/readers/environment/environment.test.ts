import { describe, expect, it } from "vitest";

import type { EnvironmentContent } from "../../model/evidence.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { readEvidence } from "../read-evidence.ts";

function read(text: string, name = "x.txt"): EnvironmentContent[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  return evidence.map(({ content }) => {
    expect(isEvidenceContent(content)).toBe(true);
    if (content.kind !== "environment") throw new Error(`it is ${content.kind}`);
    return content;
  });
}

describe("descriptions of an environment", () => {
  it.each([
    [
      "our own as YAML",
      "environment:\n  name: ci\n  facts:\n    node: 20\n    flags: { cart: true }\n",
      "x.yaml",
      { name: "ci", facts: { node: "20", "flags.cart": "true" } },
    ],
    [
      "our own as JSON",
      '{"environment":{"name":"ci","facts":{"node":"20"}}}',
      "x.json",
      { name: "ci", facts: { node: "20" } },
    ],
    [
      "variables",
      "LANG=C\nexport API_URL='http://x' # where\nKEY=\"a\nb\"\n",
      "production.env",
      {
        name: "production",
        facts: { "env.LANG": "C", "env.API_URL": "http://x", "env.KEY": "a\nb" },
      },
    ],
    [
      "one variable of a file that is named so",
      "LOG_LEVEL=debug\n",
      ".env.staging",
      { name: "staging", facts: { "env.LOG_LEVEL": "debug" } },
    ],
    [
      "a locale",
      'LANG=en_US.UTF-8\nLC_CTYPE="C"\nLC_ALL=\n',
      "ci-locale.txt",
      {
        name: "ci",
        facts: { "locale.LANG": "en_US.UTF-8", "locale.LC_CTYPE": "C", "locale.LC_ALL": "" },
      },
    ],
    [
      "packages of pip as JSON",
      '[{"name": "PyYAML", "version": "6.0.1"}, {"name": "torch", "version": "2.3.0+cu121"}]',
      "gpu.json",
      {
        name: "gpu",
        facts: { "python.package.pyyaml": "6.0.1", "python.package.torch": "2.3.0+cu121" },
      },
    ],
    [
      "packages of conda",
      "# packages in environment at /opt/conda:\n#\n# Name   Version  Build  Channel\nnumpy  1.26.4  py311_0  conda-forge\npython  3.11.8  0_cpython\n",
      "conda.txt",
      { facts: { "python.package.numpy": "1.26.4", "python.package.python": "3.11.8" } },
    ],
    [
      "a release of a system",
      'NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="12"\n',
      "os-release",
      { facts: { "os.name": "debian", "os.version": "12" } },
    ],
    [
      "a host",
      "Linux web-1 6.1.0-18-amd64 #1 SMP Debian x86_64 GNU/Linux\n",
      "uname-prod.txt",
      {
        name: "prod",
        facts: {
          "os.type": "linux",
          "host.name": "web-1",
          "host.arch": "x86_64",
          "os.kernel": "6.1.0-18-amd64",
        },
      },
    ],
    [
      "a time zone",
      "               Local time: Tue 2023-11-14 22:13:20 CET\n                Time zone: Europe/Berlin (CET, +0100)\n",
      "x.txt",
      { facts: { timezone: "Europe/Berlin" } },
    ],
    [
      "versions of Node as JSON",
      '{"node":"20.1.0","v8":"11.3","uv":"1.46"}',
      "node-versions-prod.json",
      {
        name: "prod",
        facts: { "runtime.node": "20.1.0", "runtime.v8": "11.3", "runtime.uv": "1.46" },
      },
    ],
    [
      "versions as Node prints them",
      "{\n  node: '20.1.0',\n  v8: '11.3',\n  uv: '1.46'\n}\n",
      "x.txt",
      { facts: { "runtime.node": "20.1.0" } },
    ],
    [
      "a report of Node",
      '{"header":{"reportVersion":5,"nodejsVersion":"v20.1.0","arch":"x64","osName":"Linux","componentVersions":{"icu":"73.1"}},"environmentVariables":{"TZ":"UTC"}}',
      "x.json",
      {
        facts: {
          "process.runtime.version": "v20.1.0",
          "host.arch": "x64",
          "os.type": "linux",
          "runtime.icu": "73.1",
          "env.TZ": "UTC",
        },
      },
    ],
    [
      "npm's list",
      '{"name":"a","version":"1.0.0","dependencies":{"pg":{"version":"8.1.0","resolved":"x","overridden":false}}}',
      "x.json",
      { facts: { "npm.package.pg": "8.1.0" } },
    ],
    [
      "frozen packages",
      "# by pip\nMy_Package==1.2\nrequests[socks]==2.31.0\nlocal @ file:///x\n",
      "prod-requirements.txt",
      {
        name: "prod",
        facts: { "python.package.my-package": "1.2", "python.package.requests": "2.31.0" },
      },
    ],
    [
      "listed packages",
      "Package    Version\n---------- -------\npip        23.0\n",
      "x.txt",
      { facts: { "python.package.pip": "23.0" } },
    ],
    [
      "a program of Go",
      "app: go1.22.1\n\tpath\tx/y\n\tmod\tx/y\tv1.4.0\th1:a=\n\tdep\tz/w\tv2.0.0\th1:b=\n\tbuild\tCGO_ENABLED=0\n",
      "x.txt",
      {
        facts: {
          "process.runtime.version": "go1.22.1",
          "service.version": "v1.4.0",
          "go.module.z/w": "v2.0.0",
          "go.build.CGO_ENABLED": "0",
        },
      },
    ],
  ])("are read: %s", (...given) => {
    const [, text, name, expected] = given;
    expect(read(text, name)).toMatchObject([expected]);
  });

  it("may be several in one document", () => {
    const text =
      "environments:\n  - name: a\n    facts: { x: 1 }\n  - name: b\n    facts: { x: 2 }\n";
    expect(
      read(text)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["a", "b"]);
  });

  it.each([
    [
      "a package of npm",
      '{"name":"a","version":"1.0.0","dependencies":{"pg":"^8.0.0"}}',
      "package.json",
    ],
    ["settings with sections", "; x\n[a]\nb=c\n", "a.ini"],
    ["a program", "import os\nA=1\nB=2\n", "a.py"],
    ["an example of one", "LANG=C\nTZ=UTC\n", ".env.example"],
    ["one sum", "x=1", "x.txt"],
    ["YAML of something else", "environment:\n  - A=b\nimage: x\n", "ci.yaml"],
  ])("are not %s", (...given) => {
    const [, text, name] = given;
    expect(readEvidence([{ name, bytes: new TextEncoder().encode(text) }]).evidence).toEqual([]);
  });
});
