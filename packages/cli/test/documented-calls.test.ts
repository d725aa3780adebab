import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseDocument } from "yaml";

import { command as check } from "../src/commands/check.ts";
import { command as contract } from "../src/commands/contract.ts";

const commands = { check, contract };
const page = readFileSync(
  new URL("../../../docs/continuous-integration.md", import.meta.url),
  "utf8",
);

it("the page about continuous integration uses only options that exist", () => {
  const calls = [...page.matchAll(/faultline (check|contract)\b([^\n`]*)/g)];
  expect(calls.length).toBeGreaterThan(5);
  for (const [, name, words = ""] of calls) {
    // The pattern names these two alone.
    const { options } = commands[name as keyof typeof commands];
    for (const [, option = ""] of words.matchAll(/--([a-z-]+)/g)) {
      expect(Object.keys(options), `--${option}`).toContain(option);
    }
  }
});

it("the examples on that page are YAML", () => {
  const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map(([, text]) => text ?? "");
  expect(examples.length).toBeGreaterThan(1);
  for (const example of examples) expect(parseDocument(example).errors).toEqual([]);
});
