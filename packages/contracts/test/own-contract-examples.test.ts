import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

import { readOwnContracts, runExamples } from "../src/own/index.ts";

const folder = new URL("../examples/", import.meta.url);

it.each(readdirSync(folder))("the contracts of %s do what their examples say", (file) => {
  const { contracts, problems } = readOwnContracts(readFileSync(new URL(file, folder), "utf8"));
  expect(problems).toEqual([]);
  expect(contracts.length).toBeGreaterThan(0);
  expect(runExamples(contracts).filter(({ fault }) => fault !== undefined)).toEqual([]);
});
