/** What a gateway under measurement knows: one provider, one key, and limits that count everything and refuse nothing. */

import { loadCatalog, noBundles } from "@faultline/server/catalog/index.ts";
import {
  defaultDispatch,
  defaultLimits,
  type DispatchConfig,
} from "@faultline/server/config/index.ts";
import type { GatewaySnapshot } from "@faultline/server/gateway/index.ts";

import { benchKey, benchKeyRow } from "./key.ts";
import { benchModels } from "./replies.ts";

const price = {
  inputMicrosPerMillionTokens: 2_500_000n,
  outputMicrosPerMillionTokens: 10_000_000n,
  cachedInputMicrosPerMillionTokens: 1_250_000n,
};
/** So high that nothing is refused. */
const bounds = {
  requestsPerMinute: 1_000_000_000,
  tokensPerMinute: 1_000_000_000_000,
  concurrencyMax: 1_000_000,
};

/**
 * The snapshot with which a gateway relays to this port. `adaptation` as in the configuration: streams that are held for
 * good would leave it nothing to measure.
 */
export function benchSnapshot(
  upstreamPort: number,
  adaptation: DispatchConfig["concurrency"]["adaptation"],
): GatewaySnapshot {
  const { snapshot: catalog } = loadCatalog([
    {
      kind: "openai",
      name: "upstream",
      baseUrl: `http://127.0.0.1:${upstreamPort}/v1`,
      apiKeyEnvironment: undefined,
      apiKey: "x",
      models: Object.values(benchModels).map((name) => ({ name, upstreamName: name, price })),
    },
  ]);
  return {
    version: 1,
    settings: {
      bodyBytesMax: 33_554_432,
      headerBytesMax: 32_768,
      depthMax: 128,
      messageCountMax: 10_000,
      toolCountMax: 1_024,
      imageCountMax: 1_000,
      proxyCount: 0,
      concurrencyMax: 10_000,
      queueMs: 10_000,
      connectMs: 5_000,
      firstTokenMs: 120_000,
      // Idle streams are held.
      stallMs: 900_000,
      totalMs: 900_000,
      dispatch: { ...defaultDispatch, concurrency: { ...defaultDispatch.concurrency, adaptation } },
      streamRetentionMs: 3_600_000,
      streamBytesMax: 268_435_456,
      idempotencyMs: 86_400_000,
      idempotencyBytesMax: 67_108_864,
      cacheMs: 300_000,
      cacheBytesMax: 16_777_216,
      captureRatios: {},
    },
    limits: { ...defaultLimits, key: bounds, tenant: bounds },
    bundles: noBundles,
    catalog,
    keys: [benchKeyRow(benchKey)],
    tenants: [],
  };
}
