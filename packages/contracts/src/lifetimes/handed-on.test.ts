import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, it } from "vitest";

import { checkSnapshot } from "../check.ts";
import type { Finding } from "../model/finding.ts";
import { type EvidenceFile, readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../snapshot/file.ts";
import { redactSnapshot } from "../snapshot/redact.ts";
import { lifetimeContracts } from "./contracts.ts";

const recorded = fileURLToPath(new URL("../../test/recorded/lifetimes/", import.meta.url));

function text(name: string, content: string): EvidenceFile {
  return { name, bytes: new TextEncoder().encode(content) };
}

const files: EvidenceFile[] = [
  ...["abandoned-sender", "kept-memory"].flatMap((mode) =>
    readdirSync(`${recorded}${mode}`).map((name) => ({
      name: `${mode}-${name}`,
      bytes: readFileSync(`${recorded}${mode}/${name}`),
    })),
  ),
  ...[30, 90].map((count, index) =>
    text(
      `modules-${index}.txt`,
      `goroutine profile: total ${count}\n${count} @ 0x1 0x2 0x3 0x11\n#\t0x10\tgithub.com/foo/bar/v2.(*Client).wait+0x1\t/root/go/pkg/mod/github.com/foo/bar@v2.3.4/client.go:12\n\n`,
    ),
  ),
  ...[5, 60].map((count, index) =>
    text(
      `ss-${index}.txt`,
      `State Recv-Q Send-Q Local Address:Port Peer Address:Port\n${"CLOSE-WAIT 1 0 10.0.0.1:4000 10.0.0.9:443\n".repeat(count)}`,
    ),
  ),
];

function factsOf(findings: readonly Finding[]): unknown[] {
  return findings.map(({ contract, verdict, measures }) => [contract, verdict, measures]);
}

it("finds the same in a snapshot file, and in one without secrets", () => {
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  const snapshot = snapshotOf(evidence);
  const expected = checkSnapshot(snapshot, lifetimeContracts);
  expect(expected.filter(({ verdict }) => verdict === "violated").length).toBeGreaterThan(5);
  const again = decodeSnapshotFile(encodeSnapshotFile(snapshot));
  expect(checkSnapshot(again, lifetimeContracts)).toEqual(expected);
  const redacted = redactSnapshot(snapshot).snapshot;
  expect(new Set(factsOf(checkSnapshot(redacted, lifetimeContracts)))).toEqual(
    new Set(factsOf(expected)),
  );
});
