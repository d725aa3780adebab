import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type RunningPlatform, startPlatform } from "./platform.ts";

const configuration = `
compute:
  nodes:
    - { id: n1, region: eu, deviceKind: h100, deviceCount: 2, cpuCores: 8, memoryGigabytes: 64 }
  prices:
    - { deviceKind: h100, microsPerDeviceSecond: 1000 }
`;

describe("faultline reservation", () => {
  let folder = "";
  let platform: RunningPlatform;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "faultline-reservation-"));
    await writeFile(join(folder, "faultline.yaml"), configuration);
    platform = await startPlatform({ folder });
  });
  afterAll(async () => {
    await platform[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  it("says why a job waits, and starts it once that is done", async () => {
    expect((await platform.call("reservation", "list")).stdout).toBe("Nothing is reserved.\n");
    const asked = ["reservation", "add", "h100", "--for", "1h", "--devices", "2", "--id", "train"];
    const waiting = await platform.call(...asked);
    expect(waiting.stdout).toContain("train: waiting, 2 h100, 7.20 USD");
    expect(waiting.stdout).toContain("it costs 7.20 USD, and 0.00 can be spent");
    expect(waiting.stdout).toContain("  - grant 7.20 USD: faultline ledger grant 7.20");
    await platform.call("ledger", "grant", "7.20");
    // Whoever asks again is answered after a look of the scheduler, which finds the credit.
    expect((await platform.call(...asked)).stdout).toMatch(/^train: reserved, /);
    const beat = await platform.call("reservation", "heartbeat", "train");
    expect(beat).toMatchObject({ code: 0 });
    expect(beat.stdout).toMatch(/may go on\.\ntrain: running, 2 h100, 7\.20 USD\nOn n1\./);
    expect((await platform.call("reservation", "list")).stdout).toMatch(/train +running +2 h100/);
    expect((await platform.call("reservation", "complete", "train")).stdout).toContain("completed");
    const ended = await platform.call("reservation", "heartbeat", "train", "--json");
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout)).toMatchObject({ goesOn: false });
    const metrics = await fetch(`${platform.url}/metrics`, {
      headers: { authorization: `Bearer ${platform.key}` },
    });
    expect(await metrics.text()).toMatch(
      /faultline_compute_ended_total\{end="completed"\} 1\n[\s\S]*faultline_compute_admitted_total 1\n/,
    );
  });

  it("says what is wrong with a request", async () => {
    expect((await platform.call("reservation", "add", "h100")).stderr).toContain("needs --for");
    const unknown = await platform.call("reservation", "add", "tpu", "--for", "1h");
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toContain("price_unknown");
    expect((await platform.call("reservation", "show", "none")).stderr).toContain("not_found");
    expect((await platform.call("reservation", "begin")).stderr).toContain("is none of");
  });
});
