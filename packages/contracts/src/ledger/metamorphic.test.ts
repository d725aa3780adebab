/** What must not change a verdict does not, over ledgers of any history. */

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exportText, LedgerMaker } from "../../test/ledger-maker.ts";
import type { Finding } from "../model/finding.ts";
import type { LedgerContent } from "../model/ledger.ts";
import { readEvidence } from "../readers/read-evidence.ts";
import { createSnapshot, snapshotOf } from "../snapshot/create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "../snapshot/file.ts";
import { ledgerContracts } from "./contracts.ts";

const ids = ["a", "b", "c", "d", "e"] as const;
const step = fc.record({
  kind: fc.constantFrom("grant", "limit", "hold", "lease", "use", "use", "end", "expire"),
  id: fc.constantFrom(...ids),
  use: fc.nat({ max: 30 }),
  micros: fc.bigInt({ min: 1n, max: 500n }),
});
const history = fc.array(step, { minLength: 1, maxLength: 40 });

function play(
  steps: readonly (typeof step extends fc.Arbitrary<infer Step> ? Step : never)[],
): LedgerMaker {
  const made = new LedgerMaker().grant(400n);
  for (const { kind, id, use, micros } of steps) {
    if (kind === "grant") made.grant(micros);
    else if (kind === "limit") made.setLimit(micros + 1_000n);
    else if (kind === "hold" || kind === "lease") made.reserve(kind, id, micros);
    else if (kind === "use") made.use(id, `u${use}`, { micros: micros / 4n });
    else made.end(id, kind === "expire" ? "expired" : "settled");
  }
  return made;
}

function check(content: LedgerContent): Finding[] {
  const source = { name: "x", format: "ledger-export", notes: [] };
  const snapshot = createSnapshot([{ source, content }]);
  return ledgerContracts.flatMap((contract) => contract.check(snapshot));
}

/** Verdicts without the ids of evidence, which are those of its content. */
const verdicts = (findings: readonly Finding[]): unknown[] =>
  findings.map(({ contract, verdict, subject, title, measures, fixes }) => ({
    contract,
    verdict,
    subject,
    title,
    measures,
    fixes,
  }));
const violated = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ verdict }) => verdict === "violated");

describe("ledgers of any history", () => {
  it("hold, save for debts that block, whole and from any command on", () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 45 }), (steps, fromCommand) => {
        const made = play(steps);
        for (const content of [made.content(), made.content(fromCommand)]) {
          const kinds = violated(check(content)).map(({ measures }) => measures["difference"]);
          expect(kinds.filter((kind) => kind !== "debt-blocks")).toEqual([]);
        }
      }),
    );
  });

  it("are judged alike in any order of their lines", () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.nat()), (steps, keys) => {
        const content = play(steps).content();
        const shuffled = <Item>(list: readonly Item[] = []): Item[] =>
          list
            .map((item) => ({ item, key: keys.next().value ?? 0 }))
            .sort((left, right) => left.key - right.key)
            .map(({ item }) => item);
        const other = {
          ...content,
          accounts: shuffled(content.accounts),
          limits: shuffled(content.limits),
          entries: shuffled(content.entries),
          reserves: shuffled(content.reserves),
          uses: shuffled(content.uses),
        };
        expect(verdicts(check(other))).toEqual(verdicts(check(content)));
      }),
    );
  });

  it("are judged alike when they were exported, read, frozen and thawed", () => {
    fc.assert(
      fc.property(history, fc.nat({ max: 45 }), (steps, fromCommand) => {
        const content = play(steps).content(fromCommand);
        const bytes = new TextEncoder().encode(exportText(content));
        const { evidence, unreadable } = readEvidence([{ name: "ledger.jsonl", bytes }]);
        expect(unreadable).toEqual([]);
        expect(evidence[0]?.content).toEqual(content);
        const thawed = decodeSnapshotFile(encodeSnapshotFile(snapshotOf(evidence)));
        const found = ledgerContracts.flatMap((contract) => contract.check(thawed));
        expect(verdicts(found)).toEqual(verdicts(check(content)));
      }),
      { numRuns: 30 },
    );
  });

  it("show any balance that is off by any amount, from whichever command on they are exported", () => {
    const change = fc.record({
      place: fc.nat(),
      micros: fc.bigInt({ min: 1n, max: 10n ** 25n }),
    });
    fc.assert(
      fc.property(history, fc.nat({ max: 45 }), change, (steps, fromCommand, { place, micros }) => {
        const content = play(steps).content(fromCommand);
        const accounts = content.accounts ?? [];
        const at = place % accounts.length;
        const changed = accounts.map((account, index) =>
          index === at
            ? { ...account, balanceMicros: String(BigInt(account.balanceMicros) + micros) }
            : account,
        );
        const name = accounts[at]?.id;
        const found = violated(check({ ...content, accounts: changed }));
        expect(
          found.map(({ subject, measures }) => [measures["difference"], subject.name]),
        ).toContainEqual(["balance-differs", name]);
      }),
    );
  });

  it("never call a cut export wrong, save for what needs no other line", () => {
    fc.assert(
      fc.property(history, fc.nat(), (steps, length) => {
        const text = exportText(play(steps).content());
        const header = text.indexOf("\n") + 1;
        const cut = text.slice(0, header + (length % (text.length - header - 2)));
        const bytes = new TextEncoder().encode(cut);
        const { evidence } = readEvidence([{ name: "ledger.jsonl", bytes }]);
        const snapshot = snapshotOf(evidence);
        const found = violated(ledgerContracts.flatMap((contract) => contract.check(snapshot)));
        const kinds = new Set(found.map(({ measures }) => measures["difference"]));
        kinds.delete("debt-blocks");
        expect([...kinds]).toEqual([]);
      }),
    );
  });
});
