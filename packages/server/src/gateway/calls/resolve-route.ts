/** From the model that a caller names to the targets that may serve it, the first one first. */

import type { Catalog } from "#catalog/index.ts";
import { PlatformError } from "@faultline/protocol";

import type { RouteTarget } from "../dispatch/route-target.ts";
import type { CallPrices } from "./call-prices.ts";

/** The one target of a plain model. Throws when there is none, or none with a price. */
export function resolveRoute(
  catalog: Catalog,
  model: string,
  prices: CallPrices,
): readonly RouteTarget[] {
  const resolution = catalog.resolveModel(model);
  switch (resolution.kind) {
    case "found":
      prices.require(resolution.target.model);
      return [{ target: resolution.target, contextTokenCountMax: undefined }];
    case "unknown":
      throw new PlatformError("model_not_found", `No configured provider serves "${model}".`, {
        where: "/model",
        hint:
          resolution.nearest === undefined
            ? "GET /v1/models lists the models."
            : `Did you mean "${resolution.nearest}"?`,
      });
  }
}
