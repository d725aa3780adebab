/** Compares two recordings of many goroutines, made while they are read, and prints what it took. */

import { checkSnapshot, EvidenceReader, findContract, snapshotOf } from "@faultline/contracts";

const [form = "dumps", countText = "1000"] = process.argv.slice(2);
const count = Number(countText);
const chunkBytes = 1 << 20;
/** Stacks of a profile that differ: a large program has thousands. */
const stackCountMax = 20_000;

const contract = findContract("lifetimes/goroutines-end");
if (contract === undefined) throw new Error("the contract is not in the registry");

const reader = new EvidenceReader();
let bytes = 0;
let waitedNanos = 0n;
const begin = process.hrtime.bigint();
for (const [index, share] of [0.5, 1].entries()) {
  const sink = reader.open(`checkout-${index}.txt`);
  const made = form === "dumps" ? dumpOf(count, share) : profileOf(count, share);
  for (;;) {
    // What it takes to make the bytes is not what is measured.
    const before = process.hrtime.bigint();
    const { value, done } = made.next();
    waitedNanos += process.hrtime.bigint() - before;
    if (done === true) break;
    bytes += value.length;
    sink.push(value);
  }
  sink.end();
}
const { evidence, unreadable } = reader.finish();
if (unreadable.length > 0) throw new Error(JSON.stringify(unreadable));
const findings = checkSnapshot(snapshotOf(evidence), [contract]);
const seconds = Number(process.hrtime.bigint() - begin - waitedNanos) / 1e9;
const memoryMiB = process.resourceUsage().maxRSS / 1_024;
const result = JSON.stringify(findings.map(({ verdict, title }) => [verdict, title]));
console.log(JSON.stringify({ seconds, bytes, memoryMiB, result }));

/** Half of the goroutines leak in the second dump: senders, connections with open bodies, and a pool beside them. */
function* dumpOf(goroutines: number, share: number): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = "goroutine 1 [IO wait, 61 minutes]:\nmain.main()\n\t/app/main.go:5 +0x1d\n\n";
  for (let index = 0; index < goroutines; index += 1) {
    const id = index + 10;
    const isThere = index < share * goroutines;
    text += isThere
      ? leakedGoroutine(id, index)
      : `goroutine ${id} [IO wait]:\ninternal/poll.runtime_pollWait(0x7f12${(id * 7_919).toString(16)}, 0x72)\n\t/usr/local/go/src/runtime/netpoll.go:351 +0x85\nnet/http.(*conn).serve(0xc000${(id * 31).toString(16)}, {0x7a3cd0, 0xc0002242})\n\t/usr/local/go/src/net/http/server.go:2103 +0x30c\ncreated by net/http.(*Server).Serve in goroutine 1\n\t/usr/local/go/src/net/http/server.go:3434 +0x30c\n\n`;
    if (text.length < chunkBytes) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(text);
}

function leakedGoroutine(id: number, index: number): string {
  const wait = index % 60 === 0 ? "" : `, ${index % 60} minutes`;
  return `goroutine ${id} [chan send${wait}]:\nexample.com/checkout/prices.(*Client).ask.func1(0xc000${(id * 17).toString(16)}, {0x${index.toString(16)}, 0xc0002242})\n\t/app/prices/client.go:118 +0x1d2\ncreated by example.com/checkout/prices.(*Client).ask in goroutine ${id - 1}\n\t/app/prices/client.go:110 +0x16e\n\n`;
}

/** Many stacks, each with a share of the goroutines; one of them grows. */
function* profileOf(goroutines: number, share: number): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const stacks = Math.min(stackCountMax, goroutines / 10);
  const each = Math.floor((goroutines * 0.5) / stacks);
  const rest = Math.floor(goroutines * 0.5 * share);
  let text = `goroutine profile: total ${each * stacks + rest}\n${rest} @ 0x1 0x2 0x3 0x11\n#\t0x10\tmain.leak+0x1\t/app/main.go:12\n\n`;
  for (let index = 0; index < stacks; index += 1) {
    text += `${each} @ 0x1 0x2 0x11 0x22 0x${index.toString(16)}\n#\t0x10\tmain.wait${index % 5_000}+0x1\t/app/main.go:${index % 5_000}\n#\t0x21\tmain.step${index % 1_000}+0x1\t/app/step.go:${index % 1_000}\n#\t0x30\tmain.run${index}+0x1\t/app/run.go:${index}\n\n`;
    if (text.length < chunkBytes) continue;
    yield encoder.encode(text);
    text = "";
  }
  yield encoder.encode(text);
}
