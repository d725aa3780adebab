import { expect, it } from "vitest";

import { UsageError } from "../command.ts";
import { command } from "../commands/ledger.ts";
import { connectionOptions } from "../connection.ts";
import { optionsOfActions } from "./action-options.ts";

it("knows for each option of the command who takes it", () => {
  const taken = new Set([
    ...Object.values(optionsOfActions).flat(),
    ...Object.keys(connectionOptions),
  ]);
  expect([...taken].toSorted()).toEqual(Object.keys(command.options).toSorted());
});

it("knows every action", async () => {
  // It is refused before anything else is looked at.
  const context = { positionals: ["none"], options: {} } as unknown as Parameters<
    typeof command.run
  >[0];
  const refusal = await command.run(context).catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(UsageError);
  expect(String(refusal)).toContain(Object.keys(optionsOfActions).join(", "));
});
