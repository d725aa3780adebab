import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { goroutinesEnd } from "./goroutines-end.ts";

const recorded = fileURLToPath(
  new URL("../../test/recorded/lifetimes-under-load/", import.meta.url),
);
const programs = readdirSync(recorded).filter((name) => !name.endsWith(".md"));
const pairs = [
  [0, 1, 2],
  [0, 1],
  [1, 2],
  [0, 2],
] as const;

function check(program: string, form: string, rounds: readonly number[]): Finding[] {
  const folder = join(recorded, program);
  const files = readdirSync(folder)
    .filter((name) => rounds.some((round) => name.startsWith(`${form}-${round}.`)))
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  expect(evidence).toHaveLength(rounds.length);
  return goroutinesEnd.check(snapshotOf(evidence));
}

const violatedIn = (findings: readonly Finding[]): string[] =>
  findings.filter(({ verdict }) => verdict === "violated").map(({ subject }) => subject.name);

describe("recorded programs whose load rises", () => {
  it.each(programs.filter((name) => name.startsWith("healthy-")))(
    "%s: is never called leaking, in either form, in any of its recordings",
    (program) => {
      for (const form of ["goroutine", "dump"]) {
        for (const rounds of [...pairs, [0], [1], [2]]) {
          expect(violatedIn(check(program, form, rounds)), `${form} ${rounds.join()}`).toEqual([]);
        }
      }
    },
  );
});

describe("recorded programs that leak at the same load", () => {
  it.each([
    ["leak-rwlock", "main.writeIt"],
    ["leak-own-context", "context.(*cancelCtx).propagateCancel.func2"],
    ["leak-sql-rows", "database/sql.(*Rows).awaitDone"],
    ["leak-pipeline-early-exit", "main.leakyStage.func1"],
    ["leak-double-lock", "main.init."],
    ["leak-range-chan", "main.init."],
    ["leak-handler-send", "main.init."],
    ["leak-waitgroup", "WaitGroup"],
  ])("%s: name %s and nothing else", (program, site) => {
    for (const form of ["goroutine", "dump"]) {
      expect(violatedIn(check(program, form, [0, 1, 2]))).toEqual([expect.stringContaining(site)]);
    }
  });

  it("a transport for each request is never said to hold", () => {
    for (const form of ["goroutine", "dump"]) {
      expect(check("idle-transport", form, [0, 1, 2])).toMatchObject([
        { verdict: "inconclusive", title: expect.stringContaining("idle connections") },
      ]);
    }
  });

  it("say of contexts that nobody cancels them, and how to", () => {
    const [finding] = check("leak-own-context", "dump", [0, 1, 2]);
    expect(finding?.title).toContain("contexts that nobody cancels");
    expect(finding?.fixes[0]?.description).toContain("defer cancel()");
    expect(finding?.actual).toContain("Of the oldest 100 %");
  });
});

describe("idle connections of HTTP clients", () => {
  const recording = (idleCount: number, sequence: number): { name: string; bytes: Uint8Array } => {
    const loop = (place: string): string =>
      `${idleCount} @ 0x1 0x2 0x3\n#\t0x1\tinternal/poll.runtime_pollWait+0x84\t/go/src/runtime/netpoll.go:351\n#\t0x2\tnet/http.(*persistConn).${place}+0x1\t/go/src/net/http/transport.go:2052\n\n`;
    const text = `goroutine profile: total ${idleCount + 1}\n${loop("readLoop")}1 @ 0x1\n#\t0x1\tmain.main+0x1\t/app/main.go:5\n\n`;
    return { name: `idle-${sequence}.txt`, bytes: new TextEncoder().encode(text) };
  };
  const verdictsOf = (counts: readonly number[]): string[] =>
    goroutinesEnd
      .check(snapshotOf(readEvidence(counts.map(recording)).evidence))
      .map(({ verdict, title }) => `${verdict} ${title}`);

  it("that become many while hardly anything is asked make a client for each request likely", () => {
    expect(verdictsOf([100, 300, 500])).toEqual([
      expect.stringMatching(/^inconclusive 500 goroutines .* idle connections of HTTP clients/),
    ]);
  });

  it("that a pool keeps are none", () => {
    expect(verdictsOf([100, 110, 120])).toEqual([expect.stringMatching(/^holds/)]);
  });
});

it("a pool whose workers were at work before and idle now has not grown", () => {
  const worker = (id: number, state: string, place: string): string =>
    `goroutine ${id} [${state}]:\n${place}main.serve(0xc0001)\n\t/app/pool.go:12 +0x1d\ncreated by main.start in goroutine 1\n\t/app/pool.go:5 +0x2b\n\n`;
  const dump = (busyCount: number, sequence: number): { name: string; bytes: Uint8Array } => {
    const text = Array.from({ length: 64 }, (_item, index) =>
      index < busyCount
        ? worker(index + 10, "sleep", "time.Sleep(0x1)\n\t/go/src/runtime/time.go:364 +0x11\n")
        : worker(index + 10, "chan receive", ""),
    ).join("");
    return { name: `pool-${sequence}.txt`, bytes: new TextEncoder().encode(text) };
  };
  const { evidence } = readEvidence([dump(40, 0), dump(0, 1)]);
  expect(violatedIn(goroutinesEnd.check(snapshotOf(evidence)))).toEqual([]);
});
