import { describe, expect, it } from "vitest";

import type { ChangeEvent } from "../../model/changes.ts";
import type { IncidentContent } from "../../model/incident.ts";
import { isEvidenceContent } from "../../snapshot/check-content.ts";
import { createSnapshot } from "../../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../../snapshot/file.ts";
import { readEvidence } from "../read-evidence.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function changesIn(text: string, name = "x.json"): ChangeEvent[] {
  const { evidence, unreadable } = readEvidence([{ name, bytes: bytesOf(text) }]);
  expect(unreadable).toEqual([]);
  return evidence.flatMap(({ content }) => {
    expect(isEvidenceContent(content)).toBe(true);
    return content.kind === "changes" ? content.events : [];
  });
}

function incidentIn(text: string, name = "x.json"): IncidentContent | undefined {
  const { evidence } = readEvidence([{ name, bytes: bytesOf(text) }]);
  return evidence.map(({ content }) => content).find((content) => content.kind === "incident");
}

const log = `commit 0123456789abcdef0123456789abcdef01234567 (HEAD -> main)
Author: A Person <a@example.com>
Date:   Thu Jun 18 16:58:00 2026 +0200

    orders: smaller pool

diff --git a/db/pool.go b/db/pool.go
index 1111111..2222222 100644
--- a/db/pool.go
+++ b/db/pool.go
@@ -1,3 +1,3 @@ func New() *Pool {
-  MaxConns: 50,
+  MaxConns: 10,

commit 89abcdef0123456789abcdef0123456789abcdef
Merge: 0123456 89abcde
Author: B Person <b@example.com>
Date:   Thu Jun 18 10:00:00 2026 -0700

    docs: words

 README.md | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)
`;

const mail = `From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001
From: A Person <a@example.com>
Date: Thu, 18 Jun 2026 14:58:00 +0000
Subject: [PATCH 1/2] orders: smaller pool

Because.
---
 db/pool.go | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/db/pool.go b/db/pool.go
--- a/db/pool.go
+++ b/db/pool.go
@@ -1 +1 @@
-  MaxConns: 50,
+  MaxConns: 10,
-- 
2.45.0
`;

describe("commits as git prints them", () => {
  it("are read from a log with diffs, and nobody's name is kept", () => {
    const events = changesIn(log, "git.txt");
    expect(events).toMatchObject([
      {
        kind: "commit",
        id: "0123456789abcdef0123456789abcdef01234567",
        timeMicros: Date.UTC(2026, 5, 18, 14, 58) * 1_000,
        message: "orders: smaller pool",
        files: ["db/pool.go"],
      },
      {
        message: "docs: words",
        files: ["README.md"],
        timeMicros: Date.UTC(2026, 5, 18, 17) * 1_000,
      },
    ]);
    expect(JSON.stringify(events)).not.toContain("Person");
    expect(events[0]).toMatchObject({ diff: expect.stringContaining("+  MaxConns: 10,") });
  });

  it("are read from patches as mail and from a bare diff", () => {
    expect(changesIn(mail, "0001.patch")).toMatchObject([
      {
        timeMicros: Date.UTC(2026, 5, 18, 14, 58) * 1_000,
        message: "orders: smaller pool\n\nBecause.",
        files: ["db/pool.go"],
      },
    ]);
    const bare = log.slice(log.indexOf("diff --git"), log.indexOf("\ncommit 89"));
    expect(changesIn(bare, "fix.diff")).toMatchObject([{ id: "fix.diff", files: ["db/pool.go"] }]);
  });
});

describe("changes as records", () => {
  it.each([
    [
      "of GitHub",
      '[{"sha":"0123456789abcdef","commit":{"message":"m","committer":{"date":"2026-06-18T14:58:00Z"}},"files":[{"filename":"a.go","patch":"@@ -1 +1 @@\\n-x\\n+y"}]}]',
      {
        kind: "commit",
        id: "0123456789abcdef",
        files: ["a.go"],
        diff: expect.stringContaining("+++ b/a.go"),
      },
    ],
    [
      "of GitLab",
      '[{"id":"0123456789abcdef","title":"m","committed_date":"2026-06-18T14:58:00Z","diffs":[{"new_path":"a.go","diff":"@@ -1 +1 @@\\n-x\\n+y"}]}]',
      { kind: "commit", message: "m", files: ["a.go"] },
    ],
    [
      "on lines",
      '{"sha":"0123456789abcdef","message":"m","timestamp":1781794680,"files_changed":["a.go"]}\n{"sha":"1123456789abcdef","message":"n","timestamp":1781794690,"files_changed":["b.go"]}\n',
      { kind: "commit", timeMicros: 1_781_794_680e6 },
    ],
    [
      "of deploys",
      '[{"timestamp":"2026-06-18T14:58:00Z","service":"orders","commit_sha":"0123456789abcdef","version":"v2"}]',
      { kind: "deploy", service: "orders", commit: "0123456789abcdef", version: "v2" },
    ],
    [
      "of flags",
      '[{"timestamp":"2026-06-18T14:58:00Z","flag":"fast_path","service":"orders","change":"off->on"}]',
      { kind: "flag", name: "fast_path", before: "off", after: "on" },
    ],
    [
      "in one object of lists",
      '{"commits":[{"sha":"0123456789abcdef","message":"m","timestamp":"2026-06-18T14:58:00Z"}],"deployments":[{"name":"orders","deployed_at":"2026-06-18T14:59:00Z","image":"orders:2"}]}',
      { kind: "commit" },
    ],
  ])("are read: %s", (_name, text, expected) => {
    expect(changesIn(text)).toEqual(expect.arrayContaining([expect.objectContaining(expected)]));
  });

  it("stay as they are in a snapshot", () => {
    const { evidence } = readEvidence([{ name: "git.txt", bytes: bytesOf(log) }]);
    const snapshot = createSnapshot(evidence);
    expect(decodeSnapshotFile(encodeSnapshotFile(snapshot)).evidence).toEqual(snapshot.evidence);
  });
});

describe("what monitors reported", () => {
  it.each([
    [
      "an alert",
      '{"service":"orders","metric":"p99_ms","threshold":800,"observed":4120,"fired_at":"2026-06-18T15:06:00Z","severity":"critical","summary":"slow"}',
      { alerts: [{ service: "orders", threshold: 800, observed: 4_120, summary: "slow" }] },
    ],
    [
      "alerts of Alertmanager",
      '[{"labels":{"alertname":"HighErrors","service":"orders","severity":"page"},"annotations":{"summary":"errors"},"startsAt":"2026-06-18T15:06:00Z"}]',
      {
        alerts: [{ service: "orders", metric: "HighErrors", summary: "errors", severity: "page" }],
      },
    ],
    [
      "the metric that a localisation starts from, with its statistic",
      '{"target":{"node":"Site","metric":"latency","agg":"Average","timestamp":1681857605},"root_cause":{"node":"Table"}}',
      { alerts: [{ service: "Site", metric: "latency Average" }] },
    ],
    [
      "a status page",
      '{"component":"dns","events":[{"timestamp":"2026-06-20T10:30:00Z","status":"degraded","detail":"SERVFAIL"}]}',
      { statuses: [{ component: "dns", status: "degraded", detail: "SERVFAIL" }] },
    ],
    [
      "counted patterns",
      '[{"signature":"panic <N>","service":"orders","count":318,"delta_vs_baseline":"+318"}]',
      { patterns: [{ text: "panic <N>", count: 318, growth: 318 }] },
    ],
  ])("is read: %s", (_name, text, expected) => {
    expect(incidentIn(text)).toMatchObject(expected);
  });
});

describe("what looks alike", () => {
  it.each([
    [
      "a log",
      '{"timestamp":"2026-06-18T14:58:00Z","level":"info","message":"m","commit":"0123456789abcdef"}\n',
    ],
    ["a manifest of npm", '{"name":"a","version":"1.0.0","dependencies":{"pg":"^8.0.0"}}'],
    [
      "an answer of an incident",
      '{"scenario":"x","root_cause_commit":"0123456789abcdef","notes":"because"}',
    ],
    ["a transcript", '{"messages":[{"role":"user","content":"commit 0123456789abcdef"}]}'],
  ])("is no change: %s", (_name, text) => {
    const { evidence } = readEvidence([{ name: "x.json", bytes: bytesOf(text) }]);
    const kinds = evidence.map(({ content }) => content.kind);
    expect(kinds).not.toContain("changes");
    expect(kinds).not.toContain("incident");
  });
});
