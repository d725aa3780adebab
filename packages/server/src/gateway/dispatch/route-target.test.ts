import { describe, expect, it } from "vitest";

import { loadCatalog } from "#catalog/index.ts";

import { providerAt } from "../test/test-gateway.ts";
import { nextTarget, type RouteTarget } from "./route-target.ts";

const { catalog } = { catalog: loadCatalog([providerAt(1), providerAt(2, { name: "other" })]) };

function routeTarget(name: string, contextTokenCountMax: number | undefined): RouteTarget {
  const resolution = catalog.resolveModel(`${name}/model-a`);
  if (resolution.kind !== "found") throw new Error(`${name} is of the catalog`);
  return { target: resolution.target, contextTokenCountMax };
}

describe("nextTarget", () => {
  const any = { tooShort: undefined, admits: () => true };

  it("gives the first that may be called", () => {
    const [first, second] = [routeTarget("upstream", 1), routeTarget("other", 1)];
    expect(nextTarget([first, second], any)).toBe(first);
    const admits = (target: RouteTarget["target"]): boolean => target === second.target;
    expect(nextTarget([first, second], { ...any, admits })).toBe(second);
    expect(nextTarget([], any)).toBeUndefined();
  });

  it("gives only one with a longer context when the prompt was too long", () => {
    const tooShort = routeTarget("upstream", 8_000);
    const [same, unknown, larger] = [8_000, undefined, 32_000].map((length) =>
      routeTarget("other", length),
    ) as [RouteTarget, RouteTarget, RouteTarget];
    expect(nextTarget([same, unknown, larger], { ...any, tooShort })).toBe(larger);
    expect(nextTarget([same, unknown], { ...any, tooShort })).toBeUndefined();
    const unmeasured = routeTarget("upstream", undefined);
    expect(nextTarget([same], { ...any, tooShort: unmeasured })).toBe(same);
  });
});
