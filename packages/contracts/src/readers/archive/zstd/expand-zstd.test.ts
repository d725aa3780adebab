import { constants, zstdCompressSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ZstdFault } from "./backward-bits.ts";
import { expandZstd } from "./expand-zstd.ts";

function packed(bytes: Uint8Array, level: number, isChecked = false): Uint8Array {
  return zstdCompressSync(bytes, {
    params: {
      [constants.ZSTD_c_compressionLevel]: level,
      [constants.ZSTD_c_checksumFlag]: isChecked ? 1 : 0,
    },
  });
}

/** Bytes of so many kinds, some far more frequent than others, with runs that come again. */
function bytesOf(seed: number, length: number): Uint8Array {
  let state = seed * 2_654_435_761 + 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
  const kinds = 1 + Math.floor(next() * 256);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) {
    const back = Math.floor(next() * 400);
    if (back > 0 && back < at && next() < 0.3) {
      const count = Math.min(3 + Math.floor(next() * 90), length - at, back);
      bytes.copyWithin(at, at - back, at - back + count);
      at += count - 1;
    } else bytes[at] = Math.floor(kinds * next() * next() * next());
  }
  return bytes;
}

describe("what zstd packed", () => {
  // Vitest compares bytes one by one, which takes far longer than to expand them.
  it.each([-5, 1, 3, 9, 19, 22])("at level %i is as it was", (level) => {
    for (let seed = 0; seed < 24; seed += 1) {
      const bytes = bytesOf(seed, (seed * 7_919) % 90_000);
      const expanded = expandZstd(packed(bytes, level, seed % 2 === 0), bytes.length);
      expect(Buffer.compare(expanded, bytes)).toBe(0);
    }
  });

  it.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["one byte", Uint8Array.of(7)],
    ["one byte again and again", new Uint8Array(400_000).fill(9)],
    ["blocks one after the other", bytesOf(5, 600_000)],
    ["a text", new TextEncoder().encode('{"role":"user","content":"What is 1+1?"},'.repeat(4_000))],
  ])("is as it was: %s", (_what, bytes) => {
    expect(Buffer.compare(expandZstd(packed(bytes, 3), bytes.length), bytes)).toBe(0);
  });

  it("in several frames, and beside frames that hold something else, is one", () => {
    const [first, second] = [bytesOf(1, 9_000), bytesOf(2, 700)];
    const other = Uint8Array.of(0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
    const frames = Buffer.concat([packed(first, 3), other, packed(second, 9)]);
    const expanded = expandZstd(frames, 9_700);
    expect(Buffer.compare(expanded, Buffer.concat([first, second]))).toBe(0);
  });
});

describe("what is no zstd", () => {
  it("or expands beyond its bound is refused before it grows", () => {
    const bomb = packed(new Uint8Array(100_000_000), 19);
    expect(bomb.length).toBeLessThan(20_000);
    expect(() => expandZstd(bomb, 1_000_000)).toThrow(ZstdFault);
    expect(() => expandZstd(new TextEncoder().encode("no zstd at all"), 100)).toThrow(ZstdFault);
    const tooMany = packed(bytesOf(3, 5_000), 3);
    expect(() => expandZstd(tooMany, 4_999)).toThrow(ZstdFault);
    for (let length = 1; length < tooMany.length; length += 37) {
      expect(() => expandZstd(tooMany.subarray(0, length), 5_000)).toThrow(ZstdFault);
    }
  });

  it("ends in bytes within the bound, or in a fault, whatever is changed", () => {
    const whole = [1, 2, 3].map((seed) => packed(bytesOf(seed, 4_000), seed * 6));
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(fc.nat(6_000), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (frame, edits) => {
          const bytes = Uint8Array.from(frame);
          for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
          try {
            expect(expandZstd(bytes, 20_000).length).toBeLessThanOrEqual(20_000);
          } catch (error) {
            expect(error).toBeInstanceOf(ZstdFault);
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
