/** Streams, aborts, retries, fallback and embeddings of a tenant that pays: what is charged is what the records say. */

import { once } from "node:events";

import { defaultDispatch, type ProviderConfig } from "#config/index.ts";
import { formatKey, type TenantId } from "@faultline/protocol";
import { openTestDatabase, seededRandom } from "@faultline/testkit";
import { describe, expect, it } from "vitest";

import { openSocket } from "../test/raw-client.ts";
import { keyRow, simulatedProvider, testSettings } from "../test/test-gateway.ts";
import { openCreditWorld, spentBySpans } from "./test/credit-world.ts";

const able = { contextTokens: 100_000, tools: true, vision: true, jsonSchema: true };
const callCount = 150;

/** A provider of which some calls fail, and some break off. */
function flaky(name: string, errorRatio: number, price: bigint): ProviderConfig {
  const base = simulatedProvider;
  if (base.kind !== "simulated") throw new Error("it is simulated");
  const cost = {
    inputMicrosPerMillionTokens: price,
    outputMicrosPerMillionTokens: price * 4n,
    cachedInputMicrosPerMillionTokens: price / 10n,
  };
  return {
    ...base,
    name,
    simulation: { ...base.simulation, errorRatio, cutRatio: errorRatio, tokensPerSecond: 2_000 },
    models: [{ name: "model-a", upstreamName: "model-a", price: cost }],
  };
}

describe("a mix of calls", () => {
  it("is charged as its records say, attempt by attempt", async () => {
    await using database = await openTestDatabase();
    const { tenantId } = database;
    const random = seededRandom("credit mix");
    const secret = formatKey(tenantId, (bound) => random.integer(bound));
    const creditMicros = 1_000_000_000n;
    const opened = await openCreditWorld(database, {
      creditMicros,
      providers: [flaky("first", 0.3, 3_000_000n), flaky("second", 0, 1_000_000_000n)],
      keys: [keyRow(secret, { tenantId })],
      settings: {
        ...testSettings,
        dispatch: {
          ...defaultDispatch,
          retries: { ...defaultDispatch.retries, sameTargetCountMax: 2, backoffMsMin: 1 },
          breaker: { ...defaultDispatch.breaker, failureCountMax: 0 },
        },
      },
    });
    const { world } = opened;
    await world.gateway.updateSnapshot(world.snapshot(pairSnapshot(tenantId)));
    const send = async (): Promise<void> => {
      const isEmbedding = random.integer(8) === 0;
      const text = isEmbedding
        ? '{"model":"first/model-a","input":"some words to embed"}'
        : JSON.stringify({
            model: "bundle/pair",
            stream: random.integer(2) === 0,
            ...(random.integer(3) === 0 ? {} : { max_tokens: 1 + random.integer(60) }),
            messages: [{ role: "user", content: "x".repeat(random.integer(200)) }],
          });
      const socket = await openSocket(world.gateway.port);
      const surface = isEmbedding ? "embeddings" : "chat/completions";
      const head = `POST /v1/${surface} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer ${secret}\r\nconnection: close`;
      const tags = "x-faultline-tags: a, b\r\nx-faultline-user: ann";
      socket.write(`${head}\r\n${tags}\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
      const leavesAfter = random.integer(4) === 0 ? 1 + random.integer(3) : Infinity;
      let partCount = 0;
      socket.on("data", () => {
        partCount += 1;
        if (partCount >= leavesAfter) socket.destroy();
      });
      await once(socket, "close");
    };
    const clients = Array.from({ length: 10 }, async () => {
      for (let count = 0; count < callCount / 10; count += 1) await send();
    });
    await Promise.all(clients);
    await world.gateway[Symbol.asyncDispose]();
    expect(world.spans).toHaveLength(callCount);
    const [row] = await database.sql<{ sum: string; count: string }>(
      "select sum(amount_micros) as sum, count(*) as count from ledger_use where amount_micros > 0",
    );
    expect(BigInt(row?.sum ?? 0)).toBe(spentBySpans(world.spans));
    const [open] = await database.sql<{ count: string }>(
      "select count(*) as count from ledger_hold where state = 'open'",
    );
    expect(open?.count).toBe("0");
    const details = await database.sql<{ model: string }>(
      "select distinct details ->> 'model' as model from ledger_use where details ->> 'userId' = 'ann' order by 1",
    );
    expect(details.map(({ model }) => model)).toEqual(["first/model-a", "second/model-a"]);
    await opened[Symbol.asyncDispose]();
  });
});

function pairSnapshot(tenantId: TenantId) {
  const document = {
    targets: [
      { model: "first/model-a", order: 0, supports: able },
      { model: "second/model-a", order: 1, supports: able },
    ],
  };
  const hash = `sha256:${"0".repeat(64)}`;
  const pair = { tenantId, name: "pair", version: 1, hash, isNewest: true, document };
  return { version: 2, bundles: { bundles: [pair], aliases: [], kills: [] } };
}
