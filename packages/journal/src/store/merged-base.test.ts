import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { Base } from "./base.ts";
import { BaseHistory } from "./base-history.ts";
import { binaryKey, keyBytes, leastKey } from "./binary-key.ts";
import { BlockBuilder } from "./block-builder.ts";
import type { Block } from "./block.ts";
import { mergeSealed } from "./merge.ts";
import { Overlay } from "./overlay.ts";
import { scanRange } from "./view.ts";

const blockBytes = 96;
const signal = new AbortController().signal;
const neverRests = { rest: async () => await Promise.resolve() };

type Content = ReadonlyMap<string, string | undefined>;

const arbitraryContent: fc.Arbitrary<Content> = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 40 }).map((number) => `key-${String(number).padStart(2, "0")}`),
      fc.option(fc.string({ maxLength: 40 }), { nil: undefined }),
    ),
    { maxLength: 40, size: "max" },
  )
  .map((entries) => new Map(entries));

function keyOf(text: string) {
  return binaryKey(Buffer.from(text));
}

function baseOf(content: Content): Base {
  const builder = new BlockBuilder(blockBytes);
  const blocks: (Block | undefined)[] = [];
  for (const [text, value] of [...content].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === undefined) continue;
    if (builder.isFullFor(60)) blocks.push(builder.take());
    builder.addWrite({ key: keyOf(text), value: Buffer.from(value), expiresAtMs: Infinity });
  }
  blocks.push(builder.take());
  return new Base(blocks.filter((block) => block !== undefined));
}

function overlayOf(content: Content): Overlay {
  const overlay = new Overlay();
  for (const [text, value] of content) {
    const bytes = value === undefined ? undefined : Buffer.from(value);
    overlay.write(keyOf(text), { version: 1, value: bytes, expiresAtMs: Infinity }, [1]);
  }
  return overlay;
}

function read(base: Base, overlays: readonly Overlay[]): [string, string][] {
  const view = { base, overlays, version: 1, nowMs: 0 };
  return Array.from(scanRange(view, { from: leastKey, to: undefined }), ({ key, value }) => [
    keyBytes(key).toString(),
    value.toString(),
  ]);
}

function sorted(content: Content): [string, string][] {
  return [...content]
    .flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

describe("a base that is merged piece by piece", () => {
  it("reads the same at every step, also when the merge is given up there and begun anew", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryContent,
        arbitraryContent,
        fc.nat({ max: 20 }),
        async (old, written, failsAt) => {
          const history = new BaseHistory(baseOf(old));
          const overlays = [overlayOf(written)];
          const expected = sorted(new Map([...old, ...written]));
          let writeCount = 0;
          const file: Block[] = [];
          const sink = {
            write: async (block: Block) => {
              await Promise.resolve();
              writeCount += 1;
              if (writeCount === failsAt) throw new Error("The disk failed.");
              file.push(block);
            },
            advance: (step: Parameters<BaseHistory["replace"]>[0]) => {
              history.replace(step);
              expect(read(history.current, overlays)).toEqual(expected);
            },
          };
          const merge = async (): Promise<void> => {
            file.length = 0;
            const content = { overlays, base: history.current, version: 1 };
            await mergeSealed(content, sink, { nowMs: 0, blockBytes, pace: neverRests, signal });
          };
          await merge().catch(merge);
          expect(read(history.current, [])).toEqual(expected);
          // What was written are whole blocks, in none of which an entry of the base before stands.
          expect(read(new Base(file), [])).toEqual(expected);
          for (const block of file) expect(block.offsetAt(0)).toBe(0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
