/** What clients ask for, and what providers make of it. */

import type { Attribution, UsageKind } from "@faultline/server/ledger/rules/types.ts";
import { costBoundMicros, type TokenPrice } from "@faultline/server/ledger/worker/exact-micros.ts";
import type { AdmissionRequest } from "@faultline/server/ledger/worker/lease-book.ts";

import type { Chance } from "./chance.ts";
import type { World } from "./world.ts";

export interface Operation {
  readonly name: string;
  readonly usageKind: UsageKind;
  readonly attribution: Attribution;
  /** Of each target in turn: a fallback has a price of its own. */
  readonly prices: readonly TokenPrice[];
  readonly inputTokens: number;
  readonly outputTokensMax: number;
  readonly isClampable: boolean;
  /** How long each attempt takes; all but the last fail. */
  readonly durationsMs: readonly number[];
  /** What of the output each attempt used, in per cent; beyond a hundred the provider over-reports. */
  readonly usedPercents: readonly number[];
}

export interface Attempt {
  readonly operation: Operation;
  readonly index: number;
  readonly usageId: string;
}

/** An operation of a client. */
export function someOperation(chance: Chance, number: number): Operation {
  const attemptCount = chance.happens(0.2) ? 2 : 1;
  const attempts = Array.from({ length: attemptCount }, (_item, index) => index);
  const tags = chance.happens(0.4) ? [chance.pick(["batch", "chat"])] : [];
  return {
    name: `op${number}`,
    usageKind: chance.pick(["tokens", "tokens", "embedding", "tool"]),
    attribution: {
      keyId: chance.pick(["key1", "key2", "key3"]),
      userId: chance.pick(["ann", "bob"]),
      model: chance.pick(["small", "large"]),
      tags,
    },
    prices: attempts.map(() => ({
      inputMicrosPerMillionTokens: chance.between(100_000, 5_000_000),
      outputMicrosPerMillionTokens: chance.between(0, 20_000_000),
    })),
    inputTokens: chance.between(1, 400),
    outputTokensMax: chance.between(1, 800),
    isClampable: chance.happens(0.5),
    durationsMs: attempts.map(() =>
      chance.happens(0.1) ? chance.between(3_000, 12_000) : chance.between(20, 1_500),
    ),
    usedPercents: attempts.map(() =>
      chance.happens(0.02) ? chance.between(101, 250) : chance.between(0, 100),
    ),
  };
}

/** What a gateway asks its book. */
export function requestOf({ operation, index, usageId }: Attempt): AdmissionRequest {
  const { usageKind, attribution, inputTokens, outputTokensMax, isClampable } = operation;
  const tokens = { inputTokensMax: inputTokens, outputTokensMax };
  return {
    usageId,
    usageKind,
    attribution,
    price: operation.prices[index],
    ...tokens,
    isClampable,
  };
}

/** What a provider reports in the end, in micros. */
export function realCost(
  { operation, index }: Attempt,
  bound: { readonly boundMicros: bigint; readonly outputTokensMax: number },
  world: World,
): number {
  const price = operation.prices[index];
  const percent = operation.usedPercents[index] ?? 0;
  if (price === undefined) return 0;
  if (percent > 100) {
    world.coverage.note("use over-reported", world.situations());
    return Math.ceil((Number(bound.boundMicros) * percent) / 100);
  }
  const outputTokens = Math.floor((bound.outputTokensMax * percent) / 100);
  return costBoundMicros(price, operation.inputTokens, outputTokens);
}
