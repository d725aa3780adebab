/** What the trace contracts cost, from decoded spans and from files to findings, and how fast `check` starts. */

import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { cp, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { encodeOtlp } from "../../packages/contracts/test/otlp-protobuf.ts";
import type { BenchFigure, BenchOptions, BenchResult } from "../bench.ts";
import { largeFileBytes, writeLog, writePodList, writeRawPodList } from "./large-files.ts";
import { populationOf } from "./population.ts";
import type { Measured } from "./traces-process.ts";

const spanCountSmall = 20_000;
const spanCountLarge = 1_000_000;
/** As OTLP's JSON these are 200 MB. */
const spanCountOf200Megabytes = 296_000;
/** A list of pods as the API answers with it. */
const rawListBytesSmall = 2_000_000;
const startsSmall = 3;
const startsLarge = 21;

const execute = promisify(execFile);
const processFile = fileURLToPath(new URL("./traces-process.ts", import.meta.url));
const bundleScript = fileURLToPath(new URL("../../scripts/bundle-check.js", import.meta.url));
const cliFolder = fileURLToPath(new URL("../../packages/cli/", import.meta.url));

/** Each measurement in a process of its own, on spans of traces that lie scattered over the whole input. */
export async function run({ small }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(join(tmpdir(), "faultline-bench-contracts-"));
  try {
    const spanCount = small ? spanCountSmall : spanCountLarge;
    const protobuf = await writePopulation(join(folder, "spans.pb"), spanCount);
    const json = await writePopulation(join(folder, "spans.json"), spanCount);
    const main = await bundleInto(folder);
    const decoded = await measure("decoded", protobuf);
    const fromProtobuf = await measure("check", protobuf, main);
    const fromJson = await measure("check", json, main);
    const figures = [
      ...figuresOf("checked, from decoded spans", decoded, spanCount),
      ...figuresOf("OTLP protobuf, file to findings", fromProtobuf, spanCount),
      ...figuresOf("OTLP JSON, file to findings", fromJson, spanCount),
    ];
    if (!small) {
      const path = await writePopulation(join(folder, "200.json"), spanCountOf200Megabytes);
      const { memoryBytesMax } = await measure("check", path, main);
      const { size } = await stat(path);
      const name = `OTLP JSON of ${Math.round(size / 1e6)} MB, memory`;
      figures.push({ name, value: memoryBytesMax / 1e6, unit: "MB" });
      figures.push(...(await largeFileFigures(folder, main)));
    }
    figures.push(await rawListFigure(folder, main, small ? rawListBytesSmall : largeFileBytes));
    figures.push(await startRatio(folder, small ? startsSmall : startsLarge));
    const results = [decoded, fromProtobuf, fromJson].map((item) => item.resultHash);
    return {
      name: "contracts",
      figures: [
        ...figures,
        { name: "spans", value: spanCount, unit: "spans" },
        { name: "findings", value: decoded.findingCount, unit: "findings" },
      ],
      resultHash: createHash("sha256").update(results.join()).digest("hex"),
      notes: [
        "Spans per second of processor time, of all threads of the process together.",
        "Start: medians of wall time over interleaved runs, with what was compiled before kept.",
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The memory that files take which hold no traces. `main` begins the command. */
async function largeFileFigures(folder: string, main: string): Promise<BenchFigure[]> {
  const pods = join(folder, "pods.json");
  await writePodList(pods);
  const podList = await measure("check", pods, main);
  await rm(pods);
  const log = join(folder, "app.ndjson");
  await writeLog(log);
  const records = await measure("check", log, main);
  return [
    {
      name: "Kubernetes List of 200 MB, memory",
      value: podList.memoryBytesMax / 1e6,
      unit: "MB",
    },
    { name: "log of 200 MB, memory", value: records.memoryBytesMax / 1e6, unit: "MB" },
  ];
}

/** The memory that a list of pods takes as `kubectl get --raw` writes it: the smallest text for the most pods. */
async function rawListFigure(
  folder: string,
  main: string,
  sizeBytes: number,
): Promise<BenchFigure> {
  const path = join(folder, "raw-pods.json");
  await writeRawPodList(path, sizeBytes);
  const { memoryBytesMax } = await measure("check", path, main);
  await rm(path);
  const name = `raw Kubernetes List of ${Math.round(sizeBytes / 1e6)} MB, memory`;
  return { name, value: memoryBytesMax / 1e6, unit: "MB" };
}

/** One request in JSON or in protobuf, by the name of the file; gives its path. */
async function writePopulation(path: string, spanCount: number): Promise<string> {
  const file = createWriteStream(path);
  const isJson = path.endsWith(".json");
  let separator = '{"resourceSpans":[';
  for (const batch of populationOf(spanCount)) {
    const data = isJson
      ? `${separator}${JSON.stringify(batch.resourceSpans[0])}`
      : encodeOtlp("TracesRequest", batch);
    separator = ",";
    if (!file.write(data)) await once(file, "drain");
  }
  file.end(isJson ? "]}" : "");
  await once(file, "finish");
  return path;
}

/** Makes the command as packages have it; gives the file that it begins with. */
async function bundleInto(folder: string): Promise<string> {
  await cp(join(cliFolder, "bin"), join(folder, "bin"), { recursive: true });
  await execute(process.execPath, [bundleScript, join(folder, "check")]);
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  return join(folder, "check", "main.js");
}

async function measure(mode: "decoded" | "check", ...words: string[]): Promise<Measured> {
  const { stderr } = await execute(process.execPath, [processFile, mode, ...words]);
  // The last line is what the process measured.
  return JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as Measured;
}

function figuresOf(name: string, measured: Measured, spanCount: number): BenchFigure[] {
  return [
    { name, value: Math.round(spanCount / measured.cpuSeconds), unit: "spans/s" },
    { name: `${name}, memory`, value: measured.memoryBytesMax / 1e6, unit: "MB" },
  ];
}

/** How many times as long as the start of Node the packed command takes on a small file. */
async function startRatio(folder: string, count: number): Promise<BenchFigure> {
  const pod = join(folder, "pod.json");
  await writeFile(pod, '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}');
  const check = [join(folder, "bin", "faultline.js"), "check", pod];
  // What an earlier call compiled is kept, as it is in an installation.
  const cache = { NODE_COMPILE_CACHE: join(folder, "cache") };
  const timeOf = (words: readonly string[], env = {}): number => {
    const startMs = performance.now();
    const { error } = spawnSync(process.execPath, words, {
      env: { ...process.env, ...env },
      stdio: "ignore",
    });
    if (error !== undefined) throw error;
    return performance.now() - startMs;
  };
  timeOf(check, cache);
  const bare: number[] = [];
  const packed: number[] = [];
  for (let index = 0; index < count; index += 1) {
    bare.push(timeOf(["-e", "0"]));
    packed.push(timeOf(check, cache));
  }
  const ratio = medianOf(packed) / medianOf(bare);
  return {
    name: "packed `check` of a small file against `node -e 0`",
    value: ratio,
    unit: "times",
  };
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}
