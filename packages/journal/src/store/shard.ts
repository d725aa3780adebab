/** Shards: stores in sub-folders of one folder, and which of them a key belongs to. */

import { join } from "node:path";
import { crc32 } from "node:zlib";

import { nodeFileSystem } from "../file-system/node-file-system.ts";
import { JournalError } from "../journal-error.ts";
import { shardCountMax } from "./limits.ts";
import { Store, type StoreOptions } from "./store.ts";

/** What one shard is opened with. */
export interface ShardOptions extends StoreOptions {
  /** Of how many shards; it is part of the folders' names, and cannot be changed afterwards. */
  readonly shardCount: number;
  /** Which one, from 0. */
  readonly shard: number;
}

const digits = 4;
const folderPattern = /^([0-9]{4})-of-([0-9]{4})$/;

/** The shard of a key, the same for ever: a number from 0 to below `shardCount`. */
export function shardOf(key: Uint8Array, shardCount: number): number {
  // A checksum is linear, so keys that differ a little would meet in few shards; this is murmur3's last step.
  let hash = crc32(key);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % shardCount;
}

/** Opens one shard as its one writer; other processes may hold the others. Throws what `Store.open` throws. */
export async function openShard(options: ShardOptions): Promise<Store> {
  const { folder, shardCount, shard, fileSystem = nodeFileSystem } = options;
  if (!(Number.isInteger(shardCount) && shardCount >= 1 && shardCount <= shardCountMax)) {
    throw new RangeError(`shardCount must be from 1 to ${shardCountMax}: ${shardCount}`);
  }
  if (!(Number.isInteger(shard) && shard >= 0 && shard < shardCount)) {
    throw new RangeError(`shard must be from 0 to below ${shardCount}: ${shard}`);
  }
  await fileSystem.makeFolder(folder);
  for (const name of await fileSystem.list(folder)) {
    const found = folderPattern.exec(name);
    if (found !== null && Number(found[2]) !== shardCount) {
      throw new JournalError(
        "store_shard_mismatch",
        `${folder} was made for ${Number(found[2])} shards and is opened for ${shardCount}.`,
      );
    }
  }
  return await Store.open({ ...options, folder: join(folder, folderName(shard, shardCount)) });
}

function folderName(shard: number, shardCount: number): string {
  const text = (number: number): string => String(number).padStart(digits, "0");
  return `${text(shard)}-of-${text(shardCount)}`;
}
