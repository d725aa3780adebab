import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { heapBounded } from "../../lifetimes/heap-bounded.ts";
import type { ProfileContent } from "../../model/profile.ts";
import type { ResourcesContent } from "../../model/resources.ts";
import { snapshotOf } from "../../snapshot/create-snapshot.ts";
import { EvidenceError } from "../evidence-error.ts";
import { survivesAnyInput } from "../../../test/survives.ts";
import { EvidenceReader, readEvidence } from "../read-evidence.ts";
import { v8Formats } from "./formats.ts";
import { HeapSnapshotStream } from "./heap-snapshot.ts";

/** Keeps orders if told so, lets others go, and writes what V8 has to say of it three times. */
const program = `
  import { writeHeapSnapshot } from "node:v8";
  import { Session } from "node:inspector/promises";
  import { writeFileSync } from "node:fs";
  class Order { constructor(number) { this.number = number; this.note = "order " + number; } }
  class Draft { constructor(number) { this.number = number; } }
  const [folder, mode] = process.argv.slice(1);
  const kept = [];
  function takeOrders() {
    for (let number = 0; number < 3000; number += 1) {
      const draft = new Draft(number);
      const order = new Order(draft.number);
      if (mode === "leaks") kept.push(order);
    }
  }
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  await session.post("HeapProfiler.startSampling", { samplingInterval: 1024 });
  takeOrders();
  for (let round = 0; round < 3; round += 1) {
    takeOrders();
    writeHeapSnapshot(folder + "/heap-" + round + ".heapsnapshot");
  }
  const { profile } = await session.post("Profiler.stop");
  writeFileSync(folder + "/work.cpuprofile", JSON.stringify(profile));
  const heap = await session.post("HeapProfiler.stopSampling");
  writeFileSync(folder + "/work.heapprofile", JSON.stringify(heap.profile));
  process.stdout.write(String(kept.length));
`;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "v8-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function written(mode: string): { readonly name: string; readonly bytes: Uint8Array }[] {
  const out = mkdtempSync(join(folder, `${mode}-`));
  execFileSync(process.execPath, ["--input-type=module", "-e", program, out, mode]);
  return readdirSync(out).map((name) => ({ name, bytes: readFileSync(join(out, name)) }));
}

const snapshotsOf = (files: ReturnType<typeof written>): ReturnType<typeof written> =>
  files.filter(({ name }) => name.endsWith(".heapsnapshot"));

describe("heap snapshots that Node wrote", () => {
  it("of a program that keeps its orders name them, and nothing that it lets go", () => {
    const { evidence, unreadable } = readEvidence(snapshotsOf(written("leaks")));
    expect(unreadable).toEqual([]);
    const findings = heapBounded.check(snapshotOf(evidence));
    const violated = findings.filter(({ verdict }) => verdict === "violated");
    expect(violated.map(({ subject }) => subject.name)).toEqual(["heap: Order"]);
    expect(violated[0]?.measures).toMatchObject({ firstCount: 6_000, lastCount: 12_000 });
    expect(heapBounded.check(snapshotOf(evidence.slice(0, 2)))).toContainEqual(
      expect.objectContaining({ verdict: "inconclusive" }),
    );
  });

  it("of several processes prove nothing, whatever grows from one to the next", () => {
    const files = snapshotsOf(written("leaks"));
    const mixed = [files[1], files[0], files[2]].flatMap((file, index) =>
      file === undefined ? [] : [{ name: `worker-${index}.heapsnapshot`, bytes: file.bytes }],
    );
    const { evidence } = readEvidence(mixed);
    const verdicts = heapBounded.check(snapshotOf(evidence)).map(({ verdict }) => verdict);
    expect(verdicts).not.toContain("violated");
  });

  it("of a program that lets everything go hold", () => {
    const { evidence } = readEvidence(snapshotsOf(written("healthy")));
    expect(heapBounded.check(snapshotOf(evidence)).map(({ verdict }) => verdict)).toEqual([
      "holds",
    ]);
  });

  it("count as V8 itself counts, however they are cut into pieces", () => {
    const [file] = snapshotsOf(written("leaks"));
    const bytes = file?.bytes ?? new Uint8Array();
    // Its own words for its own file.
    const document = JSON.parse(new TextDecoder().decode(bytes)) as {
      snapshot: { node_count: number; meta: { node_fields: string[] } };
      nodes: number[];
    };
    const { node_fields: fields } = document.snapshot.meta;
    let total = 0;
    for (let at = fields.indexOf("self_size"); at < document.nodes.length; at += fields.length) {
      total += document.nodes[at] ?? 0;
    }
    const whole = readEvidence([{ name: "a.heapsnapshot", bytes }]).evidence;
    const content = whole[0]?.content as ResourcesContent;
    expect(content.figures).toMatchObject({
      "heap.usedBytes": total,
      "heap.nodeCount": document.snapshot.node_count,
    });
    for (const size of [1_021, 65_536]) {
      const reader = new EvidenceReader();
      const sink = reader.open("a.heapsnapshot");
      for (let at = 0; at < bytes.length; at += size) sink.push(bytes.subarray(at, at + size));
      sink.end();
      expect(reader.finish().evidence[0]?.id).toBe(whole[0]?.id);
    }
  });
});

describe("profiles that Node wrote", () => {
  it("are read as samples of stacks, and name the program's own function", () => {
    const files = written("leaks").filter(({ name }) => name.endsWith("profile"));
    const { evidence, unreadable } = readEvidence(files);
    expect(unreadable).toEqual([]);
    const profiles = evidence.map(({ content }) => content as ProfileContent);
    const measures = profiles.map(({ measures: list }) => list.map(({ type }) => type).join(","));
    expect(measures.toSorted()).toEqual(["inuse_space", "samples,cpu"]);
    const heap = profiles.find(({ measures: list }) => list[0]?.type === "inuse_space");
    expect(heap?.frames.map((frame) => frame.function).join()).toContain("takeOrders");
  });
});

it("ends in evidence or in a named fault for any text", () => {
  survivesAnyInput(v8Formats, [
    JSON.stringify(small),
    '{"nodes":[{"id":1,"callFrame":{"functionName":"(root)","scriptId":"0","url":"","lineNumber":-1,"columnNumber":-1},"hitCount":0,"children":[2]},{"id":2,"callFrame":{"functionName":"work","url":"file:///app/a.js","lineNumber":4,"columnNumber":1},"hitCount":7}],"startTime":1,"endTime":9000,"samples":[2,2,1],"timeDeltas":[0,1250,1250]}',
    '{"head":{"callFrame":{"functionName":"(root)","url":"","lineNumber":-1},"selfSize":0,"id":1,"children":[{"callFrame":{"functionName":"remember","url":"file:///app/a.js","lineNumber":9},"selfSize":4096,"id":2,"children":[]}]},"samples":[]}',
  ]);
});

describe("profiles", () => {
  const profileOf = (text: string): ProfileContent => {
    const { evidence } = readEvidence([{ name: "a.json", bytes: new TextEncoder().encode(text) }]);
    return evidence[0]?.content as ProfileContent;
  };
  const frame = (functionName: string): object => ({
    functionName,
    url: "file:///app/a.js",
    lineNumber: 4,
  });

  it("of the processor leave out the time in which nothing ran, and end in cycles of parents", () => {
    const profile = profileOf(
      JSON.stringify({
        nodes: [
          { id: 1, callFrame: frame("work"), children: [2] },
          { id: 2, callFrame: frame("part"), children: [1] },
          { id: 3, callFrame: { functionName: "(idle)" } },
        ],
        startTime: 0,
        endTime: 3_000,
        samples: [2, 3, 2],
        timeDeltas: [0, 1_000, 1_000],
      }),
    );
    expect(profile.samples.map(({ values }) => values)).toEqual([[2, 2_000_000]]);
    expect(profile.samples[0]?.stack.length).toBeLessThanOrEqual(512);
  });

  it("of the heap are summed by stack", () => {
    const child = (size: number): object => ({
      callFrame: frame("keep"),
      selfSize: size,
      children: [],
    });
    const profile = profileOf(
      JSON.stringify({
        head: {
          callFrame: { functionName: "(root)" },
          selfSize: 0,
          children: [child(100), child(50)],
        },
        samples: [],
      }),
    );
    expect(profile.samples.map(({ values }) => values)).toEqual([[150]]);
    expect(profile.frames).toEqual([
      { function: "keep (a.js)", file: "file:///app/a.js", line: 5 },
    ]);
  });
});

const small = {
  snapshot: {
    meta: {
      node_fields: ["type", "name", "id", "self_size", "edge_count", "detachedness"],
      node_types: [["hidden", "object", "native", "closure"], "string", "number"],
    },
    node_count: 4,
    edge_count: 1,
  },
  nodes: [
    [1, 0, 1, 40, 0, 0],
    [1, 0, 3, 40, 0, 0],
    [2, 1, 5, 100, 0, 2],
    [3, 2, 7, 32, 1, 0],
  ].flat(),
  edges: [0, 0, 0],
  trace_function_infos: [],
  strings: ['Or"der\u00e9', "HTMLDivElement", "onClick"],
};

function read(text: string): ResourcesContent {
  const stream = new HeapSnapshotStream({ name: "a.heapsnapshot" });
  stream.push(new TextEncoder().encode(text));
  return stream.end().contents?.[0] as ResourcesContent;
}

describe("a snapshot", () => {
  it("tells constructors, detached elements and functions apart", () => {
    expect(read(JSON.stringify(small)).held).toEqual([
      { type: "HTMLDivElement", state: "detached", count: 1, bytes: 100 },
      { type: 'Or"der\u00e9', count: 2, bytes: 80 },
      { type: "function onClick", count: 1, bytes: 32 },
    ]);
    expect(read(JSON.stringify(small, undefined, 2)).held).toHaveLength(3);
  });

  it.each([
    JSON.stringify(small).slice(0, -30),
    JSON.stringify({ ...small, nodes: small.nodes.slice(0, -2) }),
    JSON.stringify({ ...small, nodes: small.nodes.slice(0, 6) }),
    JSON.stringify({ ...small, snapshot: { meta: { node_fields: ["type"] } } }),
    '{"snapshot":{"meta":{"node_fields":[]',
    `{"snapshot":{"meta":{"node_fields":[${" ".repeat(300_000)}`,
  ])("that is cut or malformed is refused by name", (text) => {
    expect(() => read(text)).toThrow(EvidenceError);
  });

  it("ends in objects or in a named fault for any change of its bytes", () => {
    const bytes = new TextEncoder().encode(JSON.stringify(small));
    const edit = fc.record({ at: fc.nat({ max: bytes.length - 1 }), value: fc.nat({ max: 255 }) });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        const changed = bytes.slice();
        for (const { at, value } of edits) changed[at] = value;
        const { evidence, unreadable } = readEvidence([{ name: "a.heapsnapshot", bytes: changed }]);
        expect(evidence.length + unreadable.length).toBe(1);
      }),
    );
  });
});
