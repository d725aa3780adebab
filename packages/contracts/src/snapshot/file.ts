/** The `.faultline` file: a zip of a manifest and one canonical JSON entry per piece of evidence. */

import { unzipSync, type Zippable, zipSync } from "fflate";

import type { Evidence, EvidenceContent } from "../model/evidence.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { EvidenceError } from "../readers/evidence-error.ts";
import { snapshotFileLimits } from "../readers/limits.ts";
import { compareText } from "../text/compare-text.ts";
import { parseForeignJson } from "../text/foreign-json.ts";
import { canonicalJsonBytes } from "./canonical-json.ts";
import { isEvidenceContent } from "./check-content.ts";
import { snapshotOf } from "./create-snapshot.ts";
import { evidenceIdOfBytes } from "./evidence-id.ts";
import {
  entryPathOf,
  type Manifest,
  type ManifestEntry,
  manifestPath,
  readManifest,
  snapshotFormatName,
  snapshotFormatVersion,
} from "./manifest.ts";

/** The first moment that a zip can name, in local time as zip has it: no clock reaches the bytes. */
const fixedTime = new Date(1980, 0, 1, 0, 0, 0);

/** Writes a snapshot as a file. Equal snapshots give equal bytes. */
export function encodeSnapshotFile(snapshot: Snapshot): Uint8Array {
  const evidence = snapshotOf(snapshot.evidence).evidence.toSorted((left, right) =>
    compareText(left.id, right.id),
  );
  const bodies = evidence.map((item) => ({ item, bytes: canonicalJsonBytes(item.content) }));
  const manifest: Manifest = {
    format: snapshotFormatName,
    formatVersion: snapshotFormatVersion,
    evidence: bodies.map(({ item, bytes }) => ({
      id: item.id,
      path: entryPathOf(item.id),
      kind: item.content.kind,
      mediaType: "application/json",
      bytes: bytes.length,
      source: item.source,
    })),
  };
  const files: Zippable = { [manifestPath]: canonicalJsonBytes(manifest) };
  for (const { item, bytes } of bodies) files[entryPathOf(item.id)] = bytes;
  return zipSync(files, { mtime: fixedTime, level: 6 });
}

/** Whether bytes start as a zip archive does. */
export function looksLikeSnapshotFile(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * Reads a snapshot and verifies every hash. Throws an `EvidenceError` that names the entry: with the code
 * `snapshot_corrupt` when the content is not what the manifest says.
 */
export function decodeSnapshotFile(bytes: Uint8Array): Snapshot {
  const files = unzip(bytes);
  const manifestBytes = files.get(manifestPath);
  if (manifestBytes === undefined) {
    throw new EvidenceError("The archive has no manifest, so it is not a Faultline snapshot.", {
      expected: `an entry named ${manifestPath}`,
    });
  }
  const manifest = readManifest(decodeText(manifestBytes, manifestPath));
  const evidence = manifest.evidence.map((entry) => readEntry(entry, files));
  refuseStrangers(manifest, files);
  return snapshotOf(evidence);
}

function unzip(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  if (bytes.length > snapshotFileLimits.fileBytesMax) {
    throw new EvidenceError(`The snapshot file has ${bytes.length} bytes.`, {
      expected: `at most ${snapshotFileLimits.fileBytesMax} bytes`,
    });
  }
  const gate = new ArchiveGate();
  try {
    return new Map(Object.entries(unzipSync(bytes, { filter: (entry) => gate.admit(entry) })));
  } catch (cause) {
    if (cause instanceof EvidenceError) throw cause;
    throw corrupt("The snapshot is not a whole zip archive.", "a complete zip archive", { cause });
  }
}

interface ArchiveEntry {
  readonly name: string;
  readonly size: number;
  readonly originalSize: number;
}

/** Judges the entries of the archive's directory before anything is decompressed. */
class ArchiveGate {
  readonly #names = new Set<string>();
  #totalBytes = 0;

  admit(entry: ArchiveEntry): true {
    const { name } = entry;
    if (name !== manifestPath && !/^evidence\/[0-9a-f]{64}\.json$/.test(name)) {
      throw corrupt(
        `The snapshot holds an entry of a foreign name: ${JSON.stringify(name.slice(0, 200))}.`,
        `${manifestPath} and evidence/<sha256>.json`,
      );
    }
    if (this.#names.has(name)) {
      throw corrupt("The snapshot holds an entry twice.", "each entry once", { where: name });
    }
    this.#names.add(name);
    if (this.#names.size > snapshotFileLimits.entryCountMax + 1) {
      throw tooLarge("entries", snapshotFileLimits.entryCountMax, name);
    }
    const bytes = Math.max(entry.size, entry.originalSize);
    const { entryBytesMax, manifestBytesMax } = snapshotFileLimits;
    const bytesMax = name === manifestPath ? manifestBytesMax : entryBytesMax;
    if (bytes > bytesMax) throw tooLarge("bytes in this entry", bytesMax, name);
    this.#totalBytes += bytes;
    if (this.#totalBytes > snapshotFileLimits.totalBytesMax) {
      throw tooLarge("bytes in all entries", snapshotFileLimits.totalBytesMax, name);
    }
    return true;
  }
}

function readEntry(entry: ManifestEntry, files: ReadonlyMap<string, Uint8Array>): Evidence {
  const where = entry.path;
  if (entry.path !== entryPathOf(entry.id)) {
    throw corrupt(
      "An entry of the snapshot lies under the path of another hash.",
      entryPathOf(entry.id),
      {
        where,
      },
    );
  }
  const bytes = files.get(entry.path);
  if (bytes === undefined) {
    throw corrupt(
      "An entry that the manifest names is not in the snapshot.",
      "every entry of the manifest",
      {
        where,
      },
    );
  }
  const actualId = evidenceIdOfBytes(bytes);
  if (actualId !== entry.id) {
    throw corrupt(
      `An entry of the snapshot has the wrong hash: the manifest says ${entry.id}, the content has ${actualId}.`,
      entry.id,
      { where },
    );
  }
  return { id: entry.id, source: entry.source, content: readContent(bytes, entry) };
}

function readContent(bytes: Uint8Array, entry: ManifestEntry): EvidenceContent {
  const where = entry.path;
  let content: unknown;
  try {
    content = parseForeignJson(decodeText(bytes, where));
  } catch (cause) {
    if (cause instanceof EvidenceError) throw cause;
    throw corrupt("An entry of the snapshot is not JSON.", "canonical JSON", { where, cause });
  }
  if (!isEvidenceContent(content)) {
    throw corrupt(`An entry of the snapshot is no evidence of kind ${entry.kind}.`, entry.kind, {
      where,
    });
  }
  if (content.kind !== entry.kind) {
    throw corrupt(`An entry of the snapshot is evidence of kind ${content.kind}.`, entry.kind, {
      where,
    });
  }
  return content;
}

function refuseStrangers(manifest: Manifest, files: ReadonlyMap<string, Uint8Array>): void {
  const known = new Set([manifestPath, ...manifest.evidence.map((entry) => entry.path)]);
  if (known.size !== manifest.evidence.length + 1) {
    throw corrupt("The manifest names an entry twice.", "each entry once", { where: manifestPath });
  }
  for (const name of files.keys()) {
    if (known.has(name)) continue;
    throw corrupt("The snapshot holds an entry that its manifest does not name.", "no such entry", {
      where: name,
    });
  }
}

function decodeText(bytes: Uint8Array, where: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw corrupt("An entry of the snapshot is not UTF-8 text.", "UTF-8", { where, cause });
  }
}

function corrupt(
  message: string,
  expected: string,
  options: { where?: string; cause?: unknown } = {},
): EvidenceError {
  return new EvidenceError(message, { code: "snapshot_corrupt", expected, ...options });
}

function tooLarge(what: string, limit: number, where: string): EvidenceError {
  return new EvidenceError(`The snapshot is too large: it holds more than ${limit} ${what}.`, {
    expected: `at most ${limit} ${what}`,
    where,
  });
}
