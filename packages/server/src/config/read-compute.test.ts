import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";

import { loadConfig } from "./load.ts";

function load(text: string) {
  const folder = mkdtempSync(path.join(tmpdir(), "faultline-compute-"));
  writeFileSync(path.join(folder, "faultline.yaml"), text);
  return loadConfig({ workingFolder: folder, environment: {} }).compute;
}

const node = "{ id: n1, region: eu, deviceKind: h100, deviceCount: 8 }";

describe("the section compute", () => {
  it("has no nodes and safe times by default", () => {
    expect(load("")).toEqual({
      ageingMs: 3_600_000,
      backFill: true,
      headDelayMsMax: 0,
      startMsMax: 300_000,
      intervalMs: 60_000,
      silenceMsMax: 180_000,
      nodes: [],
      quotas: [],
      prices: [],
    });
  });

  it("names nodes, quotas and prices", () => {
    const compute = load(
      `compute:\n  backFill: "off"\n  nodes:\n    - ${node}\n  quotas:\n    - { tenant: acme, deviceKind: h100, deviceCountMax: 4 }\n  prices:\n    - { deviceKind: h100, microsPerDeviceSecond: 700 }\n`,
    );
    expect(compute).toMatchObject({
      backFill: false,
      nodes: [{ id: "n1", deviceCount: 8, cpuCores: 0, memoryGigabytes: 0 }],
      quotas: [{ tenantId: "acme", deviceKind: "h100", deviceCountMax: 4 }],
      prices: [{ deviceKind: "h100", microsPerDeviceSecond: 700, priorityPercent: 0 }],
    });
  });

  it("names prices that follow, and refuses two from one moment on", () => {
    const priced = (...days: string[]) =>
      load(
        `compute:\n  prices:\n    - deviceKind: h100\n      microsPerDeviceSecond: 700\n      priceChanges:\n${days
          .map((day) => `        - { validFrom: ${day}, microsPerDeviceSecond: 600 }\n`)
          .join("")}`,
      );
    expect(priced("2027-01-01").prices[0]?.changes).toEqual([
      {
        validFromMs: Date.UTC(2027, 0, 1),
        microsPerDeviceSecond: 600,
        priorityPercent: 0,
      },
    ]);
    expect(() => priced("2027-01-01", "2027-01-01T00:00Z")).toThrow(/faultline\.yaml:7: .*twice/);
  });

  it("refuses a node that stands twice and one without devices, with the line", () => {
    expect(() => load(`compute:\n  nodes:\n    - ${node}\n    - ${node}\n`)).toThrow(
      /faultline\.yaml:4: `n1` stands twice/,
    );
    expect(() => load(`compute:\n  nodes:\n    - ${node.replace("8", "0")}\n`)).toThrow(
      /faultline\.yaml:3: .*deviceCount/,
    );
  });
});
