import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Finding } from "../model/finding.ts";
import { type EvidenceFile, readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { goroutinesEnd } from "./goroutines-end.ts";

const recorded = fileURLToPath(new URL("../../test/recorded/lifetimes/", import.meta.url));
const program = fileURLToPath(new URL("../../test/go-programs/lifetimes/", import.meta.url));
const go = ["/usr/local/go/bin/go", "go"].find(
  (command) => spawnSync(command, ["version"]).status === 0,
);

/** Where each leak of the program is. */
const leaks = [
  ["abandoned-sender", "main.abandonedSender.func1"],
  ["forgotten-channel", "main.consume"],
  ["endless-context", "main.watch"],
  ["held-lock", "main.book"],
  ["missing-done", "main.awaitAll"],
  ["unclosed-body", "net/http.(*persistConn).readLoop"],
] as const;
const forms = ["goroutine", "counts", "dump"] as const;

function filesOf(
  folder: string,
  form: string,
  rounds: readonly number[] = [0, 1, 2],
): EvidenceFile[] {
  return readdirSync(folder)
    .filter((name) => rounds.some((round) => name.startsWith(`${form}-${round}.`)))
    .map((name) => ({ name, bytes: readFileSync(join(folder, name)) }));
}

function check(files: readonly EvidenceFile[]): Finding[] {
  const { evidence, unreadable } = readEvidence(files);
  expect(unreadable).toEqual([]);
  return goroutinesEnd.check(snapshotOf(evidence));
}

function violatedIn(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ verdict }) => verdict === "violated")
    .map(({ subject }) => subject.name);
}

function text(name: string, content: string): EvidenceFile {
  return { name, bytes: new TextEncoder().encode(content) };
}

describe("recorded profiles of leaks", () => {
  it.each(leaks.flatMap(([mode, site]) => forms.map((form) => [mode, form, site] as const)))(
    "%s: three recordings as %s name %s and nothing else",
    (mode, form, site) => {
      const violated = violatedIn(check(filesOf(join(recorded, mode), form)));
      expect(violated).toHaveLength(1);
      expect(violated[0]).toContain(site);
    },
  );

  it.each(leaks)("%s: two recordings name %s too", (mode, site) => {
    for (const form of forms) {
      const violated = violatedIn(check(filesOf(join(recorded, mode), form, [0, 2])));
      expect(violated).toHaveLength(1);
      expect(violated[0]).toContain(site);
    }
  });

  it.each(leaks.filter(([mode]) => mode !== "held-lock" && mode !== "unclosed-body"))(
    "%s: a profile of leaked goroutines proves %s at once",
    (mode, site) => {
      for (const name of ["leaks.txt", "leaks.pb.gz"]) {
        const bytes = readFileSync(join(recorded, mode, name));
        const [finding] = check([{ name, bytes }]);
        expect(finding).toMatchObject({ verdict: "violated", measures: { leakedCount: 90 } });
        expect(finding?.subject.name).toContain(site);
      }
    },
  );

  it("asks for more where one recording does not tell, and names the site", () => {
    const [finding] = check(filesOf(join(recorded, "forgotten-channel"), "counts", [2]));
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.title).toContain("main.consume");
    expect(finding?.missing).not.toEqual([]);
  });
});

describe("recorded profiles of a healthy program with pools, tickers, listeners and kept connections", () => {
  it.each(forms)(
    "are doubted as %s for their kept connections alone, also between any two rounds",
    (form) => {
      const folder = join(recorded, "healthy");
      // Each round kept more connections, as a new client for each request would have.
      expect(check(filesOf(folder, form))).toMatchObject([
        { verdict: "inconclusive", title: expect.stringContaining("idle connections") },
      ]);
      for (const rounds of [
        [0, 1],
        [1, 2],
        [0, 2],
      ]) {
        expect(violatedIn(check(filesOf(folder, form, rounds)))).toEqual([]);
      }
      for (const round of [0, 1, 2]) {
        expect(violatedIn(check(filesOf(folder, form, [round])))).toEqual([]);
      }
    },
  );

  it("are not called free of leaks by the collector alone", () => {
    const bytes = readFileSync(join(recorded, "healthy", "leaks.txt"));
    expect(check([{ name: "leaks.txt", bytes }])).toMatchObject([{ verdict: "inconclusive" }]);
  });
});

describe.skipIf(go === undefined)("the program itself, built by the Go that is here", () => {
  let folder = "";
  let command = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lifetimes-"));
    command = join(folder, "program");
    execFileSync(go ?? "go", ["build", "-o", command, "."], {
      cwd: program,
      env: { ...process.env, GOFLAGS: "-mod=mod" },
    });
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([...leaks, ["healthy", ""] as const])("%s gives %s", (mode, site) => {
    const out = mkdtempSync(join(folder, "run-"));
    execFileSync(command, [mode, out]);
    for (const form of forms) {
      const violated = violatedIn(check(filesOf(out, form)));
      if (site === "") expect(violated).toEqual([]);
      else expect(violated).toEqual([expect.stringContaining(site)]);
    }
  });
});

describe("single dumps", () => {
  const goroutines = (
    count: number,
    parts: {
      state: string;
      minutes: (index: number) => number;
      creator: (index: number) => number;
    },
  ): string =>
    Array.from({ length: count }, (_item, index) => {
      const minutes = parts.minutes(index);
      const wait = minutes === 0 ? "" : `, ${minutes} minutes`;
      return `goroutine ${100 + index} [${parts.state}${wait}]:\nmain.work(0xc0000${index}00)\n\t/app/main.go:12 +0x1d\ncreated by main.serve in goroutine ${parts.creator(index)}\n\t/app/main.go:30 +0x2f\n\n`;
    }).join("");
  const main = "goroutine 1 [IO wait, 90 minutes]:\nmain.main()\n\t/app/main.go:5 +0x1d\n\n";

  it("show senders that nobody has received from for minutes", () => {
    const dump = goroutines(25, {
      state: "chan send",
      minutes: (index) => 6 + index,
      creator: () => 1,
    });
    const [finding] = check([text("dump.txt", main + dump)]);
    expect(finding).toMatchObject({
      verdict: "violated",
      measures: { blockedCount: 25, minutesMost: 30 },
    });
    expect(finding?.evidence[0]?.quote).toContain("25 × [chan send] main.work (main.go:12)");
  });

  it("show receivers whose starters are all gone, and leave alone a pool that one goroutine started", () => {
    const orphans = goroutines(150, {
      state: "chan receive",
      minutes: (index) => 5 + (index % 50),
      creator: (index) => 10_000 + index,
    });
    expect(violatedIn(check([text("dump.txt", main + orphans)]))).toHaveLength(1);
    const pool = goroutines(150, { state: "chan receive", minutes: () => 80, creator: () => 1 });
    expect(violatedIn(check([text("dump.txt", main + pool)]))).toEqual([]);
  });

  it("name clients without a timeout, whose answers have not come for minutes", () => {
    const dump = Array.from(
      { length: 12 },
      (_item, index) =>
        `goroutine ${100 + index} [select, 8 minutes]:\nnet/http.(*persistConn).roundTrip(0xc0001)\n\t/usr/local/go/src/net/http/transport.go:2860 +0x1d\nmain.ask()\n\t/app/main.go:12 +0x1d\ncreated by main.main in goroutine 1\n\t/app/main.go:30 +0x2f\n\n`,
    ).join("");
    const [finding] = check([text("dump.txt", main + dump)]);
    expect(finding).toMatchObject({ verdict: "inconclusive", measures: { blockedCount: 12 } });
    expect(finding?.title).toContain("main.ask");
  });

  it("show a lock that nobody releases", () => {
    const dump = goroutines(3, { state: "sync.Mutex.Lock", minutes: () => 7, creator: () => 1 });
    expect(violatedIn(check([text("dump.txt", main + dump)]))).toHaveLength(1);
  });

  it("leave alone goroutines that wait for their turn while others work", () => {
    const dump = goroutines(200, { state: "chan send", minutes: () => 9, creator: () => 1 });
    const worker =
      "goroutine 7 [IO wait]:\nmain.download()\n\t/app/main.go:70 +0x1d\nmain.work()\n\t/app/main.go:15 +0x1d\ncreated by main.serve in goroutine 1\n\t/app/main.go:30 +0x2f\n\n";
    expect(violatedIn(check([text("dump.txt", main + dump + worker)]))).toEqual([]);
  });
});

describe("recordings that must not be compared", () => {
  const profile = (count: number, file = "/app/main.go"): string =>
    `goroutine profile: total ${count}\n${count} @ 0x1 0x2 0x3 0x11\n#\t0x10\tmain.work+0x1\t${file}:12\n\n`;

  it("are those whose order nobody tells", () => {
    const findings = check([text("x.txt", profile(10)), text("y.txt", profile(500))]);
    expect(violatedIn(findings)).toEqual([]);
  });

  it("are those of different programs", () => {
    const findings = check([
      text("a-1.txt", profile(10)),
      text("a-2.txt", profile(500, "/b/main.go")),
    ]);
    expect(violatedIn(findings)).toEqual([]);
    expect(findings.flatMap(({ missing }) => missing).join(" ")).toContain("different programs");
  });

  it("are those of folders with a name and a number, but not those of before and after", () => {
    const inFolders = (...folders: readonly string[]): Finding[] =>
      check(folders.map((folder, at) => text(`${folder}/goroutine.txt`, profile(10 + 490 * at))));
    expect(violatedIn(inFolders("case-1", "case-2"))).toEqual([]);
    expect(violatedIn(inFolders("before", "after"))).toHaveLength(1);
  });

  it("are those without ids that become more ever faster, as with a load that rises", () => {
    const countsOf = (...counts: readonly number[]): Finding[] =>
      check(counts.map((count, at) => text(`p-${at}.txt`, profile(count))));
    const [finding] = countsOf(15, 90, 400);
    expect(finding).toMatchObject({ verdict: "inconclusive" });
    expect(finding?.missing.join()).toContain("at the same load");
    expect(violatedIn(countsOf(15, 90, 165))).toHaveLength(1);
    // Of two recordings without ids a growth by half is not enough to be a leak, and too much to hold.
    expect(countsOf(120, 180)[0]?.verdict).toBe("inconclusive");
    // Over many recordings a load rises and falls, and what leaks does not.
    expect(violatedIn(countsOf(10, 20, 30, 40, 150, 160))).toHaveLength(1);
  });

  it("and growth that requests in flight explain is no leak", () => {
    const loaded = (count: number): string =>
      `goroutine profile: total ${2 * count}\n${count} @ 0x1 0x2 0x3 0x11\n#\t0x10\tmain.work+0x1\t/app/main.go:12\n\n${count} @ 0x1 0x2 0x11 0x12\n#\t0x10\tmain.handle+0x1\t/app/main.go:40\n#\t0x11\tnet/http.HandlerFunc.ServeHTTP+0x1\t/usr/local/go/src/net/http/server.go:2122\n\n`;
    const findings = check([text("p-1.txt", loaded(10)), text("p-2.txt", loaded(400))]);
    expect(violatedIn(findings)).toEqual([]);
  });
});

it("reads a profile that lost its marks on the way, of an old Go, and needs one where hardly anybody holds a body", () => {
  const pasted =
    "goroutine profile: total 1779\n869 @ 0x4c974c 0x4d9228 0x822125 0x4f65c1\n        0x822124\tnet/http.(*persistConn).writeLoop+0x164\t/usr/local/go/src/net/http/transport.go:1759\n\n866 @ 0x4c974c 0x4d9228 0x820f97 0x4f65c1\n       0x820f96\tnet/http.(*persistConn).readLoop+0x7a6\t/usr/local/go/src/net/http/transport.go:1654\n";
  const [finding] = check([text("x.txt", pasted)]);
  expect(finding).toMatchObject({ verdict: "violated", measures: { openBodyCount: 866 } });
});

describe("what does not matter", () => {
  it("is the order of the files, a file given twice, and other evidence beside them", () => {
    const files = filesOf(join(recorded, "endless-context"), "counts");
    const expected = check(files);
    expect(check([...files].reverse())).toEqual(expected);
    expect(check([...files, ...files])).toEqual(expected);
    const others = [
      text("service.log", "2026-01-01T00:00:00Z INFO started\n2026-01-01T00:00:01Z INFO up\n"),
    ];
    expect(check([...others, ...files])).toEqual(expected);
  });

  it("is the order of stacks within a profile, and whether one stack stands there in pieces", () => {
    const one = (count: number): string =>
      `${count} @ 0x1 0x2 0x3 0x11\n#\t0x10\tmain.work+0x1\t/app/main.go:12\n\n`;
    const other = "5 @ 0x1 0x2 0x11\n#\t0x10\tmain.rest+0x1\t/app/main.go:19\n\n";
    const before = text("p-1.txt", `goroutine profile: total 35\n${one(30)}${other}`);
    const whole = text("p-2.txt", `goroutine profile: total 95\n${one(90)}${other}`);
    const pieces = text("p-2.txt", `goroutine profile: total 95\n${one(40)}${other}${one(50)}`);
    const facts = (list: readonly Finding[]): unknown =>
      list.map(({ verdict, subject, actual }) => [verdict, subject, actual]);
    expect(facts(check([before, pieces]))).toEqual(facts(check([before, whole])));
  });
});

it("calls hardly any of 1,000 healthy processes with changing numbers of goroutines a leak", () => {
  let state = 11;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  let found = 0;
  for (let round = 0; round < 1_000; round += 1) {
    const recordings = 2 + (round % 5);
    const mean = 5 + Math.floor(random() * 200);
    const files = Array.from({ length: recordings }, (_item, index) => {
      // About as a number of independent things varies: the mean give or take its root.
      const sum = Array.from({ length: 12 }, random).reduce((total, value) => total + value, -6);
      const count = Math.max(1, Math.round(mean + sum * Math.sqrt(mean)));
      return text(
        `p-${index}.txt`,
        `goroutine profile: total ${count}\n${count} @ 0x1 0x2 0x3 0x11\n#\t0x10\tmain.work+0x1\t/app/main.go:12\n\n`,
      );
    });
    found += violatedIn(check(files)).length;
  }
  expect(found).toBeLessThanOrEqual(2);
});
