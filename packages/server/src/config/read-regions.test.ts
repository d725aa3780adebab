import { describe, expect, it } from "vitest";

import type { RegionSettings } from "./regions-schema.ts";
import { readRegions } from "./read-regions.ts";
import type { Static } from "typebox";

const key = "0123456789abcdef0123456789abcdef";
const eu = { name: "eu", url: "https://eu.example.org/", keyEnvironment: "KEY_EU" };

function read(file: Static<typeof RegionSettings>, environment = { KEY_EU: key }) {
  return readRegions({
    number: (name) => (name === "regions.keepMicros" ? 500 : 1_000),
    optional: () => file?.name,
    file,
    environment,
    originOf: (at) => at.join("."),
  });
}

describe("the section `regions`", () => {
  it("is nothing where this region has no name", () => {
    expect(read({ peers: [eu] })).toBeUndefined();
  });

  it("names the regions, their keys, and where accounts are at home", () => {
    const regions = read({ name: "us", peers: [eu], tenants: [{ id: "default", home: "eu" }] });
    expect(regions).toMatchObject({
      name: "us",
      peers: [{ name: "eu", url: "https://eu.example.org", key }],
      keepMicros: 500n,
    });
    expect([...(regions?.homes ?? [])]).toEqual([["default", "eu"]]);
  });

  it.each([
    [{ tenants: [{ id: "default", home: "eu" }] }, "regions: Accounts are shared"],
    [
      { name: "us", peers: [{ ...eu, keyEnvironment: "NONE" }] },
      "regions.peers.0.keyEnvironment: The key of region `eu` is taken from NONE",
    ],
    [{ name: "eu", peers: [eu] }, "regions.peers.0.name: Two regions are named `eu`"],
    [{ name: "us", peers: [{ ...eu, url: "eu" }] }, "regions.peers.0.url: `eu` is no address"],
    [{ name: "us", tenants: [{ id: "a", home: "eu" }] }, "regions.tenants.0: The home `eu`"],
    [
      {
        name: "us",
        tenants: [
          { id: "a", home: "us" },
          { id: "a", home: "us" },
        ],
      },
      "regions.tenants.1: Tenant `a` stands twice",
    ],
  ])("is refused with the place of the fault (%#)", (file, message) => {
    expect(() => read(file)).toThrow(message);
  });
});
