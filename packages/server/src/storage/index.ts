/** PostgreSQL, migrations, blobs, backup: where records live. */

export { type BlobFacts, blobBytesMax, blobId, type Blobs, openBlobs } from "./blobs.ts";
export { createBackup, type CreateBackupOptions } from "./backup/create.ts";
export type { BackupManifest, BackupProgress } from "./backup/manifest.ts";
export { restoreBackup, type RestoreBackupOptions } from "./backup/restore.ts";
export { verifyBackup, type VerifyBackupOptions } from "./backup/verify.ts";
export { acquireDataFolder } from "./data-folder.ts";
export { migrationsFolder } from "./migrations.ts";
export { openStore, type OpenStoreOptions } from "./open-store.ts";
export {
  type DatabaseRole,
  embeddedConfigs,
  embeddedSuperuser,
  type PostgresConnection,
  postgresMajorMin,
} from "./postgres/connection.ts";
export { EmbeddedPostgres, type EmbeddedOptions } from "./postgres/embedded.ts";
export {
  attachPostgres,
  openPostgres,
  reachPostgres,
  type OpenPostgresOptions,
} from "./postgres/open.ts";
export { registerSessionMetrics } from "./session-metrics.ts";
export type { Schema } from "./schema/index.ts";
export type { IngestBatch, Reader, SessionUse, Store, TenantScope, Writer } from "./store.ts";
