/** Which provider serves a model, and at what price. */

export type { ActiveBundle } from "./bundles/active-bundle.ts";
export { type BundleIndex, indexBundles } from "./bundles/bundle-index.ts";
export { Bundles } from "./bundles/bundles.ts";
export { type BundleSnapshot, noBundles, type SnapshotKill } from "./bundles/bundle-snapshot.ts";
export type { KeyFacts, RequestFacts } from "./bundles/condition.ts";
export { checkBundle, defaultVariableLength, variablePattern } from "./bundles/check-bundle.ts";
export {
  type Catalog,
  type CatalogModel,
  type CatalogProvider,
  type CatalogSnapshot,
  type ModelResolution,
  openCatalog,
  type Target,
} from "./catalog.ts";
export { loadCatalog } from "./load-catalog.ts";
export {
  costUnder,
  type DefaultPrice,
  type MeteredUsage,
  type ModelPriceVersion,
  openPriceBook,
  type PriceBook,
  priceBoundUnder,
  type PriceResolution,
  type PriceSubject,
  type PriceVersion,
} from "./price-book.ts";
export type { Price, TokenUsage } from "./price.ts";
export { Prices } from "./prices.ts";
export { type PriceTable, readPriceTable, readShippedPriceTable } from "./price-table.ts";
export { type RequestNeeds, routeOf } from "./bundles/route.ts";
