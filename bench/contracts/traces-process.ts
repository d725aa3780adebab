/**
 * A process of its own for one measurement of the contracts, so that its memory is its own. Prints one line of JSON on
 * standard error: processor seconds of all its threads, the greatest resident memory, and a hash of what came out.
 *
 *     node traces-process.ts decoded FILE       contracts on spans that are decoded already
 *     node traces-process.ts check FILE MAIN    `faultline check` of the bundle that MAIN begins, from the file to the findings
 */

import { createHash } from "node:crypto";
import { closeSync, createReadStream, openSync, readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";
import type { Evidence, Finding, Span } from "@faultline/contracts";

/** What a measurement gives. */
export interface Measured {
  readonly cpuSeconds: number;
  readonly memoryBytesMax: number;
  readonly findingCount: number;
  readonly resultHash: string;
}

const [mode, file, bundle = ""] = process.argv.slice(2);
if (file === undefined) throw new Error("a file is needed");
const measured = mode === "decoded" ? await measureDecoded(file) : await measureCheck(file, bundle);
process.stderr.write(`${JSON.stringify(measured)}\n`);

async function measureDecoded(path: string): Promise<Measured> {
  // Only here: beside the command it would be there twice.
  const { checkSnapshot, OtlpTraceStream } = await import("@faultline/contracts");
  const stream = new OtlpTraceStream("protobuf");
  for await (const chunk of createReadStream(path)) stream.push(Buffer.from(chunk));
  const traces = new Map<string, Span[]>();
  for (const span of stream.end().spans) {
    const spans = traces.get(span.traceId);
    if (spans === undefined) traces.set(span.traceId, [span]);
    else spans.push(span);
  }
  const evidence = [...traces].map(([traceId, spans], index): Evidence => ({
    id: `sha256:${index.toString(16).padStart(64, "0")}`,
    source: { name: "bench", format: "bench", notes: [] },
    content: { kind: "trace", traceId, spans },
  }));
  const before = process.cpuUsage();
  const findings = checkSnapshot({ formatVersion: 1, evidence });
  return resultOf(before, findings);
}

async function measureCheck(path: string, bundle: string): Promise<Measured> {
  // In a file, as the report is where the command writes it: here it would take memory that is none of the command's.
  const printed = openSync(`${path}.report`, "w+");
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = (text: string | Uint8Array) => writeSync(printed, String(text)) >= 0;
  const before = process.cpuUsage();
  // What the bundle exports, as `bin/faultline.js` calls it.
  const { main } = (await import(pathToFileURL(bundle).href)) as {
    main: (words: readonly string[]) => Promise<unknown>;
  };
  await main(["check", path, "--format", "json"]);
  process.stdout.write = write;
  // What reads the report here is no part of the command.
  const memoryBytesMax = process.resourceUsage().maxRSS * 1_024;
  // The report of the command, as its schema has it.
  const report = JSON.parse(readFileSync(`${path}.report`, "utf8")) as { findings: Finding[] };
  closeSync(printed);
  return { ...resultOf(before, report.findings), memoryBytesMax };
}

function resultOf(before: NodeJS.CpuUsage, findings: readonly Finding[]): Measured {
  const { user, system } = process.cpuUsage(before);
  const facts = findings.map(({ contract, subject, verdict, measures }) => ({
    contract,
    subject,
    verdict,
    measures,
  }));
  return {
    cpuSeconds: (user + system) / 1e6,
    memoryBytesMax: process.resourceUsage().maxRSS * 1_024,
    findingCount: findings.length,
    resultHash: createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16),
  };
}
