/** What a backup says about itself: its format, the schema it was taken from, and the hash of each part. */

import { createHash } from "node:crypto";

import { parseForeignJson } from "@faultline/contracts/json";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";

import { corrupt } from "./tar.ts";

/** The version of the archive's format. A reader refuses any other. */
export const backupFormatVersion = 1;
export const headerEntry = "faultline-backup.json";
export const manifestEntry = "manifest.json";
export const manifestHashEntry = "manifest.sha256";

/** Rows are cut into parts of about this size before compression, which bounds memory on both sides. */
export const partBytesMin = 4 * 1024 * 1024;
/** A part ends with the message that passed the minimum, and PostgreSQL sends a row as one message. */
export const partBytesMax = 1024 * 1024 * 1024;

const name = Type.String({ minLength: 1, maxLength: 63 });
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

const closed = { additionalProperties: false };

/** A part of a table's rows: one entry of the archive. */
const Part = Type.Object(
  {
    entry: Type.String({ minLength: 1, maxLength: 100 }),
    /** Of the entry as it stands in the archive. */
    sha256,
    bytes: count,
    /** After decompression. */
    rawBytes: Type.Integer({ minimum: 0, maximum: partBytesMax }),
  },
  closed,
);

const Table = Type.Object(
  {
    name,
    columns: Type.Array(name, { minItems: 1, maxItems: 1_600 }),
    rowCount: count,
    parts: Type.Array(Part, { maxItems: 1_000_000 }),
  },
  closed,
);

/** A partition that holds rows; the schema's migrations do not know it. */
const Partition = Type.Object(
  {
    name,
    parent: name,
    bound: Type.String({ minLength: 1, maxLength: 2_000 }),
    rowSecurity: Type.Boolean(),
    rowSecurityForced: Type.Boolean(),
  },
  closed,
);

const Sequence = Type.Object(
  { name, lastValue: Type.String({ pattern: "^-?[0-9]{1,19}$" }), isCalled: Type.Boolean() },
  closed,
);

export const BackupManifest = Type.Object(
  {
    formatVersion: Type.Literal(backupFormatVersion),
    createdAt: Type.String({ maxLength: 40 }),
    postgresVersion: Type.String({ maxLength: 40 }),
    migrations: Type.Array(
      Type.Object({ name: Type.String({ maxLength: 200 }), checksum: sha256 }, closed),
      { maxItems: 10_000 },
    ),
    /** In an order in which each table comes after those that it refers to. */
    tables: Type.Array(Table, { maxItems: 10_000 }),
    partitions: Type.Array(Partition, { maxItems: 100_000 }),
    sequences: Type.Array(Sequence, { maxItems: 10_000 }),
    blobs: Type.Object(
      {
        count,
        bytes: count,
        /** Over the names of the blobs in order, each followed by a newline. */
        namesSha256: sha256,
      },
      closed,
    ),
  },
  closed,
);
export type BackupManifest = Static<typeof BackupManifest>;
export type BackupTable = Static<typeof Table>;
export type BackupPartition = Static<typeof Partition>;
export type BackupSequence = Static<typeof Sequence>;

/** Where long work stands. `total` is absent when it is not known beforehand. */
export interface BackupProgress {
  readonly stage: "rows" | "blobs" | "verifying" | "restoring";
  /** The table, blob or entry that was just done. */
  readonly item: string;
  readonly bytesDone: number;
  readonly bytesTotal?: number;
}

export const headerBytes = Buffer.from(
  `${JSON.stringify({ format: "faultline-backup", version: backupFormatVersion })}\n`,
);

/** Reads the manifest's bytes against its schema. Throws `backup_corrupt`. */
export function parseManifest(bytes: Buffer): BackupManifest {
  let value: unknown;
  try {
    value = parseForeignJson(bytes.toString("utf8"));
  } catch {
    throw corrupt(manifestEntry, "it is not JSON");
  }
  if (Value.Check(BackupManifest, value)) return value;
  const [first] = Value.Errors(BackupManifest, value);
  throw corrupt(
    manifestEntry,
    first === undefined ? "it breaks its schema" : `${first.instancePath || "/"} ${first.message}`,
  );
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The name of a part's entry. */
export function partEntry(table: string, index: number): string {
  return `tables/${table}/${String(index).padStart(6, "0")}.copy.gz`;
}

/** The name of a blob's entry. */
export function blobEntry(id: string): string {
  return `blobs/${id.replace(":", "/")}`;
}
