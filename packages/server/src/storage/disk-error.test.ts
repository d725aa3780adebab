import { open } from "node:fs/promises";

import { expect, test } from "vitest";

import { mapDiskError } from "./disk-error.ts";

test("a disk that takes no more is told as such", async () => {
  // Linux has a device that is always full.
  await using full = await open("/dev/full", "w");
  const error = mapDiskError(await full.writeFile("x").catch((failure: unknown) => failure));
  expect(error).toMatchObject({
    code: "storage_full",
    row: { status: 507 },
    cause: { code: "ENOSPC" },
  });
});

test("any other failure passes unchanged", async () => {
  const failure: unknown = await open("/nowhere/at/all").catch((error: unknown) => error);
  expect(mapDiskError(failure)).toBe(failure);
  expect(mapDiskError("text")).toBe("text");
});
