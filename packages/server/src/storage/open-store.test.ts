import { expect, test } from "vitest";
import { openTestDatabase } from "@faultline/testkit";

test("reads and writes the rows of its tenant", async () => {
  await using database = await openTestDatabase();
  const signal = new AbortController().signal;
  const rows = await database.store.read(
    { tenantId: database.tenantId, signal },
    async (reader) => await reader.selectFrom("tenant").selectAll().execute(),
  );
  expect(rows.map((row) => row.id)).toEqual(["default"]);
});
