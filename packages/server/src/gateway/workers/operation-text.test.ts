/** Records on their way from a worker to the control process. */

import { describe, expect, it } from "vitest";

import { emptyRecord, fullRecord } from "../test/operation-records.ts";
import { fromOperationText, toOperationText } from "./operation-text.ts";

describe("a record as text", () => {
  it("is read as it was written, whether all of it is known or nothing", () => {
    for (const record of [fullRecord(), emptyRecord("empty")]) {
      expect(fromOperationText(toOperationText(record))).toStrictEqual(record);
    }
  });

  it("has times in whole microseconds", () => {
    const record = { ...fullRecord(), startMs: 1_764_312_345_678.1235, durationMs: 1 / 3 };
    const { startMs, durationMs } = fromOperationText(toOperationText(record));
    expect([startMs, durationMs]).toEqual([1_764_312_345_678.124, 0.333]);
  });

  it("is one line, whatever it quotes", () => {
    expect(toOperationText(fullRecord())).not.toContain("\n");
  });

  it.each(["{}", "[]", "7", "null", '{"length":6}', "[1"])("is never %s", (text) => {
    expect(() => fromOperationText(text)).toThrow();
  });
});
