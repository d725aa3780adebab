import { describe, expect, it } from "vitest";

import { IdPool, IdTrail } from "./id-pool.ts";
import { hexOf8 } from "./text-pool.ts";

/** More than the pool remembers. */
const manyIds = 150_000;

describe("a pool of identifiers", () => {
  it("gives each identifier its own text, however many come and in whatever order they come again", () => {
    const trail = new IdTrail(new IdPool(8, hexOf8));
    const wrong: string[] = [];
    const ask = (number: number): void => {
      const text = textOf(trail, number);
      if (text !== number.toString(16).padStart(16, "0")) wrong.push(text);
    };
    for (let number = 0; number < manyIds; number += 1) ask(number);
    for (let number = 0; number < manyIds; number += 1) ask((number * 7_919) % manyIds);
    for (let number = manyIds; number > 0; number -= 1) ask(number);
    expect(wrong).toEqual([]);
  });

  it("makes a text once for all that ask in the order in which the identifiers came first", () => {
    let madeCount = 0;
    const pool = new IdPool(8, (bytes, from) => {
      madeCount += 1;
      return hexOf8(bytes, from);
    });
    for (const trail of [new IdTrail(pool), new IdTrail(pool)]) {
      for (let number = 1; number <= 1_000; number += 1) textOf(trail, number);
    }
    expect(madeCount).toBe(1_000);
  });

  it("knows an identifier of zeros before it has met any other", () => {
    const trail = new IdTrail(new IdPool(8, hexOf8));
    expect(textOf(trail, 0)).toBe("0".repeat(16));
    expect(textOf(trail, 1)).toBe("0000000000000001");
    expect(textOf(trail, 0)).toBe("0".repeat(16));
  });

  it("keeps nothing of an identifier whose text cannot be made", () => {
    const trail = new IdTrail(
      new IdPool(8, (bytes, from) => {
        if (bytes[from + 7] === 7) throw new RangeError("seven");
        return hexOf8(bytes, from);
      }),
    );
    expect(textOf(trail, 6)).toBe("0000000000000006");
    expect(() => textOf(trail, 7)).toThrow(RangeError);
    expect(() => textOf(trail, 7)).toThrow(RangeError);
    expect(textOf(trail, 6)).toBe("0000000000000006");
  });
});

function textOf(trail: IdTrail, number: number): string {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(4, number);
  return trail.take(bytes, view, 0);
}
