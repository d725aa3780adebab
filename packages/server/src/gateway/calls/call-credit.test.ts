/** What a call asks of the credit of its tenant, and what it tells it. */

import type { Target } from "#catalog/index.ts";
import type { TenantId } from "@faultline/protocol";
import { expect, it } from "vitest";

import { CreditHold, type CreditOwner, type CreditRequest } from "../credit/credit-hold.ts";
import { KnownTerms } from "../credit/use-terms.ts";
import type { GatewayState } from "../workers/gateway-state.ts";
import type { AttemptUsage } from "./attempt-usage.ts";
import { CallCredit } from "./call-credit.ts";
import type { Asked } from "./read-request.ts";

// A tenant of this test.
const tenantId = "tenant" as TenantId;
const target = { provider: { name: "p" }, model: { id: "m" } };
const bound = { inputMicrosPerMillionTokens: 1, outputMicrosPerMillionTokens: 1 };
const asked = {
  body: Buffer.from("{}"),
  facts: { places: {}, imageCount: 0 },
  prices: { require: () => ({ versionId: "v", bound }) },
};

/** A call, and the credit that it asks. */
function openCall() {
  const settled: number[] = [];
  const holds: CreditHold[] = [];
  const credit = {
    terms: new KnownTerms(),
    admit(request: CreditRequest, owner: CreditOwner) {
      const keeper = { tenantId, onWritten: () => {} };
      const hold = new CreditHold(keeper, { request, owner, sinceMs: 0 });
      holds.push(hold);
      return hold;
    },
    settle: (_hold: CreditHold, micros: number) => void settled.push(micros),
    leave: (hold: CreditHold) => void (hold.hasLeft = true),
  };
  const state = {
    knowledge: { payingTenants: new Set([tenantId]) },
    credit: { of: () => credit },
  };
  const call = {
    surface: { name: "chat" },
    key: { id: "key", tenantId },
    headers: {},
    record: { operationId: "op" },
  };
  type Call = ConstructorParameters<typeof CallCredit>[1];
  // All that the credit of a call looks at.
  const callCredit = new CallCredit(state as unknown as GatewayState, call as unknown as Call);
  const heard: string[] = [];
  const hold = (): void =>
    callCredit.hold(
      // As above
      target as unknown as Target,
      // As above
      asked as unknown as Asked,
      { admitted: () => heard.push("admitted"), refused: () => heard.push("refused") },
    );
  return { callCredit, hold, holds, settled, heard };
}

it("asks for nothing once it has ended", () => {
  const { callCredit, hold, holds } = openCall();
  callCredit.end();
  hold();
  expect(holds).toEqual([]);
});

it("settles no more than the ledger takes, whatever a provider reports", () => {
  const { callCredit, hold, holds, settled, heard } = openCall();
  hold();
  const [asking] = holds;
  if (asking !== undefined) callCredit.onAdmitted(asking);
  expect(heard).toEqual(["admitted"]);
  // Only its cost and tokens are looked at.
  callCredit.settle({ costMicros: 135_107_988_821_114_865n } as AttemptUsage);
  expect(settled).toEqual([1_000_000_000_000_000]);
});
