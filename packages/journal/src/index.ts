/** What must survive a crash: an append-only log on local disk. No domain, and Node alone. */

export {
  type FileMode,
  type JournalFile,
  type JournalFileSystem,
} from "./file-system/file-system.ts";
export { nodeFileSystem } from "./file-system/node-file-system.ts";
export {
  JournalError,
  type JournalErrorCode,
  type JournalErrorOptions,
  type JournalPlace,
} from "./journal-error.ts";
export {
  examineLog,
  type ExamineOptions,
  type LogDamage,
  type LogReport,
  type SegmentReport,
} from "./log/examine.ts";
export { Log, type LogRecovery, type LogSegment } from "./log/log.ts";
export { LogReader, type LogReaderOptions } from "./log/log-reader.ts";
export { defaultLogLimits, type LogLimits, type LogOptions } from "./log/options.ts";
export { repairLog, type RepairOptions, type RepairReport } from "./log/repair.ts";
export { isSegmentName } from "./log/segment-header.ts";
export { type LogEntry, type LogPosition, logPosition, logStart } from "./log/position.ts";
export type { StoreClock } from "./store/pace.ts";
export type { ScanOptions, StoreEntry, StoreReader } from "./store/reader.ts";
export type { StoreRecovery } from "./store/recover.ts";
export { StoreSnapshot } from "./store/store-snapshot.ts";
export {
  Store,
  type StoreLimits,
  type StoreOptions,
  type StoreStatus,
  type TransactOptions,
} from "./store/store.ts";
export type { StoreTransaction, TransactOutcome } from "./store/transaction.ts";
export type { StoreWrite } from "./store/write.ts";
export { openShard, type ShardOptions, shardOf } from "./store/shard.ts";
export { ShardedStore, type ShardedStoreOptions } from "./store/sharded-store.ts";
