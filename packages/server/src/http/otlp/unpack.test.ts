import { gzipSync } from "node:zlib";

import { PlatformError } from "@faultline/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { unpackBody } from "./unpack.ts";

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: unknown) => (error instanceof PlatformError ? error.code : String(error)),
  );
}

describe("unpackBody", () => {
  it("gives back what was packed", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 1_000 }), async (bytes) => {
        expect(await unpackBody(gzipSync(bytes), "gzip", 1_000)).toEqual(Buffer.from(bytes));
        expect(await unpackBody(Buffer.from(bytes), undefined, 1_000)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it("refuses a small body that unfolds beyond the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    expect(await codeOf(unpackBody(bomb, "gzip", 1_000_000))).toBe("request_too_large");
  });

  it("refuses what is not gzip, and what is cut, and never crashes", async () => {
    expect(await codeOf(unpackBody(gzipSync("whole").subarray(0, 12), "gzip", 1_000))).toBe(
      "request_malformed",
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
        expect(["request_malformed", "no error"]).toContain(
          await codeOf(unpackBody(Buffer.from(bytes), "gzip", 1_000)),
        );
      }),
    );
  });

  it("refuses encodings that it does not know", async () => {
    expect(await codeOf(unpackBody(Buffer.alloc(0), "br", 1_000))).toBe("media_type_unsupported");
  });
});
