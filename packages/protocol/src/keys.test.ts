import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { TenantId } from "./ids.ts";
import { formatKey, keyLimits, keyPrefix, parseKey } from "./keys.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const tenant = fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/).map((text) => text as TenantId);
const key = fc
  .tuple(tenant, fc.array(fc.integer({ min: 0, max: 61 }), { minLength: 43, maxLength: 43 }))
  .map(([tenantId, draws]) => {
    let next = 0;
    const drawn = formatKey(tenantId, () => draws[next++] ?? 0);
    return { tenantId, drawn };
  });

describe("API keys", () => {
  it("reads back every key that it makes", () => {
    fc.assert(
      fc.property(key, ({ tenantId, drawn }) => {
        expect(parseKey(drawn)).toEqual({ kind: "ok", tenantId });
        expect(drawn.length).toBeLessThanOrEqual(keyLimits.lengthMax);
      }),
    );
  });

  it("notices every single mistyped character of the secret part", () => {
    fc.assert(
      fc.property(key, fc.nat({ max: 48 }), fc.nat({ max: 60 }), ({ drawn }, place, shift) => {
        const at = drawn.length - 49 + place;
        const typed = alphabet[(alphabet.indexOf(drawn.charAt(at)) + 1 + shift) % 62] ?? "";
        const mistyped = drawn.slice(0, at) + typed + drawn.slice(at + 1);
        expect(parseKey(mistyped).kind).toBe("checksum-mismatch");
      }),
    );
  });

  it("notices two neighbours that changed places", () => {
    fc.assert(
      fc.property(key, fc.nat({ max: 47 }), ({ drawn }, place) => {
        const at = drawn.length - 49 + place;
        fc.pre(drawn[at] !== drawn[at + 1]);
        const swapped = `${drawn.slice(0, at)}${drawn[at + 1]}${drawn[at]}${drawn.slice(at + 2)}`;
        expect(parseKey(swapped).kind).toBe("checksum-mismatch");
      }),
    );
  });

  it("calls a key of another tenant's name mistyped, not unknown", () => {
    const made = formatKey("default" as TenantId, () => 7);
    expect(parseKey(made.replace("default", "another")).kind).toBe("checksum-mismatch");
  });

  it("never throws and never accepts arbitrary text", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => parseKey(text).kind !== "ok"));
  });

  it.each([
    ["", "does not start with"],
    ["sk-123", "does not start with"],
    ["fl_default", "no `_` between"],
    ["fl_Default_x", "not a tenant id"],
    ["fl_default_short", "5 characters instead of 49"],
    [`fl_default_${"a".repeat(48)}é`, "character 60 is neither"],
    ["f".repeat(300), "has 300 characters"],
  ])("says what is wrong with %j", (text, reason) => {
    expect(parseKey(text)).toMatchObject({
      kind: "malformed",
      reason: expect.stringContaining(reason),
    });
  });

  it("shows a prefix that holds the tenant and four characters", () => {
    expect(keyPrefix(formatKey("default" as TenantId, () => 10))).toBe("fl_default_AAAA");
  });
});
