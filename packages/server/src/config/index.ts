/** The configuration: the only reader of the environment, of flags and of `faultline.yaml`. */

export type { ComputeConfig } from "./compute-config.ts";
export type { RegionsConfig } from "./regions-config.ts";
export {
  type Config,
  type ConfiguredPrice,
  type ModelConfig,
  type PriceChange,
  type ProviderConfig,
  type SettingOrigin,
  type SettingReport,
  type SimulationConfig,
  type SurfaceName,
  surfaceNames,
  type TokenLimitField,
  type TenantConfig,
} from "./config.ts";
export { defaultDispatch, type DispatchConfig, type RetryConfig } from "./dispatch-config.ts";
export { ConfigFile } from "./file-schema.ts";
export { type ConfigSources, defaultConfigFileName, loadConfig } from "./load.ts";
export {
  defaultLimits,
  type LayerLimits,
  type LimitsConfig,
  type NamedLimits,
  notLimited,
} from "./limits-config.ts";
export { formatOrigin } from "./format-origin.ts";
export { noticeProviders, type ProviderOffer } from "./offers.ts";
export { defaultProviders } from "./providers.ts";
export { settingsReference, settingsSchema } from "./reference.ts";
export type { FlagName } from "./settings.ts";
