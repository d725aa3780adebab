import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { loadConfig } from "./index.ts";

const open = {
  requestsPerMinute: undefined,
  tokensPerMinute: undefined,
  concurrencyMax: undefined,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "faultline-limits-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function limitsOf(yaml: string, environment: Record<string, string> = {}) {
  writeFileSync(path.join(folder, "faultline.yaml"), yaml);
  return loadConfig({ environment, workingFolder: folder }).limits;
}

describe("limits", () => {
  it("limit nothing but failed keys by default", () => {
    expect(limitsOf("")).toEqual({
      key: open,
      user: open,
      tenant: open,
      clientAddress: open,
      models: [],
      providers: [],
      tenants: [],
      failedKeys: { countMax: 20, windowMs: 60_000 },
    });
  });

  it("are read for every layer, from the file and from the environment", () => {
    const yaml = `limits:
  user: { requestsPerMinute: 30 }
  tenant: { tokensPerMinute: 2000000 }
  clientAddress: { concurrencyMax: 8 }
  models: [{ name: "openai/gpt-5*", requestsPerMinute: 500 }]
  providers: [{ name: "openai", concurrencyMax: 64 }]
  tenants:
    - { id: acme, concurrencyMax: 100, user: { requestsPerMinute: 300 } }
  failedKeys: { countMax: 5 }
`;
    const limits = limitsOf(yaml, { FAULTLINE_LIMITS_KEY_REQUESTS_PER_MINUTE: "60" });
    expect(limits).toEqual({
      key: { ...open, requestsPerMinute: 60 },
      user: { ...open, requestsPerMinute: 30 },
      tenant: { ...open, tokensPerMinute: 2_000_000 },
      clientAddress: { ...open, concurrencyMax: 8 },
      models: [{ name: "openai/gpt-5*", limits: { ...open, requestsPerMinute: 500 } }],
      providers: [{ name: "openai", limits: { ...open, concurrencyMax: 64 } }],
      tenants: [
        {
          id: "acme",
          limits: { ...open, concurrencyMax: 100 },
          user: { ...open, requestsPerMinute: 300 },
        },
      ],
      failedKeys: { countMax: 5, windowMs: 60_000 },
    });
  });

  it("are refused when a name stands twice, or a number is none", () => {
    expect(() =>
      limitsOf("limits:\n  models:\n    - { name: a }\n    - { name: a }\n"),
    ).toThrowError(/faultline\.yaml:4: `a` stands twice/);
    expect(() => limitsOf("limits:\n  key: { requestsPerMinute: 0 }\n")).toThrowError(
      /limits\.key\.requestsPerMinute must be a whole number from 1/,
    );
  });
});
