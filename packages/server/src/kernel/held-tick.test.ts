import { expect, test } from "vitest";

import { holdTick } from "./held-tick.ts";

test("one object of a tick is held, as Node makes it, and ticks go on", async () => {
  const tick = holdTick();
  expect(tick).toHaveProperty("callback", expect.any(Function));
  expect(holdTick()).toBe(tick);
  await new Promise<void>((resolve) => process.nextTick(resolve));
});
