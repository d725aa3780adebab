import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { expect, it } from "vitest";

import { loadConfig } from "./load.ts";

const key = Buffer.alloc(32, 7).toString("base64");

function load(lines: string, environment: Record<string, string>) {
  const folder = mkdtempSync(path.join(tmpdir(), "faultline-webhooks-"));
  writeFileSync(path.join(folder, "faultline.yaml"), lines);
  return loadConfig({ workingFolder: folder, environment }).webhooks;
}

const named = (...ids: string[]): string =>
  `webhooks:\n  secretKeys:\n${ids.map((id) => `    - { id: ${id}, keyEnvironment: KEY }\n`).join("")}`;

it("takes keys of secrets from the environment, in their order, and has none by default", () => {
  expect(load("", {})).toEqual({ allowsPrivate: false, secretKeys: [] });
  const { secretKeys } = load(named("new", "old"), { KEY: key });
  expect(secretKeys.map(({ id }) => id)).toEqual(["new", "old"]);
  expect(secretKeys[0]?.key.equals(Buffer.alloc(32, 7))).toBe(true);
});

it("refuses a key that is not there, is too short, or stands twice, with the line", () => {
  expect(() => load(named("one"), {})).toThrow(/faultline\.yaml:3: .*has 0 bytes/);
  expect(() => load(named("one"), { KEY: "c2hvcnQ=" })).toThrow(/has 5 bytes/);
  expect(() => load(named("one", "one"), { KEY: key })).toThrow(/faultline\.yaml:4: Two keys/);
});
