import { assert, integer, nat, property } from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, it } from "vitest";

import type { EvidenceContent } from "../model/evidence.ts";
import { EvidenceError } from "../readers/evidence-error.ts";
import { createSnapshot } from "./create-snapshot.ts";
import { decodeSnapshotFile, encodeSnapshotFile } from "./file.ts";

const source = { name: "pods.json", format: "kubernetes-json", notes: [] };
const pod = (name: string): EvidenceContent => ({
  kind: "kubernetes",
  objects: [{ apiVersion: "v1", kind: "Pod", metadata: { name } }],
});
const snapshot = createSnapshot([
  { source, content: pod("web") },
  { source, content: pod("db") },
]);
const file = encodeSnapshotFile(snapshot);

/** The file with its entries changed. */
function tampered(change: (entries: Record<string, Uint8Array>) => void): Uint8Array {
  const entries = unzipSync(file);
  change(entries);
  return zipSync(entries);
}

function errorOf(bytes: Uint8Array): EvidenceError {
  try {
    decodeSnapshotFile(bytes);
  } catch (error) {
    if (error instanceof EvidenceError) return error;
    throw error;
  }
  throw new Error("the file was read");
}

const firstPath = Object.keys(unzipSync(file)).find((name) => name.startsWith("evidence/")) ?? "";
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

describe("the snapshot file", () => {
  it("gives back the snapshot that was written", () => {
    expect(decodeSnapshotFile(file)).toEqual(snapshot);
  });

  it("has the same bytes for equal content, in whatever order it was given", () => {
    const again = createSnapshot([
      { source, content: pod("db") },
      { source, content: pod("web") },
      { source, content: pod("db") },
    ]);
    expect(encodeSnapshotFile(again)).toEqual(file);
  });

  it("names the entry whose content does not have its hash, and both hashes", () => {
    const error = errorOf(
      tampered((entries) => {
        entries[firstPath] = text('{"kind":"kubernetes","objects":[]}');
      }),
    );
    expect(error.code).toBe("snapshot_corrupt");
    expect(error.where).toBe(firstPath);
    expect(error.message).toMatch(/wrong hash.*sha256:[0-9a-f]{64}.*sha256:[0-9a-f]{64}/);
  });

  it("names an entry that is missing", () => {
    const error = errorOf(tampered((entries) => delete entries[firstPath]));
    expect(error).toMatchObject({ code: "snapshot_corrupt", where: firstPath });
  });

  it("refuses an entry that the manifest does not name", () => {
    const stranger = `evidence/${"0".repeat(64)}.json`;
    const error = errorOf(tampered((entries) => (entries[stranger] = text("{}"))));
    expect(error).toMatchObject({ code: "snapshot_corrupt", where: stranger });
  });

  it.each(["../evil", "/etc/passwd", "evidence/../manifest.json", "evidence/x.json", "EVIDENCE/a"])(
    "refuses an entry with the name %s",
    (name) => {
      const error = errorOf(tampered((entries) => (entries[name] = text("{}"))));
      expect(error.message).toContain("foreign name");
    },
  );

  it("refuses an entry that stands twice in the archive", () => {
    const entries = unzipSync(file);
    const renamed = firstPath.replace(/.json$/, ".jsoX");
    const twice = zipSync({ ...entries, [renamed]: text("{}") });
    const patched = replaceBytes(twice, text(renamed), text(firstPath));
    expect(errorOf(patched).message).toContain("twice");
  });

  it("refuses a newer version and says which one it reads", () => {
    const error = errorOf(
      tampered((entries) => {
        entries["manifest.json"] = text('{"format":"faultline-snapshot","formatVersion":2}');
      }),
    );
    expect(error.message).toContain("format version 2");
    expect(error.expected).toBe("format version 1");
  });

  it("refuses an archive that is no snapshot", () => {
    expect(errorOf(zipSync({ "manifest.json": text("{}") })).message).toContain("not a Faultline");
    expect(errorOf(zipSync({})).message).toContain("no manifest");
  });

  it("refuses an entry that claims more bytes than the limit before it expands anything", () => {
    const bomb = zipSync({ "manifest.json": new Uint8Array(65 * 1024 * 1024) });
    expect(errorOf(bomb).message).toContain("too large");
  });

  it("ends in a typed error for every truncation", () => {
    for (let length = 0; length < file.length; length += 7) {
      expect(errorOf(file.subarray(0, length))).toBeInstanceOf(EvidenceError);
    }
  });

  it("never takes a changed byte for other evidence", () => {
    assert(
      property(nat(file.length - 1), integer({ min: 1, max: 255 }), (offset, bits) => {
        const changed = file.slice();
        changed[offset] = (changed[offset] ?? 0) ^ bits;
        try {
          const read = decodeSnapshotFile(changed);
          expect(read.evidence.map((item) => item.content)).toEqual(
            snapshot.evidence.map((item) => item.content),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(EvidenceError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

function replaceBytes(bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array {
  const changed = bytes.slice();
  for (let offset = 0; offset + from.length <= changed.length; offset += 1) {
    if (from.every((byte, index) => changed[offset + index] === byte)) changed.set(to, offset);
  }
  return changed;
}
