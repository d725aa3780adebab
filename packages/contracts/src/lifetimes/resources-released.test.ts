import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import { type EvidenceFile, readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { resourcesReleased } from "./resources-released.ts";

function check(files: readonly EvidenceFile[]): Finding[] {
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  return resourcesReleased.check(snapshotOf(evidence));
}

function text(name: string, content: string): EvidenceFile {
  return { name, bytes: new TextEncoder().encode(content) };
}

function sockets(
  index: number,
  rows: readonly (readonly [string, number, string])[],
): EvidenceFile {
  const lines = rows.flatMap(([state, count, peer]) =>
    Array.from({ length: count }, (_item, at) => `${state} 0 0 10.0.0.1:${40_000 + at} ${peer}`),
  );
  const header = "State Recv-Q Send-Q Local Address:Port Peer Address:Port Process";
  return text(
    `ss-${index}.txt`,
    [header, "LISTEN 0 128 0.0.0.0:8080 0.0.0.0:*", ...lines].join("\n"),
  );
}

function descriptors(index: number, files: number, others = 4): EvidenceFile {
  const lines = [
    ...Array.from({ length: others }, (_item, at) => `${at} -> /dev/null`),
    ...Array.from({ length: files }, (_item, at) => `${10 + at} -> /tmp/upload-${at}.part`),
  ];
  return text(
    `fd-${index}.txt`,
    `total 0\n${lines.map((line) => `lrwx------ 1 app app 64 Nov 28 02:10 ${line}`).join("\n")}\n`,
  );
}

const violated = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === "violated").map(({ subject }) => subject.name);

describe("leaks", () => {
  it("are files that a process opens and never closes", () => {
    const findings = check([descriptors(0, 10), descriptors(1, 40), descriptors(2, 75)]);
    expect(findings[0]).toMatchObject({
      verdict: "violated",
      boundary: "process-resource",
      subject: { name: "fd: file at /tmp/upload-*.part" },
      measures: { firstCount: 10, lastCount: 75 },
    });
    expect(findings[0]?.evidence).toHaveLength(3);
  });

  it("are connections that the other side has closed: many in one listing, or more and more", () => {
    expect(violated(check([sockets(1, [["CLOSE-WAIT", 150, "10.0.0.9:443"]])]))).toHaveLength(1);
    const growing = [5, 30].map((count, index) =>
      sockets(index, [["CLOSE-WAIT", count, "10.0.0.9:443"]]),
    );
    expect(check(growing)[0]).toMatchObject({ verdict: "violated", boundary: "client-server" });
  });

  it("are connections to one peer that become more over three listings", () => {
    const files = [10, 60, 110].map((count, index) =>
      sockets(index, [["ESTAB", count, "10.0.0.9:5432"]]),
    );
    expect(violated(check(files))).toEqual(["ss: ESTAB tcp to 10.0.0.9:5432"]);
  });

  it("are read from the kernel's own table and from Node's reports alike", () => {
    const row = (at: number): string =>
      `   ${at}: 0100007F:${(40_000 + at).toString(16)} 0900000A:1538 08 00000000:00000000 00:00000000 00000000  1000        0 12345 1`;
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue",
      ...Array.from({ length: 120 }, (_item, at) => row(at)),
    ].join("\n");
    expect(violated(check([text("tcp-1.txt", table)]))).toEqual([
      "tcp: CLOSE-WAIT tcp to 10.0.0.9:5432",
    ]);
    const report = (count: number): string =>
      JSON.stringify({
        header: { nodejsVersion: "v24.0.0" },
        javascriptHeap: { usedMemory: 1 },
        libuv: Array.from({ length: count }, () => ({ type: "timer", is_active: true })),
      });
    const reports = [10, 50, 90].map((count, index) => text(`report-${index}.json`, report(count)));
    expect(violated(check(reports))).toEqual(["report: timer"]);
  });
});

describe("healthy listings", () => {
  it("hold where pools are full, clients come and go, and a few connections are about to close", () => {
    const files = [0, 1, 2, 3].map((index) =>
      sockets(index, [
        ["ESTAB", 50, "10.0.0.9:5432"],
        ["CLOSE-WAIT", index % 2, "10.0.0.9:443"],
        ["TIME-WAIT", 200 + 30 * index, "10.0.0.7:80"],
      ]),
    );
    expect(check(files).map(({ verdict }) => verdict)).toEqual(["holds"]);
  });

  it("are not violated by more and more clients, by a pool that fills, or by what comes to rest", () => {
    const served = (index: number, count: number): EvidenceFile => {
      const lines = Array.from(
        { length: count },
        (_item, at) => `ESTAB 0 0 10.0.0.1:8080 10.1.0.${at}:5000`,
      );
      const header = "State Recv-Q Send-Q Local Address:Port Peer Address:Port";
      return text(`ss-${index}.txt`, [header, "LISTEN 0 128 *:8080 *:*", ...lines].join("\n"));
    };
    expect(violated(check([served(0, 10), served(1, 80), served(2, 200)]))).toEqual([]);
    expect(violated(check([descriptors(0, 1), descriptors(1, 80)]))).toEqual([]);
    expect(violated(check([descriptors(0, 1), descriptors(1, 80), descriptors(2, 84)]))).toEqual(
      [],
    );
  });

  it("are inconclusive alone, and say what is missing", () => {
    const [finding] = check([descriptors(0, 10)]);
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing).not.toEqual([]);
  });

  it("give the same in any order and beside other evidence", () => {
    const files = [descriptors(0, 10), descriptors(1, 40), descriptors(2, 75)];
    const expected = check(files);
    expect(check([...files].reverse())).toEqual(expected);
    expect(check([...files, text("a.env", "A=b\nC=d\n")])).toEqual(expected);
  });
});
