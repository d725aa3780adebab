import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { openTemporaryFolder } from "@faultline/testkit";
import { expect, test } from "vitest";

import { blobBytesMax, blobId, openBlobs } from "./blobs.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("stores bytes under their hash, once, and gives them back", async () => {
  await using folder = await openTemporaryFolder();
  const blobs = await openBlobs(join(folder.path, "blobs"));
  const [id, again] = await Promise.all([blobs.put(bytes("one")), blobs.put(bytes("one"))]);
  expect(id).toBe("sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
  expect(again).toBe(id);
  expect(Buffer.from((await blobs.get(id))!).toString()).toBe("one");
  expect(await blobs.has(id)).toBe(true);
  expect(await Array.fromAsync(blobs.list())).toEqual([{ id, bytes: 3 }]);
});

test("knows what is absent, and refuses what is no id", async () => {
  await using folder = await openTemporaryFolder();
  const blobs = await openBlobs(folder.path);
  expect(await blobs.get(blobId(bytes("absent")))).toBeUndefined();
  expect(await blobs.has(blobId(bytes("absent")))).toBe(false);
  for (const id of ["../../etc/passwd", "sha256:abc", `sha256:${"A".repeat(64)}`]) {
    await expect(blobs.get(id)).rejects.toMatchObject({ code: "request_invalid" });
  }
});

test("refuses content that is not what was stored, and mends it when the bytes come again", async () => {
  await using folder = await openTemporaryFolder();
  const blobs = await openBlobs(folder.path);
  const id = await blobs.put(bytes("evidence"));
  const hex = id.slice("sha256:".length);
  const path = join(folder.path, hex.slice(0, 2), hex.slice(2, 4), hex);

  await writeFile(path, "evidencE");
  await expect(blobs.get(id)).rejects.toMatchObject({ code: "snapshot_corrupt", where: path });
  for (const damaged of ["evid", "EVIDENCE"]) {
    await writeFile(path, damaged);
    await expect(blobs.get(id)).rejects.toMatchObject({ code: "snapshot_corrupt" });
    await blobs.put(bytes("evidence"));
    expect(Buffer.from((await blobs.get(id))!).toString()).toBe("evidence");
  }
});

test("refuses a blob beyond the limit", async () => {
  await using folder = await openTemporaryFolder();
  const blobs = await openBlobs(folder.path);
  await expect(blobs.put(new Uint8Array(blobBytesMax + 1))).rejects.toMatchObject({
    code: "request_too_large",
  });
  expect(await readdir(folder.path)).toEqual([]);
});
