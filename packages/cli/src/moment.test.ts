import { describe, expect, it } from "vitest";

import { parseDurationMs, parseMoment } from "./moment.ts";

describe("moments on the command line", () => {
  const nowMs = Date.UTC(2026, 0, 31, 12);

  it("read a duration as so long before now", () => {
    expect(parseDurationMs("1.5h")).toBe(5_400_000);
    expect(parseMoment("since", "15m", nowMs)).toBe("2026-01-31T11:45:00.000Z");
  });

  it("read a duration that is longer than there is time", () => {
    expect(parseMoment("since", "999999999999d", nowMs)).toBe("1970-01-01T00:00:00.000Z");
  });

  it("read a day in February", () => {
    expect(parseMoment("since", "2028-02-29", nowMs)).toBe("2028-02-29T00:00:00.000Z");
  });

  it("read an ISO time with its zone", () => {
    expect(parseMoment("since", "2026-01-31T12:00:00+02:00", nowMs)).toBe(
      "2026-01-31T10:00:00.000Z",
    );
  });

  it.each(["", "15", "15 minutes", "yesterday", "-5m", "2026-13-45T00:00:00Z", "2026-02-29"])(
    "refuse '%s' with the option's name and examples",
    (text) => {
      expect(() => parseMoment("since", text, nowMs)).toThrow(
        /--since takes a duration such as 90s/,
      );
    },
  );
});
