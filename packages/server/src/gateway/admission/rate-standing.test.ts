import { describe, expect, it } from "vitest";

import { type LayerLimits, notLimited } from "#config/index.ts";

import {
  anthropicRateHeaders,
  formatReset,
  openaiRateHeaders,
  standingOf,
  tightest,
} from "./rate-standing.ts";

function layer(limits: Partial<LayerLimits>, left: { requests?: number; tokens?: number }) {
  return {
    limits: { ...notLimited, ...limits },
    left: (dimension: "requests" | "tokens") => left[dimension] ?? 0,
  };
}

describe("the headers of rates", () => {
  const standing = tightest(
    [
      layer({ requestsPerMinute: 60, tokensPerMinute: 1_000 }, { requests: 30, tokens: 999 }),
      layer({ requestsPerMinute: 600 }, { requests: 60 }),
      layer({ tokensPerMinute: 90_000 }, { tokens: 9_000 }),
      layer({ concurrencyMax: 3 }, {}),
    ],
    0,
  );

  it("tell of the layers of which the smallest share is left, in OpenAI's form", () => {
    expect(openaiRateHeaders(standing)).toEqual({
      "x-ratelimit-limit-requests": "600",
      "x-ratelimit-remaining-requests": "60",
      "x-ratelimit-reset-requests": "54s",
      "x-ratelimit-limit-tokens": "90000",
      "x-ratelimit-remaining-tokens": "9000",
      "x-ratelimit-reset-tokens": "54s",
    });
  });

  it("tell the same in Anthropic's form", () => {
    expect(anthropicRateHeaders(standing, Date.UTC(2026, 0, 31, 23, 59, 30))).toEqual({
      "anthropic-ratelimit-requests-limit": "600",
      "anthropic-ratelimit-requests-remaining": "60",
      "anthropic-ratelimit-requests-reset": "2026-02-01T00:00:24Z",
      "anthropic-ratelimit-tokens-limit": "90000",
      "anthropic-ratelimit-tokens-remaining": "9000",
      "anthropic-ratelimit-tokens-reset": "2026-02-01T00:00:24Z",
    });
  });

  it("say nothing where nothing is limited, and of a refusal what was refused", () => {
    expect(openaiRateHeaders(tightest([], 0))).toEqual({});
    const refusal = {
      scope: "user",
      name: "acme/ann",
      limit: 60,
      left: 0,
      needed: 1,
      retryAfterMs: 1_000,
      reason: "exhausted",
    } as const;
    expect(openaiRateHeaders(standingOf({ ...refusal, dimension: "requests" }))).toEqual({
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1m0s",
    });
    expect(openaiRateHeaders(standingOf({ ...refusal, dimension: "concurrency" }))).toEqual({});
  });

  it.each([
    [0, "0ms"],
    [17, "17ms"],
    [1_500, "1.5s"],
    [360_000, "6m0s"],
    [3_600_000, "1h0m0s"],
  ])("write %d ms as %s", (durationMs, text) => {
    expect(formatReset(durationMs)).toBe(text);
  });
});
