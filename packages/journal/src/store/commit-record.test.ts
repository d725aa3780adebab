import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { entryBytes, entryOfFields } from "../../test/snapshot-bytes.ts";
import { arbitraryWrite } from "../../test/store-arbitraries.ts";
import { JournalError } from "../journal-error.ts";
import { encodeFields, encodeNumber } from "../log/fields.ts";
import type { BinaryKey } from "./binary-key.ts";
import { decodeCommit, encodeCommit } from "./commit-record.ts";
import { commitOf, ownedWrite } from "./write.ts";

const place = { file: "log", offset: 1_000 };

/** A commit by hand: these fields, and these bytes behind them. */
function recordOf(fields: readonly [number, number][], body: Uint8Array, version = 1): Buffer {
  const encoded = encodeFields(
    fields.map(([type, value]) => ({ type, value: encodeNumber(value) })),
  );
  const head = Buffer.alloc(4);
  head.writeUInt16LE(version, 0);
  head.writeUInt16LE(encoded.byteLength, 2);
  return Buffer.concat([head, encoded, body]);
}

function refusalOf(record: Uint8Array): string {
  try {
    decodeCommit(record, place);
    return "none";
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    expect(error.place?.segment).toBe("log");
    return error.code;
  }
}

describe("a commit as a record", () => {
  it("comes back as it was, with any bytes as keys and values", () => {
    fc.assert(
      fc.property(fc.array(arbitraryWrite), fc.nat(), (writes, version) => {
        const commit = { version, writes: commitOf(writes.map(ownedWrite)) };
        expect(decodeCommit(encodeCommit(commit), place)).toEqual(commit);
      }),
    );
  });

  it("is refused when anything is left out, doubled, appended or out of range", () => {
    const a = entryBytes({ key: "a" as BinaryKey, value: Buffer.from("1"), expiresAtMs: 5 });
    const b = entryBytes({ key: "b" as BinaryKey, value: undefined, expiresAtMs: Infinity });
    const fields = (count: number): [number, number][] => [
      [1, 7],
      [2, count],
    ];
    expect(refusalOf(recordOf(fields(2), Buffer.concat([a, b])))).toBe("none");
    const corrupt = [
      Buffer.alloc(0),
      Buffer.alloc(3),
      recordOf(fields(1), Buffer.concat([a, b])),
      recordOf(fields(3), Buffer.concat([a, b])),
      recordOf(fields(2), Buffer.concat([b, a])),
      recordOf(fields(2), Buffer.concat([a, a])),
      recordOf(fields(1), entryOfFields([2, a])),
      recordOf(fields(2 ** 40), a),
      recordOf([[1, 7]], a),
      recordOf([[2, 1]], a),
      recordOf(fields(1), a, 0),
      Buffer.from([1, 0, 0xff, 0xff, 1, 2, 3]),
    ];
    for (const [index, record] of corrupt.entries()) {
      expect(`${index} ${refusalOf(record)}`).toBe(`${index} journal_corrupt`);
    }
    expect(refusalOf(recordOf(fields(1), a, 2))).toBe("journal_version_newer");
    expect(refusalOf(recordOf([...fields(1), [0x8003, 1]], a))).toBe("journal_version_newer");
    expect(refusalOf(recordOf([...fields(1), [3, 1]], a))).toBe("none");
  });

  it("is read or refused with a typed error, whatever its bytes are", () => {
    const whole = encodeCommit({
      version: 9,
      writes: commitOf([
        { key: "a" as BinaryKey, value: Buffer.from("value"), expiresAtMs: 10 },
        { key: "b" as BinaryKey, value: undefined, expiresAtMs: Infinity },
      ]),
    });
    fc.assert(
      fc.property(
        fc.nat({ max: whole.length - 1 }),
        fc.uint8Array({ maxLength: 8 }),
        fc.nat({ max: 8 }),
        (at, bytes, drop) => {
          const changed = Buffer.concat([whole.subarray(0, at), bytes, whole.subarray(at + drop)]);
          expect(["none", "journal_corrupt", "journal_version_newer"]).toContain(
            refusalOf(changed),
          );
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
