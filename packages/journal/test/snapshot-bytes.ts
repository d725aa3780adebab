/** Snapshot files by hand: any frames around any bytes, with the checksums that belong to them. */

import type { EntryWrite } from "../src/store/entry-codec.ts";
import { entryByteLength, writeEntry } from "../src/store/entry-codec.ts";
import { logPosition } from "../src/log/position.ts";
import {
  encodeFrameHead,
  encodeSnapshotHead,
  encodeTotals,
  frameKinds,
} from "../src/store/snapshot-format.ts";

export interface Frame {
  readonly kind: number;
  readonly entryCount: number;
  readonly content: Uint8Array;
}

/** The bytes of a file with these frames and nothing else. */
export function snapshotBytes(frames: readonly Frame[], version = 5): Buffer {
  const head = encodeSnapshotHead({
    version,
    replayFrom: logPosition(0),
    replayVersion: 0,
    createdAtMs: 1_000,
  });
  const parts: Uint8Array[] = [head.bytes];
  let { checksum } = head;
  for (const { content, ...frame } of frames) {
    const encoded = encodeFrameHead(frame, content, checksum);
    checksum = encoded.checksum;
    parts.push(encoded.bytes, content);
  }
  return Buffer.concat(parts);
}

/** A frame of entries as they are written. */
export function blockFrame(entries: readonly EntryWrite[]): Frame {
  const content = Buffer.concat(entries.map(entryBytes));
  return { kind: frameKinds.block, entryCount: entries.length, content };
}

/** The last frame. */
export function endFrame(blockCount: number, entryCount: number): Frame {
  return { kind: frameKinds.end, entryCount: 0, content: encodeTotals({ blockCount, entryCount }) };
}

/** The bytes of one entry. */
export function entryBytes(entry: EntryWrite): Buffer {
  const bytes = Buffer.alloc(entryByteLength(entry));
  writeEntry(bytes, 0, entry);
  return bytes;
}

/** An entry whose fields are given by hand, each as tag and bytes. */
export function entryOfFields(...fields: readonly (readonly [number, Uint8Array])[]): Buffer {
  const parts = fields.map(([tag, bytes]) => {
    const head = Buffer.alloc(5);
    head.writeUInt8(tag, 0);
    head.writeUInt32LE(bytes.byteLength, 1);
    return Buffer.concat([head, bytes]);
  });
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.byteLength);
  return Buffer.concat([length, body]);
}
