/** The server's face for the command line: start it, configure it, diagnose it, back it up. */

export {
  type Config,
  type ConfigSources,
  type FlagName,
  loadConfig,
  noticeProviders,
  type ProviderOffer,
  type SettingReport,
} from "#config/index.ts";
export {
  acquireDataFolder,
  type BackupManifest,
  type BackupProgress,
  createBackup,
  openBlobs,
  openPostgres,
  openStore,
  type PostgresConnection,
  reachPostgres,
  restoreBackup,
  verifyBackup,
} from "#storage/index.ts";
export { createLogger } from "./create-logger.ts";
export { diagnose, type DiagnoseOptions, type Diagnosis } from "./diagnose.ts";
export { type Platform, type PlatformOptions, startPlatform } from "./main.ts";
