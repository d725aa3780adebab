import { expect, test } from "vitest";

import { isSameThing, isTypo } from "./typo.ts";

test.each([
  ["app-config", "app-confg"],
  ["webfront", "webfornt"],
  ["db-sa", "dbsa"],
  ["Web", "web"],
])("%s was written for %s", (wanted, actual) => {
  expect(isTypo(wanted, actual)).toBe(true);
  expect(isTypo(actual, wanted)).toBe(true);
});

test.each([
  ["redis-1", "redis-2"],
  ["team-a-config", "team-b-config"],
  ["app-config-v1", "app-config-v2"],
  ["api", "app"],
  ["repo-server", "repo-commit-server"],
])("%s and %s are two things", (wanted, actual) => {
  expect(isTypo(wanted, actual)).toBe(false);
  expect(isTypo(actual, wanted)).toBe(false);
});

test("a word that says that it is a service makes no other thing", () => {
  expect(isSameThing("api", "api-service")).toBe(true);
  expect(isSameThing("api", "api-gateway")).toBe(false);
});
