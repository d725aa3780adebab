/** Administrators, who grant credit and edit limits in whatever region they are. */

import type { DocumentContent } from "@faultline/server/ledger/regions/grant-document.ts";

import type { Chance } from "../chance.ts";
import type { RegionProcess } from "./region-process.ts";
import type { RegionWorld } from "./region-world.ts";

const againMs = 700;
const currency = "USD" as const;

/** Plans all edits of a simulation. The first ones are made at home before anything is spent. */
export function planEdits(
  world: RegionWorld,
  parts: { chance: Chance; regions: readonly RegionProcess[]; durationMs: number },
): void {
  const chance = parts.chance.fork("administrators");
  const [home] = parts.regions;
  if (home === undefined) return;
  let number = 0;
  const at = (afterMs: number, region: RegionProcess, edit: Edit): void => {
    number += 1;
    const audited = { number, saying: edit.saying, grantedMicros: edit.grantedMicros };
    const make = (): void => {
      // A grant is told apart by its id; whoever sees that it is known asks for nothing more.
      if (edit.grantedMicros > 0n && region.database.documents.has(edit.key)) return;
      if (!region.edit(edit.key, edit.content, audited)) world.queue.after(againMs, make);
    };
    world.queue.after(afterMs, make);
  };
  at(5, home, budgetEdit(BigInt(chance.between(20_000, 300_000))));
  at(10, home, grantEdit("first", BigInt(chance.between(60_000, 250_000))));
  const someRegion = (): RegionProcess =>
    parts.regions[chance.between(0, parts.regions.length - 1)] ?? home;
  const times = (low: number, high: number, plan: () => void): void => {
    for (let count = chance.between(low, high); count > 0; count -= 1) plan();
  };
  const when = (): number => chance.between(2_000, parts.durationMs);
  times(2, 6, () =>
    at(when(), someRegion(), grantEdit(`g${number}`, BigInt(chance.between(5_000, 120_000)))),
  );
  times(1, 5, () => at(when(), someRegion(), budgetEdit(BigInt(chance.between(10_000, 300_000)))));
  times(0, 3, () => at(when(), someRegion(), lineEdit(BigInt(chance.between(0, 3) * 10_000))));
  // Two people give under one id, the same or not, at about the same time.
  times(0, 2, () => {
    const [name, afterMs] = [`shared${number}`, when()];
    for (const region of [someRegion(), someRegion()]) {
      const micros = BigInt(chance.between(1, 2) * 10_000);
      at(afterMs + chance.between(0, 2_000), region, grantEdit(name, micros));
    }
  });
}

interface Edit {
  readonly key: string;
  readonly content: DocumentContent;
  readonly saying: string;
  readonly grantedMicros: bigint;
}

function grantEdit(name: string, amountMicros: bigint): Edit {
  const given = { currency, amountMicros, priority: 0, expiresAtMs: undefined };
  const content = { kind: "grant", given: [given] } as const;
  return {
    key: `grant/${name}`,
    content,
    saying: String(amountMicros),
    grantedMicros: amountMicros,
  };
}

function budgetEdit(limitMicros: bigint): Edit {
  const scope = { kind: "key", value: "key1" } as const;
  const window = { kind: "total" } as const;
  const terms = { budgetId: "key1", currency, scope, window, limitMicros, isHard: true };
  const content = { kind: "budget", terms: { ...terms, thresholdPercents: [] } } as const;
  return { key: "budget/key1", content, saying: String(limitMicros), grantedMicros: 0n };
}

function lineEdit(limitMicros: bigint): Edit {
  const content = { kind: "line", currency, limitMicros } as const;
  return { key: "line/USD", content, saying: String(limitMicros), grantedMicros: 0n };
}
