import { expect, it } from "vitest";

import { survivesAnyInput } from "../../../test/survives.ts";
import { effectsOf } from "../../populations/changes/effects-of.ts";
import { changeFormats } from "./formats.ts";
import { readGitText } from "./git-text.ts";

const seeds = [
  "commit 0123456789abcdef0123456789abcdef01234567\nAuthor: A <a@b.c>\nDate:   Thu Jun 18 16:58:00 2026 +0200\n\n    m\n\ndiff --git a/a.go b/a.go\n--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@ func f() {\n-  MaxConns: 50,\n+  MaxConns: 10,\n",
  "From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\nDate: Thu, 18 Jun 2026 14:58:00 +0000\nSubject: [PATCH] m\n\n---\n a.go | 2 +-\n\ndiff --git a/a.go b/a.go\n",
  '[{"sha":"0123456789abcdef","message":"m","timestamp":"2026-06-18T14:58:00Z","files_changed":["a.go"],"diff":"@@ a.go: f\\n-x\\n+y"}]',
  '{"deploys":[{"timestamp":1781794680,"service":"a","commit_sha":"0123456789abcdef"}],"flags":[{"flag":"f","change":"off->on"}]}',
  '[{"labels":{"alertname":"A"},"startsAt":"2026-06-18T15:06:00Z"},{"component":"c","events":[{"status":"s","timestamp":1781794680}]},{"signature":"p","count":3}]',
  "1705595460\n",
  "\uFEFF 9999-12-31T23:59:59.999999999Z ",
  "9999999999999999999",
  '{"target": {"node": "Site", "metric": "latency", "agg": "Average", "timestamp": 1681857605}, "root_cause": {"node": "Table"}}',
];

it("ends in changes or in a named fault for any input", () => {
  survivesAnyInput(changeFormats, seeds);
}, 60_000);

it("takes no longer for lines that nearly match, in a log or in a diff", () => {
  for (const line of [
    "a.".repeat(40_000),
    "-".repeat(80_000),
    `${"(".repeat(40_000)}${"+".repeat(40_000)}`,
    `if ${"x.".repeat(40_000)}`,
    `${"a:".repeat(40_000)}1`,
    `${" ".repeat(60_000)}|`,
    `http://${"a-".repeat(40_000)}`,
    `x = 1${"_1".repeat(40_000)}`,
  ]) {
    const text = `commit 0123456789abcdef0123456789abcdef01234567\nAuthor: a\n\n    m\n\n${line}\n`;
    const bytes = new TextEncoder().encode(text);
    expect(readGitText({ bytes, head: text, name: "x", text: () => text }).contents).toHaveLength(
      1,
    );
    const diff = `--- a/a.go\n+++ b/a.go\n@@ -1 +1 @@\n${`-${line}\n+${line}x\n`.repeat(3)}`;
    const read = effectsOf({ kind: "commit", id: "c", message: "m", files: ["a.go"], diff });
    expect(read.effects.length).toBeLessThan(100);
  }
}, 60_000);
