/** PostgreSQL, migrations, blobs, backup: where records live. */

export type { IngestBatch, Reader, Store, TenantScope, Writer } from "./store.ts";
