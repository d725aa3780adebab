import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

import { checkSnapshot, ContractFailure } from "./check.ts";
import type { Contract } from "./model/contract.ts";
import { defineContract } from "./model/define-contract.ts";
import { boundaries, type Boundary } from "./model/finding.ts";
import { contracts, controls, findContract } from "./registry.ts";
import { createSnapshot } from "./snapshot/create-snapshot.ts";

const snapshot = createSnapshot([
  {
    source: { name: "a", format: "test", notes: [] },
    content: { kind: "kubernetes", objects: [] },
  },
]);

/** A contract that only notes that it ran. */
function noting(id: string, boundary: Boundary, ran: string[]): Contract {
  return defineContract({
    id,
    version: 1,
    boundary,
    promise: "It notes that it ran.",
    reads: ["kubernetes"],
    options: {},
    check: () => {
      ran.push(id);
      return [];
    },
  });
}

describe("checkSnapshot", () => {
  it("runs contracts in the order of the boundaries, then of their ids", () => {
    const ran: string[] = [];
    checkSnapshot(snapshot, [
      noting("z/z", "model-tool", ran),
      noting("b/b", "pod-scheduler", ran),
      noting("a/a", "pod-scheduler", ran),
      noting("c/c", "dataset-loss", ran),
    ]);
    expect(ran).toEqual(["c/c", "a/a", "b/b", "z/z"]);
  });

  it("leaves out contracts that read none of the evidence", () => {
    const ran: string[] = [];
    checkSnapshot(snapshot, [{ ...noting("a/a", "model-tool", ran), reads: ["trace"] }]);
    expect(ran).toEqual([]);
  });

  it("names the contract that throws, and keeps the cause", () => {
    const cause = new TypeError("x is undefined");
    const broken: Contract = {
      ...noting("a/broken", "model-tool", []),
      check: () => {
        throw cause;
      },
    };
    let thrown: unknown;
    try {
      checkSnapshot(snapshot, [broken]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(ContractFailure);
    expect(thrown).toMatchObject({ contract: "a/broken", cause });
  });
});

describe("the registry", () => {
  it("holds each contract once, in the order of the boundaries", () => {
    const ids = [...contracts, ...controls].map((contract) => contract.id);
    expect(new Set(ids).size).toBe(ids.length);
    const places = contracts.map((contract) => boundaries.indexOf(contract.boundary));
    expect(places).toEqual(places.toSorted((left, right) => left - right));
    expect(places).not.toContain(-1);
  });

  it("has a page for each contract and control", () => {
    for (const { id } of [...contracts, ...controls]) {
      const page = new URL(`../../../docs/contracts/${id.replace("/", "-")}.md`, import.meta.url);
      expect(readFileSync(page, "utf8")).toContain(`# ${id}\n`);
    }
  });

  it("finds contracts and controls by id", () => {
    for (const contract of [...contracts, ...controls]) {
      expect(findContract(contract.id)).toBe(contract);
      expect(contract.id).toMatch(/^[a-z0-9-]+\/[a-z0-9-]+$/);
    }
    expect(findContract("none/such")).toBeUndefined();
  });
});
