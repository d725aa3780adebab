/** What `faultline snapshot create` does when live systems do not do what they should. */

import type { RequestListener } from "node:http";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { decodeSnapshotFile } from "@faultline/contracts";
import { openTemporaryFolder, type TemporaryFolder } from "@faultline/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { OptionValues } from "../src/command.ts";
import { command as snapshot } from "../src/commands/snapshot.ts";
import { liveProgress } from "../src/live/live-progress.ts";
import {
  type Answers,
  jaeger,
  loki,
  openLiveSystem,
  openServer,
  pprof,
  prometheus,
  tempo,
} from "./live-system.ts";
import { runIn } from "./run-command.ts";

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = await openTemporaryFolder();
});
afterAll(async () => await folder[Symbol.asyncDispose]());

interface Made {
  readonly code: number;
  readonly notes: string;
  readonly output: string;
  readonly missed: readonly { readonly what: string; readonly why: string }[];
  readonly evidenceCount: number;
}

/** Beside a healthy system, which gives one piece of evidence whatever the other does: Tempo, or Jaeger beside a Tempo at fault. */
async function create(options: OptionValues): Promise<Made> {
  const isBesideTempo = !("tempo" in options);
  await using healthy = await openLiveSystem(isBesideTempo ? tempo : jaeger);
  const beside = isBesideTempo ? { tempo: healthy.url } : { jaeger: healthy.url };
  const out = join(folder.path, "live.faultline");
  const run = runIn(() => folder.path);
  const made = await run(snapshot, ["create"], {
    options: { out, json: true, ...beside, ...options },
  });
  const result = JSON.parse(made.output) as {
    sources: { source: string; missed: Made["missed"] }[];
    evidenceCount: number;
  };
  const [faulty] = result.sources.filter(
    ({ source }) => !source.includes(new URL(healthy.url).host),
  );
  return { ...made, missed: faulty?.missed ?? [], evidenceCount: result.evidenceCount };
}

const kinds = ["prometheus", "tempo", "jaeger", "loki", "pprof"] as const;
const optionsFor = (kind: (typeof kinds)[number], url: string): OptionValues => ({
  [kind]: kind === "pprof" ? [url] : url,
  "source-timeout": "3s",
});

const megabyte = 1_048_576;
const bomb = gzipSync(Buffer.alloc(100 * megabyte, 32));
interface Fault {
  readonly listener: RequestListener;
  readonly why: RegExp;
  readonly patience?: string;
}

const faultList: readonly (readonly [string, RequestListener, RegExp, string?])[] = [
  ["never answers", () => undefined, /took longer than 0\.\d+ s/, "400ms"],
  [
    "stalls within its answer",
    (_request, response) => void response.writeHead(200).write('{"data":'),
    /took longer than 0\.\d+ s/,
    "400ms",
  ],
  [
    "gives its answer drop by drop",
    (_request, response) => {
      response.writeHead(200).write('{"data":');
      const drop = (): void => {
        if (!response.destroyed) response.write(" ", () => setTimeout(drop, 10));
      };
      drop();
    },
    /took longer than 0\.\d+ s/,
    "400ms",
  ],
  [
    "resets the connection",
    (request) => void request.socket.resetAndDestroy(),
    /reset|closed|terminated/i,
  ],
  [
    "cuts its answer",
    (_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write('{"data":', () => response.destroy());
    },
    /other side closed|terminated|reset|aborted/i,
  ],
  [
    "lets nobody in",
    (_request, response) => void response.writeHead(401).end("who are you?"),
    /answered 401/,
  ],
  [
    "fails",
    (_request, response) => void response.writeHead(500).end('{"error":"out of memory"}'),
    /answered 500: out of memory/,
  ],
  [
    "gives 500 MB",
    (_request, response) => {
      const piece = Buffer.alloc(megabyte, 32);
      let left = 500;
      const more = (): void => {
        while (left > 0 && !response.destroyed) {
          left -= 1;
          if (!response.write(piece)) {
            response.once("drain", more);
            return;
          }
        }
        response.end();
      };
      response.writeHead(200);
      more();
    },
    /more than 67108864 bytes/,
    "60s",
  ],
  [
    "gives a bomb of gzip",
    (_request, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    },
    /more than 67108864 bytes/,
    "60s",
  ],
  [
    "sends to another host",
    (_request, response) =>
      void response.writeHead(302, { location: "http://169.254.169.254/latest/meta-data" }).end(),
    /sends to another address \(169\.254\.169\.254\)/,
  ],
  [
    "sends in a circle",
    (request, response) => void response.writeHead(307, { location: request.url ?? "/" }).end(),
    /from one address to the next/,
  ],
];

const faults = faultList.map(([what, listener, why, patience]): [string, Fault] => [
  what,
  { listener, why, ...(patience === undefined ? {} : { patience }) },
]);

describe.each(kinds)("%s", (kind) => {
  it.each(faults)(
    "that %s is named, and takes nothing from another",
    async (_what, { listener, why, patience }) => {
      await using faulty = await openServer(listener);
      const options = optionsFor(kind, faulty.url);
      const made = await create(
        patience === undefined ? options : { ...options, "source-timeout": patience },
      );
      expect(made.code).toBe(2);
      expect(made.missed.map((missed) => missed.why).join("\n")).toMatch(why);
      expect(made.evidenceCount).toBe(1);
    },
  );

  it.skipIf(kind === "pprof")(
    "that answers something else is named without quoting it",
    async () => {
      await using faulty = await openServer((_request, response) => {
        response.writeHead(200, { "content-type": "text/html" }).end("<p>token hunter2</p>");
      });
      const made = await create(optionsFor(kind, faulty.url));
      expect(made.missed.map(({ why }) => why).join()).toContain("The answer is not JSON.");
      expect(made.output + made.notes).not.toContain("hunter2");
    },
  );
});

describe("traces of Tempo", () => {
  const good = "a".repeat(32);
  const other = "b".repeat(32);
  /** A search that finds two traces, of which the second has a fault. */
  const withFault =
    (fault: RequestListener): RequestListener =>
    (request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      if (url.pathname === `/api/traces/${other}`) {
        fault(request, response);
        return;
      }
      const found = { traces: [{ traceID: other }, { traceID: good }, { traceID: "../secrets" }] };
      const answer = tempo(url, request);
      const body =
        url.pathname === "/api/search" ? JSON.stringify(found) : answer !== "never" && answer.body;
      response.writeHead(200, { "content-type": "application/json" }).end(body);
    };

  it.each(faults)(
    "of which one %s are read but for that one, which is named",
    async (_what, { listener, why, patience = "20s" }) => {
      await using faulty = await openServer(withFault(listener));
      const made = await create({ tempo: faulty.url, "source-timeout": patience });
      expect(made.code).toBe(2);
      expect(made.missed).toEqual([{ what: `trace ${other}`, why: expect.stringMatching(why) }]);
      expect(made.evidenceCount).toBe(2);
    },
  );

  it("of which one is garbage are read but for that one, and nothing of it is quoted", async () => {
    await using faulty = await openServer(
      withFault((_request, response) => void response.end("\u0000\u0001hunter2 is no trace")),
    );
    const made = await create({ tempo: faulty.url });
    expect(made.evidenceCount).toBe(2);
    expect(made.output + made.notes).not.toContain("hunter2");
    expect(made.output + made.notes).toContain(other);
  });

  /** Finds so many traces beside a good one, and leaves who asks for them waiting. */
  const withStalled = (stalledCount: number): RequestListener => {
    const stalled = Array.from({ length: stalledCount }, (_, at) => `${at}`.padStart(32, "d"));
    return (request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      if (stalled.some((id) => url.pathname.endsWith(id))) return;
      const traces = [good, ...stalled].map((traceID) => ({ traceID }));
      const answer = tempo(url, request);
      const body =
        url.pathname === "/api/search"
          ? JSON.stringify({ traces })
          : answer !== "never" && answer.body;
      response.writeHead(200).end(body);
    };
  };

  it("of which nine stall are read but for those, which are named each", async () => {
    await using faulty = await openServer(withStalled(9));
    const made = await create({ tempo: faulty.url, "source-timeout": "2s" });
    expect(made.code).toBe(2);
    expect(made.missed).toHaveLength(9);
    expect(made.missed.at(0)).toEqual({
      what: `trace ${"0".padStart(32, "d")}`,
      why: "It took longer than 0.25 s; a longer --source-timeout gives each part more.",
    });
    expect(made.evidenceCount).toBe(2);
  });

  it("of which more stall than there is time for end at the deadline of the source, and say what was left", async () => {
    await using faulty = await openServer(withStalled(40));
    const made = await create({ tempo: faulty.url, "source-timeout": "400ms" });
    expect(made.missed.at(-2)?.what).toMatch(/^(?:trace \w+, ){4}trace \w+ and \d+ more$/);
    expect(made.missed.at(-1)).toEqual({ what: "the rest", why: "It took longer than 0.4 s." });
    expect(made.evidenceCount).toBe(2);
  });

  it("are found by one search where the other stalls", async () => {
    await using faulty = await openServer((request, response) => {
      const url = new URL(request.url ?? "/", "http://127.0.0.1");
      if (url.searchParams.get("q")?.includes("error") === true) return;
      const answer = tempo(url, request);
      response.writeHead(200).end(answer !== "never" && answer.body);
    });
    const made = await create({ tempo: faulty.url, "source-timeout": "600ms" });
    expect(made.missed.map(({ what }) => what)).toEqual(["the search for { status = error }"]);
    expect(made.evidenceCount).toBe(2);
  });

  it("are asked for by ids alone", async () => {
    await using system = await openServer(
      withFault((_request, response) => void response.writeHead(404).end()),
    );
    await create({ tempo: system.url });
    expect(system.requests.filter((path) => path.includes("secrets"))).toEqual([]);
  });
});

describe("logs of Loki", () => {
  it("are read within the window, those that fail first, without what is secret", async () => {
    await using logs = await openLiveSystem(loki);
    const out = join(folder.path, "logs.faultline");
    const run = runIn(() => folder.path);
    const made = await run(snapshot, ["create"], {
      options: { out, loki: logs.url, since: "1h" },
    });
    expect(made.code).toBe(0);
    expect(made.output).toMatch(/\d+ places redacted/);
    const { evidence } = decodeSnapshotFile(await readFile(out));
    const text = JSON.stringify(evidence);
    expect(text).toContain("charge failed");
    expect(text).not.toMatch(/hunter2|corp\.example/);
    const [, first] = logs.requests.map((path) => new URL(path, logs.url).searchParams);
    expect(first?.get("query")).toMatch(/^\{service_name=~"\.\+"\} \|~/);
    const window = BigInt(first?.get("end") ?? 0) - BigInt(first?.get("start") ?? 0);
    expect(Number(window / 1_000_000_000n)).toBeCloseTo(3_600, -1);
  });

  it("are asked for as a person says", async () => {
    await using logs = await openLiveSystem(loki);
    await create({ loki: logs.url, "loki-query": ['{app="shop"}'] });
    const queries = logs.requests.map((path) => new URL(path, logs.url).searchParams.get("query"));
    expect(queries).toEqual(['{app="shop"}']);
  });
});

describe("a part that stalls", () => {
  const without =
    (answers: Answers, isStalled: (url: URL) => boolean): Answers =>
    (url, request) =>
      isStalled(url) ? "never" : answers(url, request);

  it("of Jaeger is a service, and the others are read", async () => {
    await using faulty = await openLiveSystem((url, request) => {
      if (url.pathname === "/api/services")
        return { body: JSON.stringify({ data: ["a", "shop"] }) };
      return url.searchParams.get("service") === "a" ? "never" : jaeger(url, request);
    });
    const made = await create({ jaeger: faulty.url, "source-timeout": "1s" });
    expect(made.missed.map(({ what }) => what)).toEqual(["traces of a", "traces of a"]);
    expect(made.evidenceCount).toBe(2);
  });

  it("of Loki is a query, and the other is read", async () => {
    await using faulty = await openLiveSystem(
      without(loki, (url) => url.searchParams.get("query")?.includes("|~") === true),
    );
    const made = await create({ loki: faulty.url, "source-timeout": "500ms" });
    expect(made.missed).toHaveLength(1);
    expect(made.evidenceCount).toBe(2);
  });

  it("of Prometheus is a query, and the others are read", async () => {
    await using faulty = await openLiveSystem(
      without(prometheus, (url) => url.searchParams.get("query")?.includes("gen_ai") === true),
    );
    const made = await create({ prometheus: faulty.url, "source-timeout": "500ms" });
    expect(made.missed).toEqual([
      {
        what: expect.stringContaining("gen_ai"),
        why: expect.stringContaining("longer than 0.125 s"),
      },
    ]);
    expect(made.evidenceCount).toBe(2);
  });

  it("of a Go process is a profile; goroutines that take too long as text are asked for in their short form", async () => {
    await using faulty = await openLiveSystem(
      without(pprof, (url) => url.pathname.endsWith("/heap") || url.searchParams.has("debug")),
    );
    const made = await create({ pprof: [faulty.url], "source-timeout": "800ms" });
    expect(made.missed.map(({ what }) => what)).toEqual(["goroutineleak", "heap", "profile"]);
    expect(made.evidenceCount).toBe(2);
  });
});

describe("profiles of Go", () => {
  it("have the leaks that the collector proved where there are any, and miss nothing where there are none", async () => {
    await using old = await openLiveSystem((url, request) =>
      url.pathname.endsWith("/goroutineleak")
        ? { status: 404, body: "Unknown profile" }
        : pprof(url, request),
    );
    const made = await create({ pprof: [old.url] });
    expect(old.requests.some((path) => path.includes("goroutineleak"))).toBe(true);
    expect(made.missed.map(({ what }) => what)).toEqual(["heap", "profile"]);
  });
});

describe("the processor of a Go process", () => {
  it.each([
    ["60s", "5"],
    ["20s", "1"],
  ])("is watched within %s for %s s, which fits the time of one profile", async (time, seconds) => {
    await using process = await openLiveSystem(pprof);
    await create({ pprof: [process.url], "source-timeout": time });
    const asked = process.requests.filter((path) => path.includes("/profile"));
    expect(asked.map((path) => new URL(path, process.url).searchParams.get("seconds"))).toEqual([
      seconds,
    ]);
  });
});

describe("several processes and several rounds", () => {
  const seriesOf = async (options: OptionValues): Promise<string[]> => {
    const out = join(folder.path, "rounds.faultline");
    await runIn(() => folder.path)(snapshot, ["create"], { options: { out, ...options } });
    const { evidence } = decodeSnapshotFile(await readFile(out));
    return evidence
      .flatMap(({ content }) => (content.kind === "goroutines" ? [content.recording] : []))
      .map(({ series, sequence }) => `${series} ${sequence}`)
      .toSorted();
  };

  it("of two processes are two series, whatever numbers their addresses have", async () => {
    await using one = await openLiveSystem(pprof);
    await using other = await openLiveSystem(pprof);
    const series = await seriesOf({ pprof: [one.url, other.url] });
    expect(new Set(series.map((name) => name.replace(/ 1$/, ""))).size).toBe(2);
    expect(series.every((name) => name.endsWith(" 1"))).toBe(true);
  });

  it("of one process are one series", async () => {
    await using one = await openLiveSystem((url, request) => {
      const answer = pprof(url, request);
      // Each round has one goroutine more, or equal answers would be one piece of evidence.
      const round = one.requests.filter((path) => path.includes("debug=2")).length;
      return answer === "never" || answer.status !== undefined
        ? answer
        : { body: Array.from({ length: round }, () => answer.body).join("\n") };
    });
    const series = await seriesOf({ pprof: [one.url], "pprof-every": "50ms" });
    expect(series.map((name) => name.at(-1))).toEqual(["1", "2", "3"]);
    expect(new Set(series.map((name) => name.slice(0, -2))).size).toBe(1);
  });
});

describe("progress", () => {
  const terminal = (shown: (string | undefined)[] | undefined, notes: string[]) => ({
    colour: false,
    columns: 200,
    program: "faultline",
    print: () => undefined,
    write: () => undefined,
    note: (text: string) => void notes.push(text),
    style: (_style: unknown, text: string) => text,
    input: () => new Blob([]).stream(),
    ...(shown === undefined ? {} : { showProgress: (text?: string) => void shown.push(text) }),
  });

  it("names on a terminal what is being read and how much came, and is gone in the end", () => {
    const [shown, notes]: [(string | undefined)[], string[]] = [[], []];
    const progress = liveProgress(["prometheus", "tempo"], terminal(shown, notes));
    progress.kept("prometheus", 2_000_000);
    expect(shown.at(-1)).toBe("Reading 1 of 2: prometheus: 1 answer, 2.0 MB; tempo: waiting");
    const missed = [{ what: "everything", why: "\u001b[2Jit left" }];
    progress.ended({ source: "tempo", fileCount: 0, sizeBytes: 0, missed });
    progress.end();
    expect(shown.at(-1)).toBeUndefined();
    expect(notes.join("\n")).toContain("tempo, everything: \u{fffd}[2Jit left");
  });

  it("is lines alone where nobody looks", () => {
    const notes: string[] = [];
    const progress = liveProgress(["tempo"], terminal(undefined, notes));
    progress.kept("tempo", 10);
    progress.ended({ source: "tempo", fileCount: 1, sizeBytes: 10, missed: [] });
    progress.end();
    expect(notes).toEqual(["Read tempo: 1 answer, 10 bytes."]);
  });
});
