import { expect, it } from "vitest";

import type { LogLine } from "../model/evidence.ts";
import { createSnapshot } from "../snapshot/create-snapshot.ts";
import { loggedLinesOf } from "./log-lines.ts";

it("tells only so many services apart, and leaves out the lines of further ones", () => {
  const lines = Array.from({ length: 10_005 }, (_, at): LogLine => ({
    timeMicros: at,
    service: `service-${at}`,
    text: "served",
  }));
  const source = { name: "app.ndjson", format: "log", notes: [] };
  const logged = loggedLinesOf(createSnapshot([{ source, content: { kind: "logs", lines } }]));
  expect(logged.services).toHaveLength(10_000);
  expect(logged.lineCount).toBe(10_005);
  expect(logged.timesMicros.filter((time) => time < 0)).toHaveLength(5);
});
