import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { binaryKey, type BinaryKey, keyBytes, leastKey } from "./binary-key.ts";
import { keyBytesMax } from "./limits.ts";
import { Overlay } from "./overlay.ts";

interface Version {
  readonly version: number;
  readonly value: string | undefined;
  readonly expiresAtMs: number;
}

type Step =
  | { readonly kind: "write"; readonly key: BinaryKey; readonly value: Buffer | undefined }
  | { readonly kind: "revoke"; readonly key: BinaryKey }
  | { readonly kind: "open" }
  | { readonly kind: "close" };

/** Few enough to meet again, with edges: empty, NUL bytes, invalid UTF-8, a common beginning, the longest. */
const arbitraryKey = fc
  .oneof(
    fc.uint8Array({ maxLength: 2 }),
    fc.integer({ min: 0, max: 400 }).map((number) => Buffer.from(`a-key-that-is-shared/${number}`)),
    fc.constantFrom(Buffer.alloc(keyBytesMax, 0xff), Buffer.alloc(keyBytesMax - 1, 0xff)),
  )
  .map((bytes) => binaryKey(bytes));

const arbitraryValue = fc.option(
  fc.oneof(
    { weight: 20, arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)) },
    // More than what a chunk holds, so that it gets one of its own.
    { weight: 1, arbitrary: fc.constant(Buffer.alloc(300_000, "large")) },
  ),
  { nil: undefined },
);

const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      key: arbitraryKey,
      value: arbitraryValue,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("revoke" as const), key: arbitraryKey }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "open" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "close" }) },
);

/** An overlay beside a plain map of every version that was ever written. */
class OverlayRun {
  readonly #overlay = new Overlay();
  readonly #model = new Map<BinaryKey, Version[]>();
  readonly #readVersions: number[] = [];
  #version = 0;

  run(steps: readonly Step[]): void {
    const cursor = this.#overlay.seek(leastKey);
    let walked: BinaryKey | undefined;
    for (const step of steps) {
      this.#step(step);
      if (cursor.key !== undefined && (walked === undefined || cursor.key > walked)) {
        walked = cursor.key;
        cursor.movePast(walked);
        // What stands before the cursor stays before it, whatever was inserted and removed.
        if (cursor.key !== undefined) expect(cursor.key > walked).toBe(true);
      }
    }
    this.#compare();
  }

  #step(step: Step): void {
    switch (step.kind) {
      case "write":
        this.#version += 1;
        return this.#write(step.key, step.value);
      case "revoke":
        return this.#revoke(step.key);
      case "open":
        if (this.#readVersions.at(-1) !== this.#version) this.#readVersions.push(this.#version);
        return;
      case "close":
        this.#readVersions.shift();
        return;
    }
  }

  #write(key: BinaryKey, value: Buffer | undefined): void {
    const entry = { version: this.#version, value, expiresAtMs: this.#version * 2 };
    const versions = this.#model.get(key) ?? [];
    versions.push({ ...entry, value: value?.toString("latin1") });
    this.#model.set(key, versions);
    this.#overlay.write(key, entry, [...this.#readVersions, this.#version]);
    value?.fill(0);
    value?.write("gone", "latin1");
  }

  /** Takes back the newest version of a key, which nobody reads. */
  #revoke(key: BinaryKey): void {
    const versions = this.#model.get(key);
    const newest = versions?.at(-1);
    // What was let go of for it is not there any more, so a lone one is taken back, or the newest of all commits.
    if (versions === undefined || newest === undefined || versions.length > 1) return;
    this.#overlay.revoke(key, newest.version);
    this.#model.delete(key);
  }

  #compare(): void {
    const keys = [...this.#model.keys()].toSorted((a, b) => (a < b ? -1 : 1));
    const walked: BinaryKey[] = [];
    for (const cursor = this.#overlay.seek(leastKey); cursor.key !== undefined;) {
      walked.push(cursor.key);
      expect(cursor.newestVersion).toBe(this.#model.get(cursor.key)?.at(-1)?.version);
      cursor.movePast(cursor.key);
    }
    expect(walked.map(keyBytes)).toEqual(keys.map(keyBytes));
    expect(this.#overlay.keyCount).toBe(keys.length);
    for (const [key, versions] of this.#model) {
      const id = this.#overlay.find(key);
      expect(id).toBeDefined();
      for (const readVersion of [...this.#readVersions, this.#version]) {
        const expected = versions.findLast(({ version }) => version <= readVersion);
        const found = id === undefined ? undefined : this.#overlay.entryAt(id, readVersion);
        expect(found && { ...found, value: found.value?.toString("latin1") }).toEqual(expected);
      }
    }
    expect(this.#overlay.find(binaryKey(Buffer.from("never written")))).toBeUndefined();
  }
}

describe("an overlay", () => {
  it("holds what a plain map of versions holds, for everybody who reads", () => {
    fc.assert(
      fc.property(fc.array(arbitraryStep, { maxLength: 150, size: "max" }), (steps) =>
        new OverlayRun().run(steps),
      ),
      { numRuns: 150 },
    );
  });

  it("keeps many keys in order, however they come, through every growth", () => {
    for (const step of [1, 7_919, 20_000 - 1]) {
      const overlay = new Overlay();
      const count = 20_000;
      for (let index = 0; index < count; index += 1) {
        const number = (index * step) % count;
        const text = String(number).padStart(6, "0");
        const key = binaryKey(Buffer.from(text));
        overlay.write(key, { version: index, value: Buffer.from(text), expiresAtMs: Infinity }, []);
      }
      const cursor = overlay.seek(leastKey);
      for (let number = 0; number < count; number += 1) {
        const text = String(number).padStart(6, "0");
        expect([cursor.key, cursor.entryAt(Infinity)?.value?.toString()]).toEqual([text, text]);
        cursor.movePast(binaryKey(Buffer.from(text)));
      }
      expect(cursor.key).toBeUndefined();
    }
  });

  it("keeps as many versions of one key as are read, and no more", () => {
    const overlay = new Overlay();
    const key = binaryKey(Buffer.from("hot"));
    const readVersions = [10, 500, 700];
    for (let version = 1; version <= 2_000; version += 1) {
      const open = readVersions.filter((read) => read < version);
      const entry = { version, value: Buffer.from(String(version)), expiresAtMs: Infinity };
      overlay.write(key, entry, [...open, version]);
    }
    const id = overlay.find(key);
    expect(id === undefined ? [] : overlay.versionsOf(id)).toEqual([2_000, 700, 500, 10]);
  });
});
