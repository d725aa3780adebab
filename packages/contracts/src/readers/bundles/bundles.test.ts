import { expect, it } from "vitest";

import { readWithAll, survivesAnyInput } from "../../../test/survives.ts";
import type { EvidenceContent } from "../../model/evidence.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { snapshotOf } from "../../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../../snapshot/file.ts";
import { readEvidence } from "../read-evidence.ts";
import { toolListFormats } from "../tool-lists/formats.ts";
import { bundleFormats } from "./formats.ts";

const hash = `sha256:${"0a".repeat(32)}`;
const document = {
  targets: [{ model: "openai/gpt-4o" }],
  systemPrompt: { text: "You help." },
};
const summary = {
  name: "support-chat",
  version: 3,
  hash,
  createdAt: "2026-03-01T00:00:00Z",
  actor: "ana",
};
const yaml = [
  "description: Answers questions about orders.",
  "targets:",
  "  # The first target that the needs of the request allow.",
  "  - model: simulated/simulated",
  "    supports: { contextTokens: 128000, tools: true }",
  "tools:",
  "  - name: find_order",
  "    parameters: { type: object, properties: { number: { type: string } } }",
].join("\n");

function contentsOf(name: string, text: string): readonly EvidenceContent[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes: new TextEncoder().encode(text) }]);
  expect(unreadable).toEqual([]);
  for (const { content } of evidence) expect(isEvidenceContent(content)).toBe(true);
  const file = encodeSnapshotFile(snapshotOf(evidence));
  expect(decodeSnapshotFile(file).evidence.map(({ content }) => content)).toEqual(
    evidence.map(({ content }) => content),
  );
  return evidence.map(({ content }) => content);
}

it("reads what `faultline bundle show` gives, as JSON and as text, and a file that is put", () => {
  const stored = { kind: "bundle", name: "support-chat", version: 3, hash };
  expect(contentsOf("b.json", JSON.stringify({ summary, bundle: document }, null, 2))).toEqual([
    { ...stored, timeMicros: 1_772_323_200_000_000, document },
  ]);
  const printed = `# support-chat@3 ${hash}\n# by ana at 2026-03-01T00:00:00Z\n${yaml}\n`;
  expect(contentsOf("b.txt", printed)).toMatchObject([
    { ...stored, document: { tools: [{ name: "find_order" }] } },
  ]);
  expect(contentsOf("support.yaml", yaml)).toMatchObject([
    {
      kind: "bundle",
      name: "support",
      document: { description: "Answers questions about orders." },
    },
  ]);
  expect(contentsOf("support.json", JSON.stringify(document))).toMatchObject([
    { name: "support", document },
  ]);
});

it("reads several, as a list and one on each line", () => {
  const other = { summary: { ...summary, version: 4 }, bundle: document };
  const both = [{ summary, bundle: document }, other];
  expect(contentsOf("a.json", JSON.stringify(both))).toHaveLength(2);
  expect(contentsOf("a.jsonl", both.map((item) => JSON.stringify(item)).join("\n"))).toHaveLength(
    2,
  );
});

it("leaves alone what has targets and is no bundle", () => {
  const scrape =
    "scrape_configs:\n  - job_name: a\n    static_configs:\n      - targets: ['a:1']\n";
  const { evidence } = readEvidence([
    { name: "prometheus.yml", bytes: new TextEncoder().encode(scrape) },
  ]);
  expect(evidence.filter(({ content }) => content.kind === "bundle")).toEqual([]);
});

it.each([
  [
    "a list of functions",
    [
      {
        type: "function",
        function: { name: "find_order", parameters: { type: "object", properties: {} } },
      },
    ],
  ],
  [
    "a server's answer",
    { tools: [{ name: "find_order", description: "x", inputSchema: { type: "object" } }] },
  ],
  [
    "a message of a server",
    {
      jsonrpc: "2.0",
      id: 1,
      result: { tools: [{ name: "find_order", inputSchema: { type: "object" } }] },
    },
  ],
])("reads declared tools from %s", (_name, value) => {
  expect(contentsOf("tools.json", JSON.stringify(value))).toMatchObject([
    { kind: "transcript", turns: [{ role: "system", tools: [{ name: "find_order" }] }] },
  ]);
});

it("does not take a request with its tools, or calls, for a list of tools", () => {
  const request = {
    model: "m",
    messages: [{ role: "user", content: "hi" }],
    tools: [{ name: "a", input_schema: { type: "object" } }],
  };
  const [content] = contentsOf("request.json", JSON.stringify(request));
  expect(content).toMatchObject({ kind: "transcript", turns: [{ role: "user" }] });
});

it("keeps the list of a server of tools of which nobody called one", () => {
  const log = [
    { jsonrpc: "2.0", id: 1, method: "tools/list" },
    { jsonrpc: "2.0", id: 1, result: { tools: [{ name: "a", inputSchema: { type: "object" } }] } },
  ];
  expect(contentsOf("mcp.log", log.map((item) => JSON.stringify(item)).join("\n"))).toMatchObject([
    { turns: [{ role: "system", tools: [{ name: "a" }] }] },
  ]);
});

it("ends in bundles or in a named fault for any input", () => {
  survivesAnyInput(
    [...bundleFormats, ...toolListFormats],
    [
      JSON.stringify({ summary, bundle: document }),
      `# support-chat@3 ${hash}\n${yaml}`,
      yaml,
      JSON.stringify({
        tools: [
          { name: "a", inputSchema: { type: "object", properties: { x: { type: "string" } } } },
        ],
      }),
    ],
  );
}, 60_000);

it.each([
  [
    "aliases that unfold",
    `targets:\n  - model: a/b\n    x: &a [x, x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_, index) => `    ${"bcdefghij"[index]}: &${"bcdefghij"[index]} [${`*${"abcdefghi"[index]},`.repeat(9).slice(0, -1)}]`).join("\n")}\n`,
  ],
  ["deep nesting", `{"targets":[{"model":"a/b","x":${"[".repeat(500)}${"]".repeat(500)}}]}`],
  ["a head of many spaces", `targets:\n${" \n".repeat(30_000)}  - model: a`],
  [
    "many fields",
    `{"targets":[{"model":"a/b"}],${Array.from({ length: 300_000 }, (_, index) => `"a${index}":1`).join(",")}}`,
  ],
])("does not hang on %s", (_name, text) => {
  readWithAll(bundleFormats, new TextEncoder().encode(text));
});
