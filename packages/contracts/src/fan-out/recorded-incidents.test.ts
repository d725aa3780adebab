/** What the contracts about fan-out say of incidents that others recorded. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { describe, expect, it } from "vitest";

import { readEvidence } from "../readers/read-evidence.ts";
import { snapshotOf } from "../snapshot/create-snapshot.ts";
import { fanOutContracts } from "./contracts.ts";

/** Data that lies beside a checkout of the repository. */
const bench = fileURLToPath(
  new URL("../../../../../shared/data/root-cause-bench/", import.meta.url),
);

/** Contract and subject of everything that is violated in an incident. */
function violations(incident: string): string[] {
  const files = ["traces.json", "metrics.csv", "logs.ndjson"].map((name) => ({
    name,
    bytes: new Uint8Array(readFileSync(`${bench}${incident}/${name}`)),
  }));
  const snapshot = snapshotOf(readEvidence(files).evidence);
  return fanOutContracts
    .flatMap((contract) => contract.check(snapshot))
    .filter(({ verdict }) => verdict === "violated")
    .map(({ contract, subject }) => `${contract}: ${subject.name}`);
}

describe.skipIf(!existsSync(bench))(
  "recorded incidents (skipped where ../shared/data is absent)",
  () => {
    it.each<[string, string[]]>([
      ["checkout-latency-n-plus-one", ["fan-out/repeated-query: checkoutservice PlaceOrder"]],
      ["inventory-connection-pool-exhaustion", ["fan-out/pool-starvation: inventoryservice"]],
      ["traffic-surge-flash-sale", []],
      ["dns-resolver-degradation", []],
      ["payment-nil-deref-panic", []],
      ["recommendation-memory-leak", []],
    ])("%s", (incident, expected) => {
      expect(violations(incident)).toEqual(expected);
    });
  },
);
